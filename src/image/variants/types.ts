import type { Variant } from '../../config/types.ts';
import type { BaseImage } from '../../oci/image.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { BootstrapFile, ImagePlatform, ModelSigner } from '../types.ts';

/** A kind of image. A new one is a file in this folder and a line in the table of `variants.ts`. */
export interface ImageVariant {
  /** As in models.yaml and in tags. */
  readonly name: Variant;
  /** Whether its images are built on the model's base image; `assemble` is given one then. */
  readonly needsBase: boolean;
  /** Whether it is the same for all platforms, and not an image of any. */
  readonly isForAnyPlatform?: boolean;
  /** Whether the place of its layers depends on what the base has in the folder of models; `assemble` is told then. */
  readonly needsPathOver?: (planned: PlannedModel, base: BaseImage) => boolean;
  /** Makes the image of one platform. Throws WeighbridgeError for what no target could change, such as a limit. */
  assemble(planned: PlannedModel, context: VariantContext): ImagePlatform;
}

/** What a variant is assembled with. */
export interface VariantContext {
  /** `linux/amd64` */
  readonly platform: string;
  readonly base: BaseImage | undefined;
  /** What the base has in the folder of models, as far as its small layers tell; undefined if nothing is known. */
  readonly pathOver?: string | undefined;
  readonly bootstrap: readonly BootstrapFile[];
  /** Makes the model signature that the image has as a file; undefined if this run signs nothing. */
  readonly modelSigner?: ModelSigner | undefined;
  /** The sha256 of files that a slim image lists by git ids, by path; only with `modelSigner`. */
  readonly hashes?: ReadonlyMap<string, string>;
}
