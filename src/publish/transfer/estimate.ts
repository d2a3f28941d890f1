import { formatBytes } from '../../core/text.ts';
import type { RequiredBlob } from '../../image/assemble/types.ts';
import { hostOf } from '../target/host-of.ts';
import type { ImageJob } from '../target/survey.ts';
import type { TargetState } from '../target/target-state.ts';
import type { ByteCounts } from '../types.ts';
import { ZERO_BYTES } from './byte-counts.ts';

/**
 * What a publish of several models would move, as far as the published manifests tell. A registry that refuses mounts,
 * which only a publish finds out, is brought what it could have mounted; a blob that no manifest names may be there.
 */
export class Estimate {
  /** Base layers that earlier images of the run bring to a registry, by its host. */
  readonly #atHost = new Map<string, Set<string>>();
  /** What earlier variants bring to the same target. */
  readonly #atTarget = new Map<TargetState, Set<string>>();

  /** The next image of the run, in the order of publishing. */
  of(
    { draft, target }: ImageJob,
    allTargets: readonly TargetState[],
    isForced: boolean,
  ): { readonly bytes: ByteCounts; readonly reason: string } {
    const bytes = { ...ZERO_BYTES };
    for (const blob of draft.blobs) {
      const fate = this.#fate(blob, target, allTargets, isForced && blob.kind === 'own');
      bytes[fate] += blob.sizeBytes;
    }
    const mounted = bytes.mounted === 0 ? '' : `, ${formatBytes(bytes.mounted)} can be mounted`;
    const there = `${formatBytes(bytes.reused)} is there already`;
    return { bytes, reason: `would move up to ${formatBytes(bytes.uploaded)}, ${there}${mounted}` };
  }

  #fate(
    blob: RequiredBlob,
    target: TargetState,
    allTargets: readonly TargetState[],
    isMadeAgain: boolean,
  ): 'reused' | 'mounted' | 'uploaded' {
    const { inventory } = target;
    const atTarget = setAt(this.#atTarget, target);
    const digest = blob.kind === 'base' ? blob.digest : digestAt(blob.id, allTargets);
    const isCounted = atTarget.has(blob.id);
    const isThere = digest !== undefined && inventory.hasBlob(digest);
    const host = hostOf(target.store.name);
    const isNear =
      digest !== undefined &&
      (this.#isBroughtTo(host, blob) ||
        allTargets.some(other => hostOf(other.store.name) === host && other.inventory.hasBlob(digest)));
    atTarget.add(blob.id);
    if (blob.kind === 'base') setAt(this.#atHost, host).add(blob.digest);
    if (isCounted) return 'reused';
    if (isMadeAgain) return 'uploaded';
    if (isThere) return 'reused';
    return isNear ? 'mounted' : 'uploaded';
  }

  /** Only layers of a base are known to be the same in another model's repository. */
  #isBroughtTo(host: string, blob: RequiredBlob): boolean {
    if (blob.kind !== 'base') return false;
    return hostOf(blob.storeName) === host || (this.#atHost.get(host)?.has(blob.digest) ?? false);
  }
}

function digestAt(key: string, targets: readonly TargetState[]): string | undefined {
  for (const { inventory } of targets) {
    const layer = inventory.layer(key);
    if (layer !== undefined) return layer.digest;
  }
  return undefined;
}

function setAt<K>(sets: Map<K, Set<string>>, key: K): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}
