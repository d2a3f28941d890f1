import type { Digest } from '../../core/digest.ts';
import { throwIfAborted } from '../../core/errors.ts';
import { allSettledOrThrow } from '../../core/pool.ts';
import type { ResolvedLayer } from '../../image/format/layer-annotations.ts';
import type { OwnLayerBlob, RequiredBlob } from '../../image/types.ts';
import { hostOf } from '../../oci/reference.ts';
import { storedSize } from '../../store/blob-size.ts';
import type { Survey } from '../target/survey.ts';
import { type ImageJob, layerAt, type TargetState } from '../target/target-state.ts';
import type { PublishContext } from '../types.ts';
import { readBack } from './read-back.ts';
import { descriptorOf, fail, type PlaceOptions, recordResult } from './record-result.ts';
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
  const placements = placementsOf(jobs);
  const sizeBytes = placements.reduce((sum, { blob, targets }) => sum + blob.sizeBytes * targets.length, 0);
  if (sizeBytes > 0) context.onEvent({ type: 'work', model: planned.model.short, sizeBytes });
  const bySize = inRows(placements, options).sort((a, b) => sizeOf(b) - sizeOf(a));
  const { blobSlots, cache } = context;
  await allSettledOrThrow(
    bySize.map(row => {
      const [one, ...more] = row as [Placement, ...Placement[]];
      const place = () =>
        blobSlots.run(() => (more.length === 0 ? placeBlob(one, options) : placeRow(row, options)));
      // Models that wait for each other's layers do so without a slot.
      return cache.exclusively(one.blob.id, place);
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
 * the digest of each is known, each can go on its own like anything else.
 */
function inRows(placements: readonly Placement[], { known }: PlaceOptions): Placement[][] {
  const rows = new Map<string, Placement[]>();
  for (const placement of placements) {
    const key = rowOf(placement.blob) ?? `${rows.size}`;
    rows.set(key, [...(rows.get(key) ?? []), placement]);
  }
  return [...rows.values()].flatMap(row =>
    row.every(({ blob }) => known.has(blob.id)) ? row.map(placement => [placement]) : [row],
  );
}

/** The file whose part the blob holds; its parts as layers and as blobs of their own are two rows, each the whole file. */
function rowOf(blob: RequiredBlob): string | undefined {
  if (blob.kind !== 'own' || blob.slice === undefined) return undefined;
  const { slice, layer } = blob;
  return JSON.stringify([layer.recipe.form ?? 'tar', slice.repository, slice.source.path]);
}

function sizeOf(row: readonly Placement[]): number {
  return row.reduce((sum, { blob }) => sum + blob.sizeBytes, 0);
}

async function placeRow(row: readonly Placement[], options: PlaceOptions): Promise<void> {
  throwIfAborted(options.context.signal);
  const blobs = row.map(({ blob }) => blob);
  const missing: TargetState[] = [];
  for (const target of new Set(row.flatMap(placement => placement.targets))) {
    if (target.unavailable !== undefined) continue;
    // The row is one thing: a target that lacks a part of it gets all of it, which the hash of the whole then covers.
    const found = await Promise.all(blobs.map(blob => findWithoutFailing(target, blob, options)));
    if (found.every(one => one !== undefined))
      for (const [index, blob] of blobs.entries()) record(target, blob, found[index], options);
    else missing.push(target);
  }
  const live = missing.filter(target => target.unavailable === undefined);
  if (live.length > 0) await transferBlobs(blobs, live, options);
}

async function placeBlob({ blob, targets }: Placement, options: PlaceOptions): Promise<void> {
  const missing: TargetState[] = [];
  await Promise.all(
    targets.map(async target => {
      if (target.unavailable !== undefined) return;
      const found = await findWithoutFailing(target, blob, options);
      if (found !== undefined) record(target, blob, found, options);
      else if (target.blobs.get(blob.id)?.how !== 'failed') missing.push(target);
    }),
  );
  throwIfAborted(options.context.signal);
  const live = missing.filter(target => target.unavailable === undefined);
  if (live.length > 0) await transferBlobs([blob], live, options);
}

interface Found {
  readonly how: 'reused' | 'mounted';
  readonly digest: Digest;
  /** Of one of our layers. */
  readonly layer?: ResolvedLayer;
}

async function findWithoutFailing(
  target: TargetState,
  blob: RequiredBlob,
  options: PlaceOptions,
): Promise<Found | undefined> {
  target.blobs.delete(blob.id);
  try {
    return await findAtTarget(target, blob, options);
  } catch (error) {
    fail(target, blob, error, options);
    return undefined;
  }
}

function record(
  target: TargetState,
  blob: RequiredBlob,
  found: Found | undefined,
  options: PlaceOptions,
): void {
  if (found === undefined) return;
  const { how, digest, layer } = found;
  if (layer !== undefined) target.inventory.addProven(layer);
  recordResult(target, blob, { how, digest }, options);
}

/** Whether the target has the blob, or can have it without moving it. */
async function findAtTarget(
  target: TargetState,
  blob: RequiredBlob,
  options: PlaceOptions,
): Promise<Found | undefined> {
  if (blob.kind === 'own') return await findOwn(target, blob, options);
  const { store, inventory } = target;
  const { context } = options;
  const { digest, descriptor } = blob;
  // A forced publish asks the registry itself: some store manifests without their blobs.
  if (!context.isForced && inventory.hasBlob(digest)) return { how: 'reused', digest };
  if ((await storedSize(store, digest, context.signal)) === blob.sizeBytes) return { how: 'reused', digest };
  for (const repository of [blob.storeName, ...(await context.cache.holders(digest, store.name))])
    if (await store.mountBlob(descriptor, repository, context.signal)) return { how: 'mounted', digest };
  return undefined;
}

/**
 * One of our layers is believed to be here by the target's own manifests, or by a digest that this run has proven; what
 * another registry claims is not asked for here. A repository of the same registry that the file publishes to is believed
 * like this one.
 */
async function findOwn(
  target: TargetState,
  blob: OwnLayerBlob,
  options: PlaceOptions,
): Promise<Found | undefined> {
  const { context, known, allTargets } = options;
  // A forced publish trusts none of our own layers.
  if (context.isForced) return undefined;
  const { store, inventory } = target;
  const host = hostOf(store.name);
  const siblings = allTargets.filter(other => other !== target && hostOf(other.store.name) === host);
  const near = [...siblings.map(other => other.inventory), ...target.near];
  const layer =
    layerAt(target, blob.id, known) ??
    context.cache.layer(blob.id) ??
    near.map(other => other.layer(blob.id)).find(one => one !== undefined) ??
    (await readBack(target, blob, context));
  if (layer === undefined) return undefined;
  const { digest } = layer;
  if (inventory.hasBlob(digest)) return { how: 'reused', digest, layer };
  if ((await storedSize(store, digest, context.signal)) === blob.sizeBytes)
    return { how: 'reused', digest, layer };
  const descriptor = descriptorOf(blob, digest);
  const claiming = near.filter(other => other.hasBlob(digest)).map(other => other.store.name);
  for (const repository of new Set([...claiming, ...context.cache.knownHolders(digest, store.name)]))
    if (await store.mountBlob(descriptor, repository, context.signal))
      return { how: 'mounted', digest, layer };
  return undefined;
}
