import { VARIANTS } from '../../config/types.ts';
import type { Digest } from '../../core/digest.ts';
import type { ErrorJson } from '../../core/errors.ts';
import { ownValue } from '../../core/table.ts';
import type { HubFile } from '../../hub/types.ts';
import { NOT_CHOSEN } from '../../policy/types.ts';
import type { PlannedModel, UnresolvedModel } from '../types.ts';
import { choosePin, type FindBaseDigest, factChanges, type Lock, type LockedModel, lockOf } from './lock.ts';

type Entry = PlannedModel | UnresolvedModel;

/** What an update does with one model. */
export interface ModelUpdate {
  readonly short: string;
  readonly id: string;
  /** `kept`: something is newer, and not taken for `reason`. */
  readonly status: 'moved' | 'same' | 'kept';
  readonly reason?: string;
  /** Why it could not be resolved. */
  readonly error?: ErrorJson;
  readonly commit?: { readonly from: string; readonly to: string };
  /** Of the new commit, files that the locked one does not have; absent if that one cannot be read. */
  readonly files?: { readonly count: number; readonly sizeBytes: number };
  readonly base?: { readonly from: LockedBase; readonly to: LockedBase };
  /** Gate, licenses, lineage and decisions that differ. */
  readonly changes: readonly string[];
  /** What the check of fit finds in the new commit and not in the locked one. */
  readonly findings: readonly string[];
}

type LockedBase = { readonly image: string; readonly digest: Digest | null };

/** What a lock is updated from. */
export interface UpdateInput {
  /** As the lock pins them. */
  readonly locked: readonly Entry[];
  /** The same models, of their newest commits, on the base images that they get. */
  readonly fresh: readonly Entry[];
  readonly lock: Lock;
  readonly baseDigest: FindBaseDigest;
  /** Models that move although they may no longer be published as they were. */
  readonly forced: ReadonlySet<string>;
}

/**
 * Compares models as they are locked with their newest commits. Returns what moves, with the lock of it. A model that may no
 * longer be published as it was keeps its commit.
 */
export function updateLock(input: UpdateInput): {
  readonly lock: Lock;
  readonly models: readonly ModelUpdate[];
} {
  const was = new Map(input.locked.map(entry => [entry.model.short, entry]));
  const results = input.fresh.map(entry => updateModel(entry, was.get(entry.model.short), input));
  const moved = results.flatMap(({ locked }, index): [string, LockedModel][] => {
    const short = input.fresh[index]?.model.short;
    return locked === undefined || short === undefined ? [] : [[short, locked]];
  });
  const models = { ...input.lock.models, ...Object.fromEntries(moved) };
  return { lock: { ...input.lock, models }, models: results.map(({ update }) => update) };
}

interface Result {
  readonly update: ModelUpdate;
  /** What the lock gets; undefined if its entry stays. */
  readonly locked?: LockedModel | undefined;
}

function updateModel(entry: Entry, was: Entry | undefined, input: UpdateInput): Result {
  const { model } = entry;
  const before = ownValue(input.lock.models, model.short);
  const same = { short: model.short, id: model.id, status: 'same' as const, changes: [], findings: [] };
  const kept = { ...same, status: 'kept' as const };
  if (before === undefined)
    return { update: { ...kept, reason: 'it is not in the lock: add it with weighbridge plan --lock' } };
  if (entry.kind === 'unresolved')
    return { update: { ...kept, reason: entry.error.message, error: entry.error } };

  const after = lockedNow(entry, before, input.baseDigest);
  const wasPlanned =
    was?.kind === 'planned' && choosePin(model, input.lock).pin !== undefined ? was : undefined;
  const base = sameBase(before.base, after.base) ? undefined : { from: before.base, to: after.base };
  const commit =
    before.revision === after.revision ? undefined : { from: before.revision, to: after.revision };
  const known = new Set(wasPlanned?.fit.findings.map(({ message }) => message));
  const told = {
    ...(commit && { commit }),
    ...(commit && wasPlanned && { files: newFiles(wasPlanned.files, entry.files) }),
    changes: [
      ...(before.id === after.id ? [] : [`id ${before.id} → ${after.id}`]),
      ...(before.ref === after.ref ? [] : [`revision of the file ${ref(before)} → ${ref(after)}`]),
      ...factChanges({ ...before, revision: after.revision }, entry),
    ],
    findings: entry.fit.findings.map(({ message }) => message).filter(message => !known.has(message)),
  };
  const refusal = input.forced.has(model.short) ? undefined : whyNot(before, wasPlanned, entry);
  if (refusal !== undefined) {
    // The locked commit goes onto the base image that the file has from now on.
    const moves = before.base.image !== after.base.image;
    return {
      update: { ...kept, ...told, reason: refusal, ...(moves && base && { base }) },
      locked: moves && before.id === after.id ? { ...before, base: after.base } : undefined,
    };
  }
  const isSame = commit === undefined && base === undefined && told.changes.length === 0;
  return isSame
    ? { update: same }
    : { update: { ...same, status: 'moved', ...told, ...(base && { base }) }, locked: after };
}

/** Why a model may no longer be published as it was; undefined if it may. */
function whyNot(
  before: LockedModel,
  was: PlannedModel | undefined,
  { outcome: { decisions } }: PlannedModel,
): string | undefined {
  const lost = VARIANTS.find(variant => {
    const built = variant === 'fat' ? before.fat.build : was?.outcome.decisions[variant].build === true;
    // What models.yaml no longer lists is not missed.
    return built && !decisions[variant].build && decisions[variant].rule !== NOT_CHOSEN;
  });
  return lost && `there would be no ${lost} image any more: ${decisions[lost].reason}`;
}

function lockedNow(entry: PlannedModel, before: LockedModel, baseDigest: FindBaseDigest): LockedModel {
  const { short, baseImage } = entry.model;
  const digestBefore = before.base.image === baseImage ? before.base.digest : null;
  const { models } = lockOf({ models: [entry] }, undefined, {
    isWhole: true,
    baseDigest: model => baseDigest(model) ?? digestBefore,
  });
  return ownValue(models, short) as LockedModel;
}

function newFiles(
  before: readonly HubFile[],
  after: readonly HubFile[],
): { readonly count: number; readonly sizeBytes: number } {
  const content = ({ sha256, gitOid }: HubFile): string => sha256 ?? gitOid;
  const known = new Set(before.map(content));
  const added = after.filter(file => !known.has(content(file)));
  return { count: added.length, sizeBytes: added.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function sameBase(a: LockedBase, b: LockedBase): boolean {
  return a.image === b.image && a.digest === b.digest;
}

function ref(locked: LockedModel): string {
  return locked.ref ?? 'default branch';
}
