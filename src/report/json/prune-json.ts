import { type ErrorJson, errorToJson } from '../../core/errors.ts';
import type { PruneOutcome } from '../../retention/prune-repository.ts';
import type { RemovedImage, RetainedImage } from '../../retention/types.ts';

/** What `prune --json` prints. */
export interface PruneJson {
  readonly schemaVersion: 1;
  /** Whether anything was deleted, or only listed. */
  readonly isDryRun: boolean;
  readonly repositories: readonly PrunedRepositoryJson[];
  /** Models of the lock that are no longer in the file; `--removed <short>` deletes their images. */
  readonly left: readonly string[];
}

/** What stays in a repository, and what goes. */
export interface PrunedRepositoryJson {
  /** `ghcr.io/acme/hf-x` */
  readonly repository: string;
  readonly short: string;
  readonly kept: readonly PrunedImageJson[];
  readonly removed: readonly (PrunedImageJson & { readonly freedBytes: number })[];
  /** Manifests deleted; absent in a dry run. */
  readonly deleted?: number;
  readonly freedBytes: number;
  readonly error?: ErrorJson;
}

/** An image that stays or goes, and why. */
export interface PrunedImageJson {
  readonly digest: string;
  readonly tags: readonly string[];
  readonly variant?: string;
  readonly version?: string;
  readonly reason: string;
}

/** One repository that was looked through, or why it could not be. */
export interface PruneEntry {
  readonly short: string;
  readonly repository: string;
  readonly outcome: PruneOutcome | undefined;
  readonly error: unknown;
}

/** Returns the document of `prune --json`. */
export function pruneToJson(
  entries: readonly PruneEntry[],
  { isDryRun, left }: { readonly isDryRun: boolean; readonly left: readonly string[] },
): PruneJson {
  return { schemaVersion: 1, isDryRun, repositories: entries.map(toRepository), left };
}

function toRepository({ short, repository, outcome, error }: PruneEntry): PrunedRepositoryJson {
  const failure = error ?? outcome?.result?.error;
  const { removed = [], kept = [] } = outcome?.plan ?? {};
  const result = outcome?.result;
  const isGone = ({ digest }: RetainedImage): boolean => result?.deleted.includes(digest) ?? true;
  const staying = removed.filter(image => !isGone(image));
  return {
    repository,
    short,
    kept: [
      ...kept.map(toImage),
      ...staying.map(image => ({ ...toImage(image), reason: 'could not be deleted' })),
    ],
    removed: removed.filter(isGone).map(image => ({ ...toImage(image), freedBytes: image.freedBytes })),
    ...(result && { deleted: result.deleted.length }),
    freedBytes: staying.length === 0 ? (outcome?.plan.freedBytes ?? 0) : sumOf(removed.filter(isGone)),
    ...(failure !== undefined && { error: errorToJson(failure) }),
  };
}

/** At least: what only several of the images share is not in it. */
function sumOf(images: readonly RemovedImage[]): number {
  return images.reduce((sum, { freedBytes }) => sum + freedBytes, 0);
}

function toImage({ digest, tags, variant, version, reason }: RetainedImage): PrunedImageJson {
  return { digest, tags, ...(variant && { variant }), ...(version && { version }), reason };
}
