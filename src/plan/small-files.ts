import { HubError } from '../core/errors.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import { contentIdOf } from '../layer/recipe.ts';
import { readHubFile } from './read-file.ts';

/** Small files of repositories, each read once in a run however many open repositories and askers have it. */
export interface SmallFiles {
  /**
   * The file's bytes, checked; undefined if the Hub lists the file and does not give it. Throws HubError, IntegrityError
   * if the Hub cannot be asked.
   */
  read(snapshot: ModelSnapshot, file: HubFile): Promise<Buffer | undefined>;
}

/** What a plan of a thousand models keeps of them at most. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** Returns a reader of small files that reads each once. What is larger than `maxBytes` is not read. */
export function createSmallFiles(hub: Hub, maxBytes: number, signal: AbortSignal | undefined): SmallFiles {
  const byContent = new Map<string, Promise<Buffer | undefined>>();
  const sizes = new Map<string, number>();
  let keptBytes = 0;
  const forget = (id: string): void => {
    byContent.delete(id);
    keptBytes -= sizes.get(id) ?? 0;
    sizes.delete(id);
  };
  return {
    read(snapshot, file) {
      const content = contentIdOf(file);
      // A gated repository is asked itself: what another model of the run has must not decide the labels of its images.
      const id = snapshot.gated === false ? content : `${snapshot.id} ${content}`;
      const known = byContent.get(id);
      if (known !== undefined) return known;
      const reading = readHubFile(hub, snapshot, file, { maxBytes, signal }).catch((error: unknown) => {
        if (isClosed(error)) return undefined;
        throw error;
      });
      byContent.set(id, reading);
      reading.then(
        bytes => {
          // One repository may be closed where another is open.
          if (bytes === undefined) return forget(id);
          sizes.set(id, bytes.length);
          keptBytes += bytes.length;
          for (const oldest of sizes.keys()) {
            if (keptBytes <= MAX_KEPT_BYTES) break;
            forget(oldest);
          }
        },
        () => forget(id),
      );
      return reading;
    },
  };
}

/** Whether an error stays the same however often one asks; a Hub that is down or busy does not count. */
export function isClosed(error: unknown): boolean {
  return (
    error instanceof HubError &&
    ['HUB_NOT_FOUND', 'HUB_REVISION_NOT_FOUND', 'HUB_GATED', 'HUB_UNAUTHORIZED', 'HUB_DISABLED'].includes(
      error.code,
    )
  );
}
