import { type Digest, isDigest, isSha256Hex } from '../../core/digest.ts';
import { parseJson } from '../../core/json-shape.ts';
import type { LayerSpec } from '../../layer/layer-spec.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { type Annotations, type Descriptor, MediaType } from '../../oci/types.ts';
import { LayerAnnotation } from './labels.ts';
import { LAYER_KINDS } from './layer-kinds.ts';

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
export interface ResolvedLayer {
  readonly key: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly files: readonly PublishedFile[];
}

/** Returns a layer joined with what hashing it has shown. `sha256Of` gives the content's sha256 by path. */
export function resolvedLayer(
  { recipe, layout, key }: LayerSpec,
  digest: Digest,
  sha256Of: ReadonlyMap<string, string>,
): ResolvedLayer {
  const offsets = new Map(
    layout.segments.flatMap(s => (s.kind === 'content' ? [[s.entry.path, s.start] as const] : [])),
  );
  return {
    key,
    digest,
    sizeBytes: layout.sizeBytes,
    // Links have no content that anybody could need again.
    files: recipe.entries
      .filter(entry => entry.linkTarget === undefined)
      .map(entry => ({
        path: entry.path,
        sizeBytes: entry.sizeBytes,
        offset: offsets.get(entry.path) ?? 0,
        contentId: entry.contentId,
        sha256: sha256Of.get(entry.path) as string,
      })),
  };
}

/** Returns the descriptor of a layer, with annotations that name the files in it. */
export function layerDescriptor(recipe: LayerRecipe, layer: ResolvedLayer): Descriptor {
  const content = recipe.entries.length === 1 ? recipe.entries[0]?.content : undefined;
  const annotations: Annotations = {
    [LayerAnnotation.key]: layer.key,
    [LayerAnnotation.kind]: recipe.kind,
    ...(content !== undefined &&
      content.kind !== 'inline' && {
        [LayerAnnotation.filePath]: content.path,
        [LayerAnnotation.fileSha256]: layer.files[0]?.sha256 as string,
        [LayerAnnotation.modelpackPath]: content.path,
      }),
    ...(content?.kind === 'part' && {
      [LayerAnnotation.fileSource]: content.source.path,
      [LayerAnnotation.fileRange]: `bytes ${content.start}-${content.end - 1}/${content.source.sizeBytes}`,
    }),
    [LayerAnnotation.files]: JSON.stringify(
      layer.files.map(f => [f.path, f.sizeBytes, f.offset, f.contentId, f.sha256]),
    ),
  };
  return { mediaType: MediaType.ociLayerTar, digest: layer.digest, size: layer.sizeBytes, annotations };
}

/** Returns the layer a descriptor describes, if it is one of our own; anything odd about it makes it a stranger's. */
export function readLayerDescriptor(descriptor: Descriptor): ResolvedLayer | undefined {
  const key = descriptor.annotations?.[LayerAnnotation.key];
  const filesText = descriptor.annotations?.[LayerAnnotation.files];
  if (!isSha256Hex(key) || filesText === undefined || !isDigest(descriptor.digest)) return undefined;
  const files = readFiles(filesText, descriptor.size);
  return files && { key, digest: descriptor.digest, sizeBytes: descriptor.size, files };
}

/** What a layer that is one part of a divided file says of it; undefined for all others, and if it is odd. */
export interface PublishedPart {
  /** The divided file's path in the repository. */
  readonly source: string;
  readonly sourceBytes: number;
  /** Of the divided file: first byte, and first byte that is not of the part. */
  readonly start: number;
  readonly end: number;
}

/** Returns which part of a divided file a layer is; undefined if it is none. */
export function readPart({ annotations }: Descriptor): PublishedPart | undefined {
  const source = annotations?.[LayerAnnotation.fileSource];
  const numbers = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(
    annotations?.[LayerAnnotation.fileRange] ?? '',
  );
  if (source === undefined || numbers === null) return undefined;
  const [start = 0, last = 0, sourceBytes = 0] = numbers.slice(1).map(Number);
  return start <= last && last < sourceBytes ? { source, sourceBytes, start, end: last + 1 } : undefined;
}

/** Returns what kind of layer one of our descriptors describes; undefined for a base image's. */
export function layerKindOf({ annotations }: Descriptor): LayerRecipe['kind'] | undefined {
  const kind = annotations?.[LayerAnnotation.kind];
  return OWN_KINDS.find(known => known === kind);
}

const OWN_KINDS = LAYER_KINDS.filter(kind => kind !== 'base');

function readFiles(text: string, layerSize: number): PublishedFile[] | undefined {
  let rows: unknown;
  try {
    rows = parseJson(text);
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
