import { type Command, Option } from 'commander';
import { readImages, readModelFiles } from '../../../image/published-image.ts';
import { MANIFEST_KINDS, type ManifestKind, manifestText } from '../../../report/serve/manifest.ts';
import { servedImage } from '../../../report/serve/served-image.ts';
import { openNamedImage } from '../../image-argument.ts';
import { ExitStatus, runSession } from '../../session.ts';

interface ManifestCommandOptions {
  readonly for: ManifestKind;
  readonly server?: string;
  readonly restricted?: boolean;
  readonly initContainer?: boolean;
  readonly namespace?: string;
}

export function addManifest(program: Command): void {
  program
    .command('manifest <image>')
    .description('print YAML that runs a published image')
    .addOption(
      new Option('--for <what>', 'the target of the YAML').choices([...MANIFEST_KINDS]).makeOptionMandatory(),
    )
    .option('--server <image>', 'the vLLM image that mounts the weights (default: the base of the image)')
    .option('--restricted', 'comply with the restricted Pod Security Standard (fat and weights always do)')
    .option('--init-container', 'download the weights of a slim image in an init container')
    .option('--namespace <name>', 'create this namespace and put everything in it')
    .addHelpText('after', HELP)
    .action((text: string, options: ManifestCommandOptions) =>
      runSession({}, async session => {
        const { store, reference } = await openNamedImage(session, text);
        const { signal } = session;
        const top = await store.getManifest(reference, signal);
        const [image] = await readImages(store, reference, signal);
        if (top === undefined || image === undefined) throw new TypeError(`${text} has no image`);
        const files = await readModelFiles(store, image, { signal });
        const served = servedImage(image, {
          reference: `${store.name}@${top.digest}`,
          repository: store.name,
          modelBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
        });
        const yaml = manifestText(options.for, served, {
          server: options.server,
          isRestricted: options.restricted === true,
          hasInitContainer: options.initContainer === true,
          ...(options.namespace !== undefined && { namespace: options.namespace }),
        });
        session.progress.stop();
        session.print(yaml.trimEnd());
        return ExitStatus.done;
      }),
    );
}

const HELP = `
Flags, port, number of GPUs and sizes come from the image, which is referenced by digest.

  kubernetes     Deployment, Service and, for slim, PersistentVolumeClaim
  image-volume   the weights of a fat or weights image as a volume of a vLLM image
  kserve         InferenceService (0.20)
  kubeai         Model (v1, chart 0.21) of a fat image
  compose        for docker compose
  prepull        a DaemonSet that has every node pull the image

Examples:
  weighbridge manifest ghcr.io/acme/hf-x:v0.6.0-slim --for kubernetes | kubectl apply -f -
  weighbridge manifest ghcr.io/acme/hf-x:weights --for image-volume --server vllm/vllm-openai:v0.11.0`;
