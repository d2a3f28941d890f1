import type { Variant } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import type { WeighbridgeError } from '../core/errors.ts';
import type { LayerSpec } from '../layer/layer-spec.ts';
import type { SliceSource } from '../layer/recipe.ts';
import type { BaseImage, BuiltImage, Document } from '../oci/image.ts';
import type { Annotations, Descriptor, Platform } from '../oci/types.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ResolvedLayer } from './format/layer-annotations.ts';
import type { SizesByKind } from './format/layer-kinds.ts';

/** Every image of a planned model, as far as it is known before any layer has been found or made. */
export interface AssembledModel {
  readonly planned: PlannedModel;
  readonly drafts: readonly ImageDraft[];
  /** Variants that the policy lets be built and that cannot be; no target is to blame. */
  readonly refused: readonly Refusal[];
}

/** Why an image is not assembled. */
export interface Refusal {
  readonly variant: Variant;
  /** The missing base image or platform, or the limit that would be exceeded. */
  readonly error: WeighbridgeError;
}

/** One variant of a model, for all of its platforms. */
export interface ImageDraft {
  readonly short: string;
  readonly variant: Variant;
  /** Without repository. */
  readonly tags: readonly string[];
  readonly platforms: readonly ImagePlatform[];
  /** In the order of the image, each once; its config is made last and is not among them. */
  readonly blobs: readonly RequiredBlob[];
  /** Bytes of the blobs by kind of layer. */
  readonly sizes: SizesByKind;
}

/** The image of one platform. */
export interface ImagePlatform {
  /** Undefined for a variant that needs no base image. */
  readonly base: BaseImage | undefined;
  readonly platform: Platform;
  /** What the image adds to its base, in order. */
  readonly layers: readonly LayerSpec[];
  /** Of the config and the manifest; an index over several platforms has them too. */
  readonly labels: Annotations;
  /** Absent if the image does not have its model signature as a file. */
  readonly signature?: SignatureSpec;
  /** Makes config and manifest, once each of `layers` is known; the layer of the signature comes after them. */
  seal(layers: readonly SealedLayer[]): BuiltImage;
}

/** The model signature as a file. It is about files of the other layers, so its layer is made when those are known. */
export interface SignatureSpec {
  /** As of a layer: the same if it is about the same files. */
  readonly key: string;
  /** Path in the image without leading slash. */
  readonly path: string;
  /** As of a recipe. */
  readonly root: string;
  /** Returns the signature; absent if nothing signs, and only a layer that is there already can be taken. */
  readonly sign?: (layers: readonly SealedLayer[]) => string;
}

/** Makes the model signature that images have as a file. */
export interface ModelSigner {
  /** Returns the sha256 of files that the Hub lists by git ids, by path. Throws HubError, IntegrityError. */
  hashes(planned: PlannedModel): Promise<ReadonlyMap<string, string>>;
  /** Returns the signature of files, in JSON: always the same text for the same files. */
  sign(name: string, files: readonly SignedFile[]): string;
}

/** A file by its path below the model's folder. */
export interface SignedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string | undefined;
}

/** Returns a layer by its key; undefined if it is not known. */
export type LayerOf = (key: string) => ResolvedLayer | undefined;

/** A layer of an image whose digest is known. */
export interface SealedLayer {
  readonly spec: Pick<LayerSpec, 'recipe'>;
  readonly layer: ResolvedLayer;
}

/** A blob that images need at their targets. */
export type RequiredBlob = BaseBlob | OwnLayerBlob;

interface CommonBlob {
  /** The digest of a base layer, the key of one of our own. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly sizeBytes: number;
}

/** A layer of the base image, which exists elsewhere. */
export interface BaseBlob extends CommonBlob {
  readonly kind: 'base';
  readonly digest: Digest;
  readonly descriptor: Descriptor;
  /** The repository that holds it: `docker.io/vllm/vllm-openai`. */
  readonly storeName: string;
}

/** A layer that we make; its digest may not be known yet. */
export interface OwnLayerBlob extends CommonBlob {
  readonly kind: 'own';
  readonly layer: LayerSpec;
  /** The slice of a sharded file that the layer holds and nothing else; undefined for all other layers. */
  readonly slice: SliceSource | undefined;
}

/** An image with all of its digests: what tags will name, and what has to exist for that. */
export interface SealedImage {
  /** The manifest, or the index over several platforms. */
  readonly top: Document;
  readonly images: readonly BuiltImage[];
  /** Layers that were made with the image, each once: a publish puts them where it puts configs. */
  readonly made: readonly Document[];
}

/** A file of the slim image's bootstrap. */
export interface BootstrapFile {
  /** Below its folder in the image, with `/`: `bootstrap`. */
  readonly path: string;
  readonly text: string;
  readonly isExecutable: boolean;
}
