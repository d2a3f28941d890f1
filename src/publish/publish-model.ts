import type { Digest } from '../core/digest.ts';
import { isAbort, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { type BlobNeed, needsOf } from '../image/assemble/blob-needs.ts';
import {
  type Draft,
  draftImages,
  type FinishedImage,
  finishDraft,
  inlineLayers,
} from '../image/assemble/draft.ts';
import type { KnownLayer } from '../image/format/layer-annotations.ts';
import { refusalAt } from '../plan/targets.ts';
import type { PlannedModel } from '../plan/types.ts';
import {
  dryOutcomes,
  failedImages,
  type Job,
  outcomeStart,
  skippedImages,
  unchangedOutcome,
} from './image-outcomes.ts';
import { PublishedLayers } from './target/published-layers.ts';
import { pushImage } from './target/push-image.ts';
import type { TargetState } from './target/target-state.ts';
import { countBytes } from './transfer/byte-counts.ts';
import { type BlobMove, moveBlobs } from './transfer/move-blobs.ts';
import type { ImageOutcome, PublishContext, PublishOutcome, PublishTarget } from './types.ts';

const INDEX_LOOKUPS_AT_ONCE = 6;

/** The whole journey of one model: what it wants, what is there, what has to move, and then the tags. */
export async function publishModel(
  planned: PlannedModel,
  targets: readonly PublishTarget[],
  context: PublishContext,
): Promise<PublishOutcome> {
  const skipped = skippedImages(planned, targets, context);
  try {
    const drafts = await draftImages(planned, context);
    const states = targets.map(beginTarget);
    const jobs = states.flatMap(target =>
      drafts
        .filter(({ variant }) => refusalAt(planned, variant, target.registry) === undefined)
        .map(draft => ({ planned, target, draft, tags: planned.tags[draft.variant] })),
    );

    const known = new Map<string, KnownLayer>();
    await readPublished(jobs, known, context);
    const finish = (draft: Draft): FinishedImage | undefined =>
      finishDraft(planned, draft, key => known.get(key));
    const pending = jobs.filter(
      job => job.target.dead !== undefined || !isUnchanged(job, finish(job.draft), context),
    );
    const unchanged = jobs.filter(job => !pending.includes(job));
    for (const job of unchanged) context.onImage?.(unchangedOutcome(job, finish));
    if (context.isDryRun) {
      return {
        planned,
        images: [...unchanged.map(job => unchangedOutcome(job, finish)), ...dryOutcomes(pending), ...skipped],
      };
    }

    const move = (some: readonly Job[]): Promise<void> =>
      moveBlobs(movesFor(some), { planned, context, known, allTargets: states });
    await move(pending);
    const images = await Promise.all(
      states.map(target => finishTarget(target, pending, { finish, move, context })),
    );
    return {
      planned,
      images: [...unchanged.map(job => unchangedOutcome(job, finish)), ...images.flat(), ...skipped],
    };
  } catch (error) {
    if (isAbort(error) || context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    const places = targets.map(({ registry, store }) => ({ registry, repository: store.name }));
    return { planned, images: [...failedImages(planned, places, context.variants, error), ...skipped] };
  }
}

function beginTarget({ registry, store }: PublishTarget): TargetState {
  return { registry, store, published: new PublishedLayers(store), blobs: new Map() };
}

/** Learns what the targets hold; a target that cannot be asked is out, and says so in its images. */
async function readPublished(
  jobs: readonly Job[],
  known: Map<string, KnownLayer>,
  context: PublishContext,
): Promise<void> {
  const drafts = [...new Set(jobs.map(job => job.draft))];
  for (const layer of inlineLayers(drafts)) known.set(layer.key, layer);
  const targets = [...new Set(jobs.map(job => job.target))];
  await Promise.all(
    targets.map(async target => {
      const tags = jobs.filter(job => job.target === target).flatMap(job => job.tags);
      try {
        await target.published.readTags(tags, context.signal);
        if (context.isForced) return;
        const keys = drafts.flatMap(draft =>
          draft.parts.flatMap(part => part.layers.map(layer => layer.key)),
        );
        const learn = (): boolean => {
          for (const key of keys) {
            const layer = target.published.layer(key);
            if (layer !== undefined && !known.has(key)) known.set(key, layer);
          }
          return keys.every(key => known.has(key));
        };
        if (!learn()) await adoptIndexed(target.published, keys, known, context);
        await target.published.readOthers(learn, context.signal);
        learn();
      } catch (error) {
        if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
        target.dead = error;
      }
    }),
  );
}

/** Layers that an earlier run has made, if it was broken off before it could write a manifest that names them. */
async function adoptIndexed(
  published: PublishedLayers,
  keys: readonly string[],
  known: ReadonlyMap<string, KnownLayer>,
  { layerIndex, signal }: PublishContext,
): Promise<void> {
  await mapPool([...new Set(keys)], INDEX_LOOKUPS_AT_ONCE, async key => {
    if (known.has(key)) return;
    const layer = await layerIndex?.find(key);
    if (layer !== undefined) await published.adopt(layer, signal);
  });
}

function isUnchanged(
  { target, tags }: Job,
  image: FinishedImage | undefined,
  context: PublishContext,
): boolean {
  if (image === undefined || context.isForced) return false;
  return tags.every(tag => target.published.tag(tag)?.digest === image.top.descriptor.digest);
}

/** The union of what the jobs need: a blob that two variants or two targets need is moved once. */
function movesFor(jobs: readonly Job[]): BlobMove[] {
  const moves = new Map<string, { need: BlobNeed; targets: Set<TargetState> }>();
  for (const { target, draft } of jobs) {
    for (const need of needsOf(draft)) {
      const move = moves.get(need.id) ?? { need, targets: new Set() };
      move.targets.add(target);
      moves.set(need.id, move);
    }
  }
  return [...moves.values()].map(({ need, targets }) => ({ need, targets: [...targets] }));
}

interface Finishing {
  readonly finish: (draft: Draft) => FinishedImage | undefined;
  readonly move: (jobs: readonly Job[]) => Promise<void>;
  readonly context: PublishContext;
}

/** The last steps at one target, one variant after the other. */
async function finishTarget(
  target: TargetState,
  pending: readonly Job[],
  finishing: Finishing,
): Promise<ImageOutcome[]> {
  const outcomes: ImageOutcome[] = [];
  const add = (outcome: ImageOutcome): void => {
    outcomes.push(outcome);
    finishing.context.onImage?.(outcome);
  };
  const counted = new Set<string>();
  for (const job of pending.filter(candidate => candidate.target === target)) {
    const common = outcomeStart(job);
    const count = () => countBytes(needsOf(job.draft), target, counted);
    try {
      const { digest, documentBytes } = await finishImage(job, finishing);
      const bytes = count();
      const uploaded = bytes.uploaded + documentBytes;
      add({ ...common, status: 'published', digest, bytes: { ...bytes, uploaded } });
    } catch (error) {
      if (finishing.context.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
      add({ ...common, status: 'failed', error, bytes: count() });
    }
  }
  return outcomes;
}

async function finishImage(
  job: Job,
  { finish, move, context }: Finishing,
): Promise<{ digest: Digest; documentBytes: number }> {
  const { target, draft, tags } = job;
  for (let isAgain = false; ; isAgain = true) {
    const failure = target.dead ?? firstFailure(job);
    if (failure !== undefined) throw failure;
    const image = finish(draft);
    if (image === undefined) throw new TypeError(`${target.store.name}: a layer was moved but is not known`);
    try {
      const documentBytes = await pushImage(target.store, image, tags, context.signal);
      return { digest: image.top.descriptor.digest, documentBytes };
    } catch (error) {
      const isLost = error instanceof WeighbridgeError && error.code === 'REGISTRY_BLOB_UNKNOWN';
      if (!isLost || isAgain) throw error;
      // Its manifests name blobs that it has lost since: each one is asked for now, and moved where it is missing.
      target.published.distrust();
      await move([job]);
    }
  }
}

function firstFailure({ target, draft }: Job): unknown {
  for (const need of needsOf(draft)) {
    const fate = target.blobs.get(need.id);
    if (fate?.how === 'failed') return fate.error;
  }
  return undefined;
}
