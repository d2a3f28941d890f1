import { isAbort, RegistryError, WeighbridgeError } from '../../core/errors.ts';
import { mapPool } from '../../core/pool.ts';
import { layersKnownBefore } from '../../image/assemble/known-layers.ts';
import type { ResolvedLayer } from '../../image/format/layer-annotations.ts';
import { createSealer } from '../../image/seal/seal-image.ts';
import type { AssembledModel, SealedImage } from '../../image/types.ts';
import type { LayerSpec } from '../../layer/layer-spec.ts';
import { hostOf } from '../../oci/reference.ts';
import { ownTagTest } from '../../plan/tags.ts';
import { refusalAt } from '../../plan/targets.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { PublishTarget, RefusedTag, SurveyContext } from '../types.ts';
import { refusedTags, tagsWithout } from './immutable-tags.ts';
import { TargetInventory } from './target-inventory.ts';
import { type ImageJob, layerAt, type TargetState } from './target-state.ts';

/** What is at a model's targets, compared with what should be. */
export interface Survey {
  readonly planned: PlannedModel;
  readonly targets: readonly TargetState[];
  /**
   * Layers whose digests are proven, by key: they came with the plan, or this run has hashed their bytes as that layer.
   * What the manifests of a target claim is in its inventory, and is believed for that target alone.
   */
  readonly known: Map<string, ResolvedLayer>;
  /** The finished image of a job, built once; undefined as long as a layer of it is neither proven nor at the target. */
  readonly seal: (job: ImageJob) => SealedImage | undefined;
  /** Whether every tag of an image that it may get names it, as far as its layers are proven by now. */
  readonly isUnchanged: (job: ImageJob) => boolean;
  /** Images that every one of their tags names already, but for tags that stay with another image. */
  readonly unchanged: readonly ImageJob[];
  /** Images that may get none of their tags. */
  readonly refused: readonly ImageJob[];
  /** The tags of a job that stay with another image, as far as the look at its target tells. */
  readonly refusedTags: (job: ImageJob) => readonly RefusedTag[];
  readonly pending: readonly ImageJob[];
}

const INDEX_LOOKUPS_AT_ONCE = 6;

/** Returns what the targets hold; one that cannot be read is noted as unavailable and does not stop the others. */
export async function surveyTargets(
  { planned, drafts }: AssembledModel,
  targets: readonly PublishTarget[],
  context: SurveyContext,
): Promise<Survey> {
  const states = targets.map(target => beginTarget(target, context));
  const jobs = states.flatMap(target =>
    drafts
      .filter(({ variant }) => refusalAt(planned, variant, target.registry) === undefined)
      .map((draft): ImageJob => ({ planned, target, draft })),
  );
  // `plan` without registries has no targets, and needs no digests.
  const knownBefore = jobs.length === 0 ? [] : layersKnownBefore(drafts);
  const known = new Map(knownBefore.map(layer => [layer.key, layer]));
  const wanted = states.filter(target => jobs.some(job => job.target === target));
  await Promise.all(wanted.map(target => loadInventory(target, { planned, jobs, known, context })));
  const sealed = createSealer();
  const seal = ({ draft, target }: ImageJob): SealedImage | undefined =>
    sealed(draft, key => layerAt(target, key, known));
  const refusedTagsOf = (job: ImageJob): RefusedTag[] =>
    refusedTags(job, seal(job)?.top.descriptor.digest, context);
  const isUnchanged = (job: ImageJob): boolean => {
    const { target, draft } = job;
    if (target.unavailable !== undefined || context.isForced) return false;
    const digest = seal(job)?.top.descriptor.digest;
    if (digest === undefined) return false;
    const tags = tagsWithout(draft.tags, refusedTagsOf(job));
    return tags.length > 0 && tags.every(tag => target.inventory.tag(tag)?.digest === digest);
  };
  const isRefused = (job: ImageJob): boolean => {
    if (job.target.unavailable !== undefined) return false;
    return job.draft.tags.length > 0 && tagsWithout(job.draft.tags, refusedTagsOf(job)).length === 0;
  };
  const unchanged = jobs.filter(isUnchanged);
  const refused = jobs.filter(isRefused);
  const pending = jobs.filter(job => !unchanged.includes(job) && !refused.includes(job));
  return {
    planned,
    targets: states,
    known,
    seal,
    unchanged,
    refused,
    pending,
    refusedTags: refusedTagsOf,
    isUnchanged,
  };
}

function beginTarget({ registry, store }: PublishTarget, { signing }: SurveyContext): TargetState {
  const inventory = new TargetInventory(store, signing?.vouches);
  return { registry, store, inventory, near: [], blobs: new Map() };
}

interface Loading {
  readonly planned: PlannedModel;
  readonly jobs: readonly ImageJob[];
  readonly known: Map<string, ResolvedLayer>;
  readonly context: SurveyContext;
}

async function loadInventory(target: TargetState, { planned, jobs, known, context }: Loading): Promise<void> {
  const { inventory } = target;
  const host = hostOf(target.store.name);
  target.unavailable = context.patience?.failures.get(host);
  if (target.unavailable !== undefined) return;
  const drafts = [...new Set(jobs.map(job => job.draft))];
  const tags = jobs.filter(job => job.target === target).flatMap(job => job.draft.tags);
  const layers = drafts.flatMap(draft => draft.platforms.flatMap(platform => platform.layers));
  inventory.expect(layers);
  const isEnough = (): boolean => layers.every(({ key }) => layerAt(target, key, known) !== undefined);
  const isOwnTag = ownTagTest(planned.model);
  try {
    await inTime(host, context, async signal => {
      await inventory.readTags(tags, signal);
      if (context.isForced) return;
      await inventory.readOthers(isEnough, { isOwnTag, signal });
      if (!isEnough()) target.near = await readNear(target, planned, layers, { ...context, signal });
      if (!isEnough()) await addIndexed(inventory, layers, known, { ...context, signal });
    });
  } catch (error) {
    if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
    target.unavailable = error;
    context.patience?.failures.set(host, error);
  }
}

/** What the repositories of other entries with this folder hold: layers that a registry can mount from there. */
async function readNear(
  { store }: TargetState,
  { model, tags, sharing = [] }: PlannedModel,
  layers: readonly LayerSpec[],
  { cache, signing, signal }: SurveyContext,
): Promise<TargetInventory[]> {
  const own = `hf-${model.short}`;
  if (!store.name.endsWith(`/${own}`)) return [];
  const found = await mapPool(sharing.slice(0, MAX_NEAR), NEAR_AT_ONCE, async short => {
    const other = cache.open(`${store.name.slice(0, -own.length)}hf-${short}`);
    const inventory = new TargetInventory(other, signing?.vouches);
    inventory.expect(layers);
    try {
      await inventory.readTags(Object.values(tags).flat(), signal);
    } catch (error) {
      if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
      // What may not be read is of no help, and no reason to fail.
    }
    return inventory;
  });
  return found;
}

/** More entries of one model than a file has. */
const MAX_NEAR = 8;
const NEAR_AT_ONCE = 4;

async function inTime(
  host: string,
  { signal, patience }: SurveyContext,
  work: (signal: AbortSignal | undefined) => Promise<void>,
): Promise<void> {
  if (patience === undefined) return await work(signal);
  const timeout = AbortSignal.timeout(patience.ms);
  try {
    await work(signal === undefined ? timeout : AbortSignal.any([signal, timeout]));
  } catch (cause) {
    if (signal?.aborted || !timeout.aborted) throw cause;
    const slow = `${host} did not answer within ${patience.ms / 1000} seconds`;
    throw new RegistryError(slow, { code: 'REGISTRY_UNREACHABLE', subject: host, cause });
  }
}

/**
 * Layers that an earlier run has made, if it was broken off before it could write a manifest that names them. Notes of
 * this machine prove nothing: the bytes are read back before one counts.
 */
async function addIndexed(
  inventory: TargetInventory,
  layers: readonly LayerSpec[],
  known: ReadonlyMap<string, ResolvedLayer>,
  { layerIndex, signal }: SurveyContext,
): Promise<void> {
  const missing = new Map(layers.map(layer => [layer.key, layer]));
  await mapPool([...missing.keys()], INDEX_LOOKUPS_AT_ONCE, async key => {
    if (known.has(key) || inventory.layer(key) !== undefined) return;
    const layer = await layerIndex?.find(key);
    if (layer !== undefined) await inventory.addNoted(layer, signal);
  });
}
