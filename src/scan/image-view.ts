import { type Digest, digestOf } from '../core/digest.ts';
import { LayerAnnotation, ScanAnnotation } from '../image/format/labels.ts';
import type { LayerKind } from '../layer/recipe.ts';
import type { Document } from '../oci/image.ts';
import {
  type Annotations,
  type Descriptor,
  type HistoryEntry,
  type ImageConfig,
  type Manifest,
  MediaType,
} from '../oci/types.ts';

/** One platform's image as a registry has it. */
export interface LayeredImage {
  readonly layers: readonly Descriptor[];
  readonly config: ImageConfig;
}

/**
 * A part of an image that a scanner takes for an image. Weights hold no packages, so that gigabytes of them need no scan;
 * the manifest says what was left out.
 */
export interface ImageView {
  readonly manifest: Document;
  readonly config: Document;
  readonly layers: readonly Descriptor[];
}

/** Returns the layers of the base image, the same for all images on it. */
export function baseView(image: LayeredImage): ImageView {
  return viewOf(image, layer => kindOf(layer) === undefined);
}

/** Returns the layers that are ours, without those that are provably weights: what a layer calls itself proves nothing. */
export function ownView(image: LayeredImage, plainWeights: ReadonlySet<Digest>): ImageView {
  return viewOf(image, layer => kindOf(layer) !== undefined && !plainWeights.has(layer.digest));
}

function viewOf(image: LayeredImage, isSeen: (layer: Descriptor) => boolean): ImageView {
  const seen = image.layers.map(isSeen);
  const pick = <T>(items: readonly T[]): T[] => items.filter((_, index) => seen[index]);
  const { rootfs, history } = image.config;
  const config = documentOf(MediaType.ociConfig, {
    ...image.config,
    rootfs: { type: 'layers', diff_ids: pick(rootfs.diff_ids) },
    ...(history === undefined ? {} : { history: historyOf(history, seen) }),
  } satisfies ImageConfig);
  const leftOut = image.layers.filter((_, index) => !seen[index]).map(layer => layer.digest);
  const annotations: Annotations = { [ScanAnnotation.leftOut]: leftOut.join(' ') };
  // A scanner needs no annotations of layers, which list every file of a model.
  const layers = pick(image.layers).map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const manifest = documentOf(MediaType.ociManifest, {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: config.descriptor,
    layers,
    annotations,
  } satisfies Manifest);
  return { manifest, config, layers };
}

/** Steps that made no layer stay with the base, whose they are. */
function historyOf(history: readonly HistoryEntry[], seen: readonly boolean[]): HistoryEntry[] {
  let index = 0;
  return history.filter(entry => (entry.empty_layer === true ? seen[0] : seen[index++]));
}

function kindOf({ annotations }: Descriptor): LayerKind | undefined {
  return annotations?.[LayerAnnotation.kind] as LayerKind | undefined;
}

function documentOf(mediaType: string, value: object): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
