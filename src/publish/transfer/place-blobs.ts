import type { Digest } from '../../core/digest.ts';
import { throwIfAborted } from '../../core/errors.ts';
import { allSettledOrThrow } from '../../core/pool.ts';
import { descriptorOf, digestOfBlob, partOf } from '../../image/assemble/required-blobs.ts';
import type { RequiredBlob } from '../../image/assemble/types.ts';
import { storedSize } from '../../store/blob-size.ts';
import type { ImageJob, Survey } from '../target/survey.ts';
import { fail, type PlaceOptions, recordResult, type TargetState } from '../target/target-state.ts';
import type { PublishContext } from '../types.ts';
import { transferBlobs } from './transfer-blobs.ts';

interface Placement {
  readonly blob: RequiredBlob;
  /** Targets that need the blob. */
  readonly targets: readonly TargetState[];
}

/**
 * Brings every blob of the images to every target that needs it, the biggest first: it is there, it can be mounted, or
 * it is transferred. What fails is noted at the target, not thrown.
 */
export async function placeBlobs(
  jobs: readonly ImageJob[],
  { planned, known, targets: allTargets }: Survey,
  context: PublishContext,
): Promise<void> {
  const options = { planned, context, known, allTargets };
  const bySize = inRows(placementsOf(jobs), options).sort((a, b) => sizeOf(b) - sizeOf(a));
  const { blobSlots, cache } = context;
  await allSettledOrThrow(
    bySize.map(row => {
      const [one, ...more] = row as [Placement, ...Placement[]];
      const place = () =>
        blobSlots.run(() => (more.length === 0 ? placeBlob(one, options) : placeRow(row, options)));
      const digest = one.blob.kind === 'base' ? one.blob.digest : undefined;
      // Models that wait for each other's base layers do so without a slot.
      return digest === undefined ? place() : cache.exclusively(digest, place);
    }),
  );
}

/** The union of what the images need: a blob that two variants or two targets need is placed once. */
function placementsOf(jobs: readonly ImageJob[]): Placement[] {
  const placements = new Map<string, { blob: RequiredBlob; targets: Set<TargetState> }>();
  for (const { target, draft } of jobs) {
    for (const blob of draft.blobs) {
      const placement = placements.get(blob.id) ?? { blob, targets: new Set() };
      placement.targets.add(target);
      placements.set(blob.id, placement);
    }
  }
  return [...placements.values()].map(({ blob, targets }) => ({ blob, targets: [...targets] }));
}

/**
 * What has to move in one go, in order: the parts of one file, which only together show whether they are right. Where
 * the digest of each is known, each can go by itself like anything else.
 */
function inRows(placements: readonly Placement[], { known }: PlaceOptions): Placement[][] {
  const rows = new Map<string, Placement[]>();
  for (const placement of placements) {
    const key = partOf(placement.blob)?.source.path ?? `${rows.size}`;
    rows.set(key, [...(rows.get(key) ?? []), placement]);
  }
  return [...rows.values()].flatMap(row =>
    row.every(({ blob }) => known.has(blob.id)) ? row.map(placement => [placement]) : [row],
  );
}

function sizeOf(row: readonly Placement[]): number {
  return row.reduce((sum, { blob }) => sum + blob.sizeBytes, 0);
}

async function placeRow(row: readonly Placement[], options: PlaceOptions): Promise<void> {
  throwIfAborted(options.context.signal);
  const targets = new Set(row.flatMap(placement => placement.targets));
  const live = [...targets].filter(target => target.unavailable === undefined);
  const blobs = row.map(({ blob }) => blob);
  if (live.length > 0) await transferBlobs(blobs, live, options);
}

async function placeBlob({ blob, targets }: Placement, options: PlaceOptions): Promise<void> {
  const { signal } = options.context;
  const digest = digestOfBlob(blob, options.known);
  const missing: TargetState[] = [];
  await Promise.all(
    targets.map(async target => {
      if (target.unavailable !== undefined) return;
      try {
        const how = await findAtTarget(target, blob, digest, options);
        if (how === undefined) missing.push(target);
        else recordResult(target, blob, { how }, options);
      } catch (error) {
        fail(target, blob, error, options);
      }
    }),
  );
  throwIfAborted(signal);
  const live = missing.filter(target => target.unavailable === undefined);
  if (live.length > 0) await transferBlobs([blob], live, options);
}

/** Whether the target has the blob, or can have it without moving it. */
async function findAtTarget(
  { store, inventory }: TargetState,
  blob: RequiredBlob,
  digest: Digest | undefined,
  { context, allTargets }: PlaceOptions,
): Promise<'reused' | 'mounted' | undefined> {
  // A forced publish trusts none of our own layers; those of the base are not ours to make again.
  if (digest === undefined || (context.isForced && blob.kind === 'own')) return undefined;
  if (inventory.hasBlob(digest)) return 'reused';
  if ((await storedSize(store, digest, context.signal)) === blob.sizeBytes) return 'reused';
  const from =
    blob.kind === 'own'
      ? allTargets.filter(other => other.inventory.hasBlob(digest)).map(other => other.store.name)
      : [blob.storeName, ...(await context.cache.holders(digest, store.name))];
  const descriptor = descriptorOf(blob, digest);
  for (const repository of from) {
    if (await store.mountBlob(descriptor, repository, context.signal)) return 'mounted';
  }
  return undefined;
}
