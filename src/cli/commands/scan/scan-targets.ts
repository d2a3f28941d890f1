import type { Config, ModelConfig, Variant } from '../../../config/types.ts';
import { hasServer } from '../../../config/variants.ts';
import { ConfigError, errorToJson, isAbort, WeighbridgeError } from '../../../core/errors.ts';
import { type PublishedImage, readImages } from '../../../image/published-image.ts';
import { parseReference } from '../../../oci/reference.ts';
import { firstFixedTag } from '../../../plan/tags.ts';
import { chooseTargets } from '../../../plan/targets.ts';
import { readPublishJson } from '../../../report/json/read-documents.ts';
import type { ScanFailureJson } from '../../../report/json/scan-json.ts';
import type { ScannedImage } from '../../../scan/scan-image.ts';
import type { ImageStore } from '../../../store/image-store.ts';
import { type CommonOptions, chooseModels } from '../../options.ts';
import type { Session } from '../../session.ts';

/** Where an image may be: one registry's repository, and its tag or digest there. */
interface Place {
  readonly id: string;
  readonly short: string;
  readonly variant: string;
  readonly repository: string;
  readonly reference: string;
}

/** An image to scan, and every store that has it: their digests are one. */
export interface ScanTarget {
  readonly image: ScannedImage;
  readonly stores: readonly ImageStore[];
}

/** Returns those that a publish has told of, by digest. */
export async function publishedPlaces(file: string): Promise<Place[]> {
  const { models } = await readPublishJson(file);
  return models.flatMap(({ id, short, images }) =>
    images.flatMap(({ variant, tags: [tag], digest, status }) => {
      const isThere = status === 'published' || status === 'unchanged';
      if (!isThere || tag === undefined || digest === undefined) return [];
      return [{ id, short, variant, repository: repositoryOf(tag), reference: digest }];
    }),
  );
}

/** Returns those that models.yaml tells of, by the tag that needs no question to the Hub. */
export function configuredPlaces(session: Session, config: Config, options: CommonOptions): Place[] {
  return chooseModels(config, options.model, options.shard).flatMap(model => {
    const choice = { overrides: options.registry ?? {}, env: session.env };
    const { targets } = chooseTargets(config, model, choice);
    return targets.flatMap(({ repository }) =>
      model.variants.filter(hasServer).map(variant => ({
        id: model.id,
        short: model.short,
        variant,
        repository,
        reference: tagOf(model, variant),
      })),
    );
  });
}

/**
 * Reads the images that exist and returns them; a place without an image is not an error, since not every variant is
 * published. One that cannot be read is a failure of its own. Throws InterruptedError.
 */
export async function readTargets(
  session: Session,
  places: readonly Place[],
): Promise<{ readonly targets: ScanTarget[]; readonly failures: ScanFailureJson[] }> {
  const found = new Map<string, { image: ScannedImage; stores: ImageStore[] }>();
  const failures: ScanFailureJson[] = [];
  for (const place of places) {
    const { id, short, variant, repository, reference } = place;
    const store = session.services.openRepository(repository, 'push');
    let images: readonly PublishedImage[];
    try {
      if ((await store.getManifest(reference, session.signal)) === undefined) continue;
      images = await readImages(store, reference, session.signal);
    } catch (error) {
      if (isAbort(error) || session.signal.aborted || !(error instanceof WeighbridgeError)) throw error;
      failures.push({ short, variant, error: errorToJson(error) });
      continue;
    }
    for (const image of images) {
      const { digest, platform, config, labels, manifest, model } = image;
      const known = found.get(digest);
      const references = [...(known?.image.references ?? []), `${store.name}@${digest}`];
      const scanned = {
        id,
        short,
        variant,
        digest,
        platform,
        config,
        labels,
        modelDir: model?.dir,
        layers: manifest.layers,
        references,
      };
      found.set(digest, { image: scanned, stores: [...(known?.stores ?? []), store] });
    }
  }
  return { targets: [...found.values()], failures };
}

function tagOf(model: ModelConfig, variant: Variant): string {
  const tag = firstFixedTag(model, variant);
  if (tag !== undefined) return tag;
  throw new ConfigError(`${model.short}: every tag of it has {revision}, which only the Hub knows`, {
    code: 'USAGE',
    subject: model.id,
    remedy: 'Publish with --result <file> and scan with --published <file>.',
  });
}

function repositoryOf(tag: string): string {
  const { registry, repository } = parseReference(tag);
  return `${registry}/${repository}`;
}
