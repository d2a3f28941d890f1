import type { RequiredBlob } from '../image/types.ts';
import { hostOf } from '../oci/reference.ts';
import { ZERO_BYTES } from './finish/byte-counts.ts';
import type { ImageJob, TargetState } from './target/target-state.ts';
import type { ByteCounts } from './types.ts';

/** An image that would be published, as far as its target's manifests tell: little enough to keep of a thousand models. */
export interface ExpectedImage {
  /** The target's repository. */
  readonly repository: string;
  readonly blobs: readonly ExpectedBlob[];
}

interface ExpectedBlob {
  readonly id: string;
  readonly sizeBytes: number;
  /** Whether what an earlier model of the run brings can be mounted: a forced publish mounts only layers of bases. */
  readonly isShared: boolean;
  /** `near`: in another repository of the registry, to be mounted from there. */
  readonly place: 'there' | 'near' | 'away';
}

/** Returns where the image's blobs are. A forced publish makes its own layers again wherever they are. */
export function expectedImage(
  { draft, target }: ImageJob,
  allTargets: readonly TargetState[],
  isForced: boolean,
): ExpectedImage {
  return {
    repository: target.store.name,
    blobs: draft.blobs.map(blob => ({
      id: blob.id,
      sizeBytes: blob.sizeBytes,
      isShared: blob.kind === 'base' || !isForced,
      place: isForced && blob.kind === 'own' ? 'away' : placeOf(blob, target, allTargets),
    })),
  };
}

function placeOf(
  blob: RequiredBlob,
  { inventory, near, store }: TargetState,
  allTargets: readonly TargetState[],
): ExpectedBlob['place'] {
  const digest = blob.kind === 'base' ? blob.digest : digestAt(blob.id, allTargets);
  if (digest === undefined) return 'away';
  if (inventory.hasBlob(digest)) return 'there';
  const host = hostOf(store.name);
  if (blob.kind === 'base' && hostOf(blob.storeName) === host) return 'near';
  const isNear = (other: TargetState): boolean =>
    hostOf(other.store.name) === host && other.inventory.hasBlob(digest);
  return allTargets.some(isNear) || near.some(other => other.hasBlob(digest)) ? 'near' : 'away';
}

function digestAt(key: string, targets: readonly TargetState[]): string | undefined {
  for (const inventory of targets.flatMap(target => [target.inventory, ...target.near])) {
    const layer = inventory.layer(key);
    if (layer !== undefined) return layer.digest;
  }
  return undefined;
}

/**
 * What a publish of several models would move, as far as the published manifests tell. A registry that refuses mounts,
 * which only a publish finds out, is brought what it could have mounted; a blob that no manifest names may be there.
 */
export class Estimate {
  /** Layers that earlier images of the run bring to a registry, by its host. */
  readonly #atHost = new Map<string, Set<string>>();
  /** What earlier variants of the model bring to its repositories. */
  readonly #atTarget = new Map<string, Set<string>>();

  /** The images of the next model, in the order of publishing. */
  of(images: readonly ExpectedImage[]): ByteCounts[] {
    this.#atTarget.clear();
    return images.map(({ repository, blobs }) => {
      const bytes = { ...ZERO_BYTES };
      for (const blob of blobs) bytes[this.#fate(blob, repository)] += blob.sizeBytes;
      return bytes;
    });
  }

  #fate({ id, isShared, place }: ExpectedBlob, repository: string): 'reused' | 'mounted' | 'uploaded' {
    const atTarget = setAt(this.#atTarget, repository);
    const atHost = setAt(this.#atHost, hostOf(repository));
    const isCounted = atTarget.has(id);
    const isBrought = isShared && atHost.has(id);
    atTarget.add(id);
    atHost.add(id);
    if (isCounted || place === 'there') return 'reused';
    return place === 'near' || isBrought ? 'mounted' : 'uploaded';
  }
}

function setAt(sets: Map<string, Set<string>>, key: string): Set<string> {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  return set;
}
