import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Variant } from '../../../config/types.ts';
import type { Digest } from '../../../core/digest.ts';
import { ConfigError } from '../../../core/errors.ts';
import { type PublishedImage, readImages, readModelFiles } from '../../../image/published-image.ts';
import { findTag } from '../../../inspect/find-tag.ts';
import { MANIFEST_KINDS, type ManifestKind, manifestText } from '../../../report/serve/manifest.ts';
import { type ServedImage, servedImage, type TaggedImage } from '../../../report/serve/served-image.ts';
import { type NamedImage, openNamedImage } from '../../image-argument.ts';
import { imageOfShort } from '../../listed-images.ts';
import { connectAsConfigured, DEFAULT_CONFIG, withConnections, withVariant } from '../../options.ts';
import { ExitStatus, runSession, type SessionOptions } from '../../session.ts';

interface ManifestCommandOptions extends SessionOptions {
  readonly config?: string;
  readonly variant?: Variant;
  readonly for: ManifestKind;
  readonly server?: string;
  readonly restricted?: boolean;
  readonly initContainer?: boolean;
  readonly namespace?: string;
  readonly gpuMemory?: number;
}

/** Adds `weighbridge manifest` to the program. */
export function addManifest(program: Command): void {
  withConnections(withVariant(program.command('manifest <image>')))
    .description('print YAML that runs a published image')
    .addOption(
      new Option('--for <what>', 'the target of the YAML').choices([...MANIFEST_KINDS]).makeOptionMandatory(),
    )
    .option('--server <image>', 'the vLLM image that mounts the weights (default: the base of the image)')
    .option(
      '--gpu-memory <GB>',
      'memory of each GPU, e.g. 24, 40, 48, 80: request as many GPUs as the model needs (default: as many as its flags use)',
      parseGigabytes,
    )
    .option('--restricted', 'comply with the restricted Pod Security Standard (fat and weights always do)')
    .option('--init-container', 'download the weights of a slim image in an init container')
    .option('--namespace <name>', 'create this namespace and put everything in it', parseNamespace)
    .addHelpText('after', HELP)
    .action((text: string, options: ManifestCommandOptions) =>
      runSession(options, async session => {
        await connectAsConfigured(session, options.config);
        const { config = DEFAULT_CONFIG } = options;
        const listed = await imageOfShort(session, text, { ...options, config });
        const named = await openNamedImage(session, listed ?? text);
        const { store, reference } = named;
        const { signal } = session;
        const top = await store.getManifest(reference, signal);
        const [image] = await readImages(store, reference, signal);
        if (top === undefined || image === undefined) throw new TypeError(`${text} has no image`);
        const files = await readModelFiles(store, image, { signal });
        const served = servedImage(image, {
          reference: `${store.name}@${top.digest}`,
          tagged: options.for === 'kubeai' ? await taggedImage(named, top.digest, image, signal) : undefined,
          repository: store.name,
          files,
        });
        checkOptions(options, served);
        const yaml = manifestText(options.for, served, {
          server: options.server,
          gpuMemoryGB: options.gpuMemory,
          isRestricted: options.restricted === true,
          hasInitContainer: options.initContainer === true,
          ...(options.namespace !== undefined && { namespace: options.namespace }),
        });
        session.progress.stop();
        if (named.isLocal)
          session.note(`${text} is on this machine alone: push it to a registry, and name it there`);
        session.print(yaml.trimEnd());
        return ExitStatus.done;
      }),
    );
}

/** An option that changes nothing would be ignored silently. Throws ConfigError USAGE. */
function checkOptions(options: ManifestCommandOptions, { variant, reference }: ServedImage): void {
  const { for: kind, server, gpuMemory, restricted, initContainer, namespace } = options;
  const isPod = kind === 'kubernetes' || kind === 'image-volume';
  const isMounted =
    kind === 'image-volume' || (variant === 'weights' && kind !== 'kserve' && kind !== 'prepull');
  const useless: readonly (readonly [option: string, isUseless: boolean])[] = [
    ['--server', server !== undefined && !isMounted],
    ['--gpu-memory', gpuMemory !== undefined && kind === 'prepull'],
    ['--restricted', restricted === true && !isPod],
    ['--init-container', initContainer === true && (kind !== 'kubernetes' || variant !== 'slim')],
    ['--namespace', namespace !== undefined && kind === 'compose'],
  ];
  const found = useless.flatMap(([option, isUseless]) => (isUseless ? [option] : []));
  if (found.length === 0) return;
  const names = found.join(' and ');
  throw new ConfigError(
    `${names} ${found.length === 1 ? 'has' : 'have'} no effect with --for ${kind} and a ${variant} image`,
    { code: 'USAGE', subject: reference, remedy: `Leave out ${names}.` },
  );
}

/** Undefined for a variant that KubeAI takes by digest. */
async function taggedImage(
  { store, reference }: NamedImage,
  digest: Digest,
  { model }: PublishedImage,
  signal: AbortSignal,
): Promise<TaggedImage | undefined> {
  if (model?.variant !== 'weights') return undefined;
  const found = await findTag(store, { reference, digest, model }, signal);
  return found && { reference: `${store.name}:${found.tag}`, isImmutable: found.isImmutable };
}

function parseGigabytes(text: string): number {
  const size = Number(text.replace(/ ?GB?$/i, ''));
  if (Number.isInteger(size) && size >= 4 && size <= 1024) return size;
  throw new InvalidArgumentError('Expected a whole number of GB from 4 to 1024, such as 24 or 80.');
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
function parseNamespace(text: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError('Expected at most 63 lower-case letters and digits, with "-" between them.');
}

const HELP = `
Flags, port, number of GPUs and sizes come from the image, which is referenced by digest (KubeAI: weights by tag). A comment says how much
GPU memory the weights and one request with the full context need, and which GPUs have that much.

A name without registry and tag is the short of a model in models.yaml (or --config): its fat image (or --variant) at the first
of its registries.

  kubernetes     Deployment, Service and, for slim, PersistentVolumeClaim
  image-volume   the weights of a fat or weights image as a volume of a vLLM image
  kserve         InferenceService (0.20)
  kubeai         Model (v1): a fat image (KubeAI 0.22), or the weights as a volume of a vLLM image (0.23.3)
  compose        a file for docker compose
  prepull        a DaemonSet that makes every node pull the image

Examples:
  weighbridge manifest ghcr.io/acme/hf-x:v0.6.0-slim --for kubernetes | kubectl apply -f -
  weighbridge manifest qwen25-05b --variant slim --for compose
  weighbridge manifest ghcr.io/acme/hf-x:weights --for image-volume --server vllm/vllm-openai:v0.11.0`;
