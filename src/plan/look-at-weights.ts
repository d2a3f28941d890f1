import { readAll } from '../core/byte-source.ts';
import { HubError } from '../core/errors.ts';
import { isWeights } from '../core/model-files.ts';
import { mapPool } from '../core/pool.ts';
import { type DisguisedFile, disguiseOf, HEAD_BYTES, MAX_DISGUISED_BYTES } from '../hub/file-findings.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';

/** A pointer has about 130 bytes, a page more. */
const MIN_DISGUISED_BYTES = 100;
const AT_ONCE = 8;
/** A repository of more small files of weights is a test. */
const MAX_LOOKED_AT = 32;

/**
 * Returns the files of weights that hold a Git LFS pointer or a web page, which an upload by hand can leave. Only files
 * that are too small for weights are looked at; what cannot be read (gated) is passed over.
 */
export async function findDisguised(
  hub: Hub,
  snapshot: ModelSnapshot,
  files: readonly HubFile[],
  signal: AbortSignal | undefined,
): Promise<readonly DisguisedFile[]> {
  const small = files.filter(
    ({ path, sizeBytes }) =>
      isWeights(path) && sizeBytes >= MIN_DISGUISED_BYTES && sizeBytes <= MAX_DISGUISED_BYTES,
  );
  const found = await mapPool(small.slice(0, MAX_LOOKED_AT), AT_ONCE, async file => {
    const end = Math.min(HEAD_BYTES, file.sizeBytes);
    try {
      const head = await readAll(hub.openFile(snapshot, file, { start: 0, end }), end, signal);
      return disguiseOf(file.path, head);
    } catch (error) {
      if (error instanceof HubError) return undefined;
      throw error;
    }
  });
  return found.filter(one => one !== undefined);
}
