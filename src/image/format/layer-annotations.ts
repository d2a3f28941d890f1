import { type Digest, isDigest, isSha256Hex } from '../../core/digest.ts';
import { LAYER_KIND_ANNOTATION, type LayerRecipe } from '../../layer/recipe.ts';
import { layerKey, layOut } from '../../layer/tar-layout.ts';
import { type Annotations, type Descriptor, MediaType } from '../../oci/types.ts';

/** What a layer of ours says of itself in the manifest, so that a later publish finds it and what is in it again. */
const KEY = 'io.weighbridge.layer.key';
const FILES = 'io.weighbridge.files';
const FILE_PATH = 'io.weighbridge.file.path';
const FILE_SHA256 = 'io.weighbridge.file.sha256';
/** Of a part of a divided file: that file's path in the repository, and which of its bytes (`bytes 0-99/1000`). */
const FILE_SOURCE = 'io.weighbridge.file.source';
const FILE_RANGE = 'io.weighbridge.file.range';
/** ModelPack's name for the same, for tools that know it; https://github.com/modelpack/model-spec */
const MODELPACK_PATH = 'org.cncf.model.filepath';

/** A file inside a published layer. */
export interface PublishedFile {
  /** Path in the image without leading slash. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Where its content starts in the layer's tar. */
  readonly offset: number;
  /** As in the recipe that made it: `sha256:…` or `git:…`. */
  readonly contentId: string;
  readonly sha256: string;
}

/** A layer whose digest is known, and with it where to find each of its files. */
export interface KnownLayer {
  readonly key: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly files: readonly PublishedFile[];
}

/** Joins a recipe with what hashing it has shown. `sha256Of` gives the content's sha256 by path. */
export function knownLayer(
  recipe: LayerRecipe,
  digest: Digest,
  sha256Of: ReadonlyMap<string, string>,
): KnownLayer {
  const layout = layOut(recipe);
  const offsets = new Map(
    layout.segments.flatMap(s => (s.kind === 'content' ? [[s.entry.path, s.start] as const] : [])),
  );
  return {
    key: layerKey(recipe),
    digest,
    sizeBytes: layout.sizeBytes,
    files: recipe.entries.map(entry => ({
      path: entry.path,
      sizeBytes: entry.sizeBytes,
      offset: offsets.get(entry.path) ?? 0,
      contentId: entry.contentId,
      sha256: sha256Of.get(entry.path) as string,
    })),
  };
}

export function layerDescriptor(recipe: LayerRecipe, layer: KnownLayer): Descriptor {
  const origin = recipe.entries.length === 1 ? recipe.entries[0]?.origin : undefined;
  const annotations: Annotations = {
    [KEY]: layer.key,
    [LAYER_KIND_ANNOTATION]: recipe.kind,
    ...(origin !== undefined &&
      origin.kind !== 'inline' && {
        [FILE_PATH]: origin.path,
        [FILE_SHA256]: layer.files[0]?.sha256 as string,
        [MODELPACK_PATH]: origin.path,
      }),
    ...(origin?.kind === 'part' && {
      [FILE_SOURCE]: origin.source.path,
      [FILE_RANGE]: `bytes ${origin.start}-${origin.end - 1}/${origin.source.sizeBytes}`,
    }),
    [FILES]: JSON.stringify(layer.files.map(f => [f.path, f.sizeBytes, f.offset, f.contentId, f.sha256])),
  };
  return { mediaType: MediaType.ociLayerTar, digest: layer.digest, size: layer.sizeBytes, annotations };
}

/** The layer a descriptor describes, if it is one of ours; anything odd about it makes it a stranger's. */
export function readLayerDescriptor(descriptor: Descriptor): KnownLayer | undefined {
  const key = descriptor.annotations?.[KEY];
  const filesText = descriptor.annotations?.[FILES];
  if (!isSha256Hex(key) || filesText === undefined || !isDigest(descriptor.digest)) return undefined;
  const files = readFiles(filesText, descriptor.size);
  return files && { key, digest: descriptor.digest, sizeBytes: descriptor.size, files };
}

/** What a layer that is one part of a divided file says of it; undefined for all others, and where it is odd. */
export interface PublishedPart {
  /** The divided file's path in the repository. */
  readonly source: string;
  readonly sourceBytes: number;
  /** Of the divided file: first byte, and first byte that is not of the part. */
  readonly start: number;
  readonly end: number;
}

export function readPart({ annotations }: Descriptor): PublishedPart | undefined {
  const source = annotations?.[FILE_SOURCE];
  const numbers = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(annotations?.[FILE_RANGE] ?? '');
  if (source === undefined || numbers === null) return undefined;
  const [start = 0, last = 0, sourceBytes = 0] = numbers.slice(1).map(Number);
  return start <= last && last < sourceBytes ? { source, sourceBytes, start, end: last + 1 } : undefined;
}

/** What kind of layer a descriptor of ours describes; undefined for a base image's. */
export function layerKindOf({ annotations }: Descriptor): LayerRecipe['kind'] | undefined {
  const kind = annotations?.[LAYER_KIND_ANNOTATION];
  return KINDS.find(known => known === kind);
}

const KINDS: readonly LayerRecipe['kind'][] = ['weights', 'files', 'bootstrap', 'licenses'];

function readFiles(text: string, layerSize: number): PublishedFile[] | undefined {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(rows)) return undefined;
  const files: PublishedFile[] = [];
  for (const row of rows) {
    if (!Array.isArray(row)) return undefined;
    const [path, sizeBytes, offset, contentId, sha256] = row;
    const isValid =
      typeof path === 'string' &&
      typeof contentId === 'string' &&
      isSha256Hex(sha256) &&
      Number.isSafeInteger(sizeBytes) &&
      Number.isSafeInteger(offset) &&
      sizeBytes >= 0 &&
      offset >= 0 &&
      offset + sizeBytes <= layerSize;
    if (!isValid) return undefined;
    files.push({ path, sizeBytes, offset, contentId, sha256 });
  }
  return files;
}
