import type { Variant } from '../config/types.ts';
import { holdsWeights } from '../config/variants.ts';
import type { Digest } from '../core/digest.ts';
import { isAbort, WeighbridgeError } from '../core/errors.ts';
import type { BaseImage } from '../oci/image.ts';
import type { PlannedModel } from '../plan/types.ts';
import { checkManifestSize } from './assemble/manifest-size.ts';
import { hasSignatureFile } from './assemble/model-signature.ts';
import { checkLayerCount } from './assemble/pack-layers.ts';
import { requiredBlobs, sizesOf } from './assemble/required-blobs.ts';
import type {
  AssembledModel,
  BootstrapFile,
  ImageDraft,
  ImagePlatform,
  ModelSigner,
  Refusal,
} from './types.ts';
import type { ImageVariant } from './variants/types.ts';
import { imageVariant } from './variants/variants.ts';

/** What assembling a model's images needs from the outside. */
export interface AssembleContext {
  readonly variants: readonly Variant[];
  readonly bootstrap: readonly BootstrapFile[];
  /** Makes the model signature that images have as a file; without it, those that are there already are taken. */
  readonly modelSigner?: ModelSigner | undefined;
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
  return { planned, drafts, refused };
}

async function assembleImage(
  planned: PlannedModel,
  variant: ImageVariant,
  { bootstrap, baseImage, modelSigner, ...context }: AssembleContext,
): Promise<ImageDraft> {
  const { short, baseImage: reference, downloadRoot } = planned.model;
  const arch = variant.isForAnyPlatform ? planned.model.arch.slice(0, 1) : planned.model.arch;
  const needsHashes = modelSigner !== undefined && !holdsWeights(variant.name) && hasSignatureFile(planned);
  const hashes = needsHashes ? await modelSigner.hashes(planned) : new Map<string, string>();
  const platforms = await Promise.all(
    arch.map(async platform => {
      const pinned = planned.pin?.baseDigest;
      const base = variant.needsBase ? await baseImage(reference, platform, pinned) : undefined;
      const isAsked = base !== undefined && variant.needsPathOver?.(planned, base) === true;
      const pathOver = isAsked ? await context.pathOver(downloadRoot, base) : undefined;
      const own = { platform, base, bootstrap, pathOver, modelSigner, hashes };
      return checked(variant.assemble(planned, own), planned);
    }),
  );
  const tags = planned.tags[variant.name];
  const blobs = requiredBlobs(platforms);
  return { short, variant: variant.name, tags, platforms, blobs, sizes: sizesOf(blobs) };
}

/** Every variant counts its layers: a base image may be too deep for any image on it. */
function checked(image: ImagePlatform, { model }: PlannedModel): ImagePlatform {
  const own = image.layers.length + (image.signature === undefined ? 0 : 1);
  checkLayerCount(model.id, image.base?.layers.length ?? 0, own);
  checkManifestSize(model.id, image);
  return image;
}
