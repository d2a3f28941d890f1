import { createHash } from 'node:crypto';
import { readAll } from '../core/byte-source.ts';
import { byPath } from '../core/bytes-order.ts';
import { IntegrityError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import type { Hub } from '../hub/types.ts';
import type { ListedFile, PublishedModel } from '../image/published-image.ts';
import type { ModelFile } from './types.ts';

const AT_ONCE = 4;
/** What git keeps itself is small; the Hub has everything larger in LFS, with a sha256. */
const MAX_SMALL_FILE_BYTES = 64 * 1024 * 1024;

/** The sha256 of small files, by git id: read once for all images and registries of a run. */
export type SmallFileHashes = Map<string, Promise<string>>;

/**
 * Returns the model's files with the sha256 of each. A fat image lists them all. A slim one lists small files by their
 * git ids, and nothing has read those yet: they are read from the Hub now. Throws HubError, IntegrityError.
 */
export async function hashedFiles(
  listed: readonly ListedFile[],
  { id, revision }: Pick<PublishedModel, 'id' | 'revision'>,
  options: { readonly hub: Hub; readonly known: SmallFileHashes; readonly signal?: AbortSignal | undefined },
): Promise<ModelFile[]> {
  const isResharded = listed.some(file => file.partId !== undefined);
  const files = await mapPool(listed, AT_ONCE, async (file): Promise<ModelFile> => {
    const { path, sizeBytes, sha256, gitOid, partId } = file;
    const isUpstream = partId === undefined && !(isResharded && path.endsWith('.safetensors.index.json'));
    const isKnown = sha256 !== undefined || gitOid === undefined || sizeBytes > MAX_SMALL_FILE_BYTES;
    if (isKnown) return { path, sizeBytes, sha256, gitOid, isUpstream };
    const hash =
      options.known.get(gitOid) ?? readHash({ id, revision }, { path, sizeBytes, gitOid }, options);
    options.known.set(gitOid, hash);
    return { path, sizeBytes, sha256: await hash, gitOid, isUpstream };
  });
  return files.toSorted(byPath);
}

async function readHash(
  snapshot: { readonly id: string; readonly revision: string },
  file: { readonly path: string; readonly sizeBytes: number; readonly gitOid: string },
  { hub, signal }: { readonly hub: Hub; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const bytes = await readAll(hub.openFile(snapshot, file), MAX_SMALL_FILE_BYTES, signal);
  const gitOid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  if (gitOid !== file.gitOid) {
    throw new IntegrityError(
      `${snapshot.id}: ${file.path} is not what the Hub lists at ${snapshot.revision}`,
      {
        code: 'INTEGRITY_HASH',
        subject: snapshot.id,
      },
    );
  }
  return createHash('sha256').update(bytes).digest('hex');
}
