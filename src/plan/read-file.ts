import { readAll } from '../core/byte-source.ts';
import { IntegrityError } from '../core/errors.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import { checkContent } from '../layer/check-content.ts';
import { contentIdOf } from '../layer/recipe.ts';

/** How much of a file is read. */
export interface ReadFileOptions {
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** Returns the bytes of a small file of the Hub, checked. Throws HubError, IntegrityError. */
export async function readHubFile(
  hub: Hub,
  snapshot: ModelSnapshot,
  file: HubFile,
  { maxBytes, signal }: ReadFileOptions,
): Promise<Buffer> {
  const read = async (): Promise<Buffer> => {
    const bytes = await readAll(hub.openFile(snapshot, file), maxBytes, signal);
    checkContent({ path: file.path, sizeBytes: file.sizeBytes, contentId: contentIdOf(file) }, bytes);
    return bytes;
  };
  // What came wrong once may have been changed on the way.
  return await read().catch(error => {
    if (error instanceof IntegrityError) return read();
    throw error;
  });
}
