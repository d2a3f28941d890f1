import type { Command } from 'commander';
import type { Variant } from '../../../config/types.ts';
import { readImages, readModelFiles } from '../../../image/published-image.ts';
import { type InspectedImage, inspectToJson } from '../../../report/json/inspect-json.ts';
import { inspectText } from '../../../report/text/inspect-report.ts';
import { listReferrers } from '../../../store/referrers.ts';
import { openNamedImage } from '../../image-argument.ts';
import { imageOfShort } from '../../listed-images.ts';
import {
  connectAsConfigured,
  DEFAULT_CONFIG,
  withConnections,
  withJson,
  withVariant,
} from '../../options.ts';
import { ExitStatus, runSession, type SessionOptions } from '../../session.ts';

interface InspectOptions extends SessionOptions {
  readonly config?: string;
  readonly variant?: Variant;
  readonly files?: boolean;
}

/** Adds `weighbridge inspect` to the program. */
export function addInspect(program: Command): void {
  withConnections(withJson(withVariant(program.command('inspect <image>'))))
    .description('show what an image contains: model, base, layers by kind, license, how to run it')
    .option('--files', "list the model's files with their hashes")
    .addHelpText(
      'after',
      `
Reads only the manifest, the config and a slim image's list of files. A name without registry and tag is the short of a model
in models.yaml (or --config): its fat image (or --variant) at the first of its registries.

Examples:
  weighbridge inspect ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge inspect qwen25-05b --variant slim         a model of models.yaml
  weighbridge inspect oci:out:v0.6.0-slim               an image from \`build --output oci:out\`
  weighbridge inspect docker-archive:fat.tar            an image from \`build --output docker-archive:fat.tar\``,
    )
    .action((text: string, options: InspectOptions) =>
      runSession(options, async session => {
        await connectAsConfigured(session, options.config);
        const listed = await imageOfShort(session, text, {
          ...options,
          config: options.config ?? DEFAULT_CONFIG,
        });
        const { store, reference, name } = await openNamedImage(session, listed ?? text);
        const images: InspectedImage[] = [];
        for (const image of await readImages(store, reference, session.signal)) {
          const { signal } = session;
          const files = await readModelFiles(store, image, { signal });
          images.push({ image, files, referrers: await listReferrers(store, image.digest, { signal }) });
        }
        const inspection = { reference: name, repository: store.name, images };
        session.progress.stop();
        if (session.isJson) session.print(JSON.stringify(inspectToJson(inspection), null, 2));
        else
          session.print(
            inspectText(inspection, { ...session.stdout, isListingFiles: options.files === true }),
          );
        return ExitStatus.done;
      }),
    );
}
