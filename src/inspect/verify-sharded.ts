import { IntegrityError } from '../core/errors.ts';
import type { ByteSpan, Hub, ModelSnapshot } from '../hub/types.ts';
import { readPart } from '../image/format/layer-annotations.ts';
import { type ReadOptions, readLayer } from '../image/image-content.ts';
import type { ListedFile, PublishedImage } from '../image/published-image.ts';
import { PartHash, sourceHash } from '../layer/content-hash.ts';
import { partContentId } from '../layer/recipe.ts';
import { partsAt } from '../layer/reshard-safetensors.ts';
import type { Descriptor } from '../oci/types.ts';
import { readHeader, toSharded } from '../plan/split/reshard-files.ts';
import { rewriteIndexes, type TensorPlaces } from '../plan/split/rewrite-indexes.ts';
import type { RewrittenIndex, ShardSlice } from '../plan/types.ts';
import type { ImageStore } from '../store/image-store.ts';

/** What an image should have in place of the repository's files that it has in parts. */
export interface ExpectedParts {
  readonly shardings: readonly ExpectedSharding[];
  readonly indexes: readonly RewrittenIndex[];
}

/** One file of the repository, as the layers that have its parts, in order. */
export interface ExpectedSharding {
  readonly places: TensorPlaces;
  readonly layers: readonly Descriptor[];
}

/**
 * Makes the parts once more that the image says it has: from the Hub's own header, cut at the places that the image
 * states. Returns those that can be made; the image's other parts then count as files that the repository does not
 * have.
 */
export async function expectParts(
  { manifest }: PublishedImage,
  paths: ReadonlySet<string>,
  context: { readonly hub: Hub; readonly snapshot: ModelSnapshot; readonly signal?: AbortSignal | undefined },
): Promise<ExpectedParts> {
  const claims = manifest.layers.flatMap(layer => {
    const part = readPart(layer);
    return part === undefined ? [] : [{ layer, part }];
  });
  const shardings: ExpectedSharding[] = [];
  for (const [path, found] of Map.groupBy(claims, ({ part }) => part.source)) {
    const sorted = found.toSorted((a, b) => a.part.start - b.part.start);
    const places = await reshardAt(
      path,
      sorted.map(({ part }) => part),
      context,
    );
    if (places !== undefined) shardings.push({ places, layers: sorted.map(({ layer }) => layer) });
  }
  if (shardings.length === 0) return { shardings, indexes: [] };
  const sources = new Set(shardings.map(({ places }) => places.file.source.path));
  const files = context.snapshot.files.filter(({ path }) => paths.has(path) || sources.has(path));
  const indexes = await rewriteIndexes(
    shardings.map(({ places }) => places),
    files,
    context,
  );
  return { shardings, indexes };
}

async function reshardAt(
  path: string,
  spans: readonly ByteSpan[],
  context: Parameters<typeof expectParts>[2],
): Promise<TensorPlaces | undefined> {
  const file = context.snapshot.files.find(candidate => candidate.path === path);
  if (file === undefined) return undefined;
  const { bytes, header } = await readHeader(file, context);
  const parts = partsAt(header, spans);
  return parts && toSharded(file, bytes, parts);
}

/** Whether a part is what the manifest says, which names the file, the span and the header. */
export function isPartListed(
  { source }: TensorPlaces['file'],
  part: ShardSlice,
  listed: ListedFile | undefined,
): boolean {
  return listed?.partId === partContentId({ source, ...part }) && listed.sizeBytes === part.sizeBytes;
}

/**
 * Reads all parts of a file and returns their files: each has the header that it should have, and the data of all is
 * that of the file, which shows in its hash. Throws IntegrityError INTEGRITY_HASH if not.
 */
export async function readParts(
  store: ImageStore,
  { places, layers }: ExpectedSharding,
  folder: string,
  optionsOf: (layer: Descriptor) => ReadOptions & { readonly onEnd?: () => void },
): Promise<ListedFile[]> {
  const { source, parts } = places.file;
  const whole = sourceHash({ source });
  const files: ListedFile[] = [];
  for (const [index, part] of parts.entries()) {
    const layer = layers[index] as Descriptor;
    const hash = new PartHash(part, whole);
    const head: Uint8Array[] = [];
    let left = part.header.length;
    const { onEnd, ...options } = optionsOf(layer);
    const read = await readLayer(store, layer, {
      ...options,
      onContent(path, bytes) {
        if (path !== `${folder}/${part.path}`) return;
        hash.update(bytes);
        if (left > 0) head.push(Uint8Array.prototype.slice.call(bytes, 0, left));
        left -= Math.min(left, bytes.length);
      },
    });
    for (const file of read.files) files.push(file);
    onEnd?.();
    const sizeBytes = read.files.find(({ path }) => path === `${folder}/${part.path}`)?.sizeBytes;
    if (sizeBytes !== part.sizeBytes || Buffer.compare(Buffer.concat(head), part.header) !== 0) {
      throw new IntegrityError(`${part.path} has another size or header than its tensors need`, {
        code: 'INTEGRITY_HASH',
        subject: part.path,
      });
    }
  }
  whole.finish();
  return files;
}
