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
  /** The diff ids that the image states, by the digests that the view has in their place. */
  readonly diffIds: ReadonlyMap<string, string>;
}

/** Returns the layers of the base image: the first that are in a row and do not call themselves ours. */
export function baseView(image: LayeredImage): ImageView {
  const { start, end } = baseSpan(image);
  return viewOf(image, (_, index) => start <= index && index < end);
}

/**
 * Returns all other layers but those that are provably weights: what a layer calls itself, or does not, proves nothing.
 * `isOnBase`: whether the image names its base, which is scanned apart.
 */
export function ownView(
  image: LayeredImage,
  { plainWeights, isOnBase }: { readonly plainWeights: ReadonlySet<Digest>; readonly isOnBase: boolean },
): ImageView {
  const { start, end } = isOnBase ? baseSpan(image) : { start: 0, end: 0 };
  return viewOf(image, (layer, index) => (index < start || end <= index) && !plainWeights.has(layer.digest));
}

/** The one row of the base: it is above or below our own layers, and never among them. */
function baseSpan({ layers }: LayeredImage): { readonly start: number; readonly end: number } {
  const first = layers.findIndex(layer => kindOf(layer) === undefined);
  const start = first === -1 ? layers.length : first;
  const length = layers.slice(start).findIndex(layer => kindOf(layer) !== undefined);
  return { start, end: length === -1 ? layers.length : start + length };
}

function viewOf(image: LayeredImage, isSeen: (layer: Descriptor, index: number) => boolean): ImageView {
  const seen = image.layers.map(isSeen);
  const pick = <T>(items: readonly T[]): T[] => items.filter((_, index) => seen[index]);
  const { history } = image.config;
  const config = documentOf(MediaType.ociConfig, {
    ...image.config,
    // Trivy keeps what it has found in a layer under its diff id, which no one checks; the digest is checked.
    rootfs: { type: 'layers', diff_ids: pick(image.layers).map(layer => layer.digest) },
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
  const stated = image.config.rootfs.diff_ids;
  const diffIds = new Map(
    image.layers.map(({ digest }, index) => [digest as string, stated[index] ?? digest]),
  );
  return { manifest, config, layers, diffIds };
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
