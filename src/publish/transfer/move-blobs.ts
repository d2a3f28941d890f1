import type { Digest } from '../../core/digest.ts';
import { throwIfAborted } from '../../core/errors.ts';
import { allSettledOrThrow } from '../../core/pool.ts';
import { type BlobNeed, partOf } from '../../image/assemble/blob-needs.ts';
import { MediaType } from '../../oci/types.ts';
import { heldSize } from '../../store/held-size.ts';
import { fail, type MoveOptions, settle, type TargetState } from '../target/target-state.ts';
import { transferNeeds } from './transfer-needs.ts';

export interface BlobMove {
  readonly need: BlobNeed;
  /** Targets that need the blob. */
  readonly targets: readonly TargetState[];
}

/** Brings every blob to every target that needs it, the biggest first. What fails is noted at the target, not thrown. */
export async function moveBlobs(moves: readonly BlobMove[], options: MoveOptions): Promise<void> {
  const bySize = inRows(moves, options).sort((a, b) => sizeOf(b) - sizeOf(a));
  const { blobSlots, memory } = options.context;
  await allSettledOrThrow(
    bySize.map(row => {
      const [one, ...more] = row as [BlobMove, ...BlobMove[]];
      const move = () =>
        blobSlots.run(() => (more.length === 0 ? moveBlob(one, options) : moveRow(row, options)));
      const digest = one.need.base?.descriptor.digest;
      // Models that wait for each other's base layers do so without a slot.
      return digest === undefined ? move() : memory.exclusively(digest, move);
    }),
  );
}

/**
 * What has to move in one go, in order: the parts of one file, which only together show whether they are right. Where
 * the digest of each is known, each can go by itself like anything else.
 */
function inRows(moves: readonly BlobMove[], { known }: MoveOptions): BlobMove[][] {
  const rows = new Map<string, BlobMove[]>();
  for (const move of moves) {
    const key = partOf(move.need)?.source.path ?? `${rows.size}`;
    rows.set(key, [...(rows.get(key) ?? []), move]);
  }
  return [...rows.values()].flatMap(row =>
    row.every(({ need }) => known.has(need.id)) ? row.map(move => [move]) : [row],
  );
}

function sizeOf(row: readonly BlobMove[]): number {
  return row.reduce((sum, { need }) => sum + need.sizeBytes, 0);
}

async function moveRow(row: readonly BlobMove[], options: MoveOptions): Promise<void> {
  throwIfAborted(options.context.signal);
  const targets = new Set(row.flatMap(move => move.targets));
  const live = [...targets].filter(target => target.dead === undefined);
  const needs = row.map(({ need }) => need);
  if (live.length > 0) await transferNeeds(needs, live, options);
}

async function moveBlob({ need, targets }: BlobMove, options: MoveOptions): Promise<void> {
  const { signal } = options.context;
  const digest = need.base?.descriptor.digest ?? options.known.get(need.id)?.digest;
  const missing: TargetState[] = [];
  await Promise.all(
    targets.map(async target => {
      if (target.dead !== undefined) return;
      try {
        const how = await findAtTarget(target, need, digest, options);
        if (how === undefined) missing.push(target);
        else settle(target, need, { how }, options);
      } catch (error) {
        fail(target, need, error, options);
      }
    }),
  );
  throwIfAborted(signal);
  const live = missing.filter(target => target.dead === undefined);
  if (live.length > 0) await transferNeeds([need], live, options);
}

/** Whether the target has the blob, or can have it without moving it. */
async function findAtTarget(
  { store, published }: TargetState,
  { base, sizeBytes }: BlobNeed,
  digest: Digest | undefined,
  { context, allTargets }: MoveOptions,
): Promise<'reused' | 'mounted' | undefined> {
  // A forced publish trusts none of our own layers; those of the base are not ours to make again.
  if (digest === undefined || (context.isForced && base === undefined)) return undefined;
  if (published.hasBlob(digest)) return 'reused';
  if ((await heldSize(store, digest, context.signal)) === sizeBytes) return 'reused';
  const from =
    base === undefined
      ? allTargets.filter(other => other.published.hasBlob(digest)).map(other => other.store.name)
      : [base.storeName, ...(await context.memory.holders(digest, store.name))];
  const descriptor = base?.descriptor ?? { digest, size: sizeBytes, mediaType: MediaType.ociLayerTar };
  for (const repository of from) {
    if (await store.mountBlob(descriptor, repository, context.signal)) return 'mounted';
  }
  return undefined;
}
