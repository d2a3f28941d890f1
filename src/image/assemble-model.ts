import type { Variant } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import { isAbort, WeighbridgeError } from '../core/errors.ts';
import type { BaseImage } from '../oci/image.ts';
import type { PlannedModel } from '../plan/types.ts';
import { layersKnownBefore } from './assemble/known-layers.ts';
import { checkManifestSize } from './assemble/manifest-size.ts';
import { checkLayerCount } from './assemble/pack-layers.ts';
import { requiredBlobs, sizesOf } from './assemble/required-blobs.ts';
import type { AssembledModel, BootstrapFile, ImageDraft, ImagePlatform, Refusal } from './types.ts';
import type { ImageVariant } from './variants/types.ts';
import { imageVariant } from './variants/variants.ts';

/** What assembling a model's images needs from the outside. */
export interface AssembleContext {
  readonly variants: readonly Variant[];
  readonly bootstrap: readonly BootstrapFile[];
  /** Reads a base image's manifest and config; `platform`: `linux/amd64`. */
  readonly baseImage: (reference: string, platform: string, pinned?: Digest) => Promise<BaseImage>;
  /** Returns what a base has in a folder (`/models`), as far as its small layers tell. */
  readonly pathOver: (root: string, base: BaseImage) => Promise<string | undefined>;
}

/**
 * Joins a planned model with its base images. Returns every image, layer and blob that a publish would bring to its
 * targets. A variant that cannot be built, because its base is missing or a limit is exceeded, is refused and the
 * others go on. Throws InterruptedError.
 */
export async function assembleModel(
  planned: PlannedModel,
  context: AssembleContext,
): Promise<AssembledModel> {
  const drafts: ImageDraft[] = [];
  const refused: Refusal[] = [];
  for (const variant of context.variants) {
    if (!planned.outcome.decisions[variant].build) continue;
    try {
      drafts.push(await assembleImage(planned, imageVariant(variant), context));
    } catch (error) {
      if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
      refused.push({ variant, error });
    }
  }
  return { planned, drafts, refused, known: layersKnownBefore(drafts) };
}

async function assembleImage(
  planned: PlannedModel,
  variant: ImageVariant,
  { bootstrap, baseImage, ...context }: AssembleContext,
): Promise<ImageDraft> {
  const { short, baseImage: reference, downloadRoot } = planned.model;
  const arch = variant.isForAnyPlatform ? planned.model.arch.slice(0, 1) : planned.model.arch;
  const platforms = await Promise.all(
    arch.map(async platform => {
      const pinned = planned.pin?.baseDigest;
      const base = variant.needsBase ? await baseImage(reference, platform, pinned) : undefined;
      const isAsked = base !== undefined && variant.needsPathOver?.(planned, base) === true;
      const pathOver = isAsked ? await context.pathOver(downloadRoot, base) : undefined;
      return checked(variant.assemble(planned, { platform, base, bootstrap, pathOver }), planned);
    }),
  );
  const tags = planned.tags[variant.name];
  const blobs = requiredBlobs(platforms);
  return { short, variant: variant.name, tags, platforms, blobs, sizes: sizesOf(blobs) };
}

/** Every variant counts its layers: a base image may be too deep for any image on it. */
function checked(image: ImagePlatform, { model }: PlannedModel): ImagePlatform {
  checkLayerCount(model.id, image.base?.layers.length ?? 0, image.layers.length);
  checkManifestSize(model.id, image);
  return image;
}
