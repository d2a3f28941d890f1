import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { extract } from 'tar-stream';
import { readAll } from '../../core/byte-source.ts';
import { digestOf } from '../../core/digest.ts';
import { IntegrityError } from '../../core/errors.ts';
import { table } from '../../core/table.ts';
import type { BaseImage } from '../../oci/image.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import type { ImageStore } from '../../store/image-store.ts';

/** Larger layers hold software, and are not read for this: they are most of what a base image has. */
const MAX_LAYER_BYTES = 1024 * 1024;
const MAX_READ_BYTES = 16 * MAX_LAYER_BYTES;
const MAX_UNPACKED_BYTES = 32 * MAX_LAYER_BYTES;

/**
 * Returns the first path in the small layers of a base image that would hide or replace what is in `root` (`/models`)
 * below them: something of that folder, a whiteout of it, or another thing where it should be. Undefined if these
 * layers have none; the large ones are not read. Throws RegistryError, IntegrityError INTEGRITY_HASH.
 */
export async function pathOver(
  root: string,
  base: Pick<BaseImage, 'layers' | 'reference'>,
  { store, signal }: { readonly store: ImageStore; readonly signal?: AbortSignal | undefined },
): Promise<string | undefined> {
  let left = MAX_READ_BYTES;
  for (const layer of base.layers) {
    if (layer.size > Math.min(MAX_LAYER_BYTES, left)) continue;
    left -= layer.size;
    const bytes = await readAll(store.openBlob(layer), MAX_LAYER_BYTES, signal);
    if (digestOf(bytes) !== layer.digest) {
      throw new IntegrityError(`a layer of base image ${base.reference} is not what its manifest says`, {
        code: 'INTEGRITY_HASH',
        subject: base.reference,
      });
    }
    const tar = await unpacked(layer, bytes);
    const path = tar && (await firstOver(root, tar));
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The tar of a layer; undefined if it is in a form that is not known, or too large for a layer that was so small. */
async function unpacked({ mediaType }: Descriptor, bytes: Buffer): Promise<Buffer | undefined> {
  const unpack = UNPACK[mediaType];
  return await unpack?.(bytes).catch(() => undefined);
}

const LIMIT = { maxOutputLength: MAX_UNPACKED_BYTES };
const unzip = (bytes: Buffer): Promise<Buffer> => promisify(gunzip)(bytes, LIMIT);
const UNPACK = table<(bytes: Buffer) => Promise<Buffer>>({
  [MediaType.ociLayerTar]: async bytes => bytes,
  [MediaType.dockerLayerTar]: async bytes => bytes,
  [MediaType.ociLayerGzip]: unzip,
  [MediaType.dockerLayerGzip]: unzip,
  [MediaType.ociLayerZstd]: bytes => promisify(zstdDecompress)(bytes, LIMIT),
});

async function firstOver(root: string, tar: Buffer): Promise<string | undefined> {
  const reader = extract();
  Readable.from([tar]).pipe(reader);
  let folder: string | undefined;
  try {
    for await (const entry of reader) {
      const { name, type } = entry.header;
      entry.resume();
      const isFolder = type === 'directory';
      if (!isOver(root, name, isFolder)) continue;
      // What is in a folder says more than the folder does.
      if (!isFolder) return `/${plainPath(name)}`;
      folder ??= `/${plainPath(name)}`;
    }
  } catch {
    // What is not a tar has no paths; a runtime will not take it either.
  }
  return folder;
}

/** Whether an entry of a layer changes what a lower layer has in `root`. */
export function isOver(root: string, name: string, isFolder: boolean): boolean {
  const path = plainPath(name);
  const [folder, last] = [path.slice(0, Math.max(0, path.lastIndexOf('/'))), path.split('/').at(-1) ?? ''];
  const own = root.slice(1);
  if (last === OPAQUE) return isIn(own, folder) || isIn(folder, own);
  const hidden = last.startsWith(WHITEOUT)
    ? [folder, last.slice(WHITEOUT.length)].filter(Boolean).join('/')
    : undefined;
  if (hidden !== undefined) return isIn(own, hidden) || isIn(hidden, own);
  return isIn(path, own) || (!isFolder && isIn(own, path));
}

/** https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** Whether `path` is `folder` or in it; `''` is the top. */
function isIn(path: string, folder: string): boolean {
  return folder === '' || `${path}/`.startsWith(`${folder}/`);
}

function plainPath(name: string): string {
  return name
    .split('/')
    .filter(part => part !== '' && part !== '.')
    .join('/');
}
