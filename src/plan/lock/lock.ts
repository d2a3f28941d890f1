import * as z from 'zod';
import type { ModelConfig } from '../../config/types.ts';
import { compareBytes } from '../../core/bytes-order.ts';
import { type Digest, isDigest } from '../../core/digest.ts';
import type { ErrorJson } from '../../core/errors.ts';
import { ownValue } from '../../core/table.ts';
import type { ModelPin, Plan, PlannedAdapter, PlannedModel, UnresolvedModel } from '../types.ts';

const text = z.string();
const commit = z.string().regex(/^[0-9a-f]{40}$/);
const digest = z.custom<Digest>(value => typeof value === 'string' && isDigest(value));

/** `weighbridge.lock`: which commit and base image each model is published from, and what the decision rested on. */
const Lock = z.object({
  version: z.literal(2),
  models: z.record(
    text,
    z.object({
      id: text,
      /** `revision` of models.yaml: null for the default branch. */
      ref: text.nullable(),
      revision: commit,
      /** `base_image` of models.yaml and what it named; the digest is null if its registry could not be asked. */
      base: z.object({ image: text, digest: digest.nullable() }),
      gated: z.union([z.literal(false), text]),
      license: text.nullable(),
      declared: text.nullable(),
      /** What the legal texts of the repository are, by path. */
      texts: z.record(text, text),
      /** Its adapters, by name; absent if it has none. */
      adapters: z
        .record(
          text,
          z.object({
            id: text,
            ref: text.nullable(),
            revision: commit,
            gated: z.union([z.literal(false), text]),
            license: text.nullable(),
          }),
        )
        .optional(),
      /** The models that it was made from: revision and license, null if they could not be asked about. */
      lineage: z.record(text, z.object({ revision: text.nullable(), license: text.nullable() })),
      fat: z.object({ build: z.boolean(), rule: text }),
    }),
  ),
});

/** The content of `weighbridge.lock`. */
export type Lock = z.infer<typeof Lock>;
/** What a lock says of one model. */
export type LockedModel = Lock['models'][string];

/** Returns the lock, or in words why the data is not a lock that this version can read. */
export function readLock(data: unknown): Lock | string {
  const version = z.object({ version: z.unknown() }).safeParse(data).data?.version;
  if (typeof version === 'number' && version > 2)
    return `it has version ${version}, which a newer release has written; this one reads version 2`;
  if (version === 1) return 'it has version 1, which pinned nothing; this release writes version 2';
  const parsed = Lock.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') ?? '';
  return where === '' ? 'it is not a lock' : `${where} is missing or has a wrong value`;
}

/** How a model and its lock belong together. */
export interface LockedChoice {
  /** What the model is pinned to; undefined if the lock does not have it, or the file says something else since. */
  readonly pin: ModelPin | undefined;
  /** Why there is no pin, or what in the file the lock does not follow. */
  readonly mismatch: string | undefined;
}

/** Returns what the lock pins a model to, as the file has it now. */
export function choosePin(model: ModelConfig, lock: Lock): LockedChoice {
  const locked = ownValue(lock.models, model.short);
  if (locked === undefined) return { pin: undefined, mismatch: 'is not in the lock' };
  if (locked.id !== model.id) return mismatch('id', locked.id, model.id);
  if (locked.ref !== model.revision)
    return mismatch(
      'revision of the file',
      locked.ref ?? 'default branch',
      model.revision ?? 'default branch',
    );
  const isSameBase = locked.base.image === model.baseImage;
  const adapters = pinnedAdapters(model, locked);
  const pin = {
    revision: locked.revision,
    ...(Object.keys(adapters).length > 0 && { adapters }),
    ...(isSameBase && locked.base.digest !== null && { baseDigest: locked.base.digest }),
  };
  const changes = [
    ...(isSameBase ? [] : [`base_image ${locked.base.image} → ${model.baseImage}`]),
    ...adapterMismatches(model, locked),
  ];
  return { pin, mismatch: changes.length === 0 ? undefined : changes.join('; ') };
}

/** Commits of the adapters that the file has as the lock has them. */
function pinnedAdapters({ adapters }: ModelConfig, locked: LockedModel): Record<string, string> {
  return Object.fromEntries(
    adapters.flatMap(({ name, id, revision }) => {
      const known = ownValue(locked.adapters, name);
      return known !== undefined && known.id === id && known.ref === revision ? [[name, known.revision]] : [];
    }),
  );
}

function adapterMismatches({ adapters }: ModelConfig, locked: LockedModel): string[] {
  const before = locked.adapters ?? {};
  const gone = Object.keys(before).filter(name => !adapters.some(adapter => adapter.name === name));
  const at = (id: string, ref: string | null): string => `${id}${ref === null ? '' : ` at ${ref}`}`;
  return [
    ...adapters.flatMap(({ name, id, revision }) => {
      const known = before[name];
      if (known === undefined) return [`adapter ${name} none → ${at(id, revision)}`];
      if (known.id === id && known.ref === revision) return [];
      return [`adapter ${name} ${at(known.id, known.ref)} → ${at(id, revision)}`];
    }),
    ...gone.map(name => `adapter ${name} ${before[name]?.id} → none`),
  ];
}

/** Returns the commits that a model was planned at, its adapters' too. */
export function commitsOf({
  snapshot,
  adapters = [],
}: Pick<PlannedModel, 'snapshot' | 'adapters'>): ModelPin {
  const own = adapters.map(({ adapter, snapshot: { revision } }): [string, string] => [
    adapter.name,
    revision,
  ]);
  return { revision: snapshot.revision, ...(own.length > 0 && { adapters: Object.fromEntries(own) }) };
}

/** Whether two pins are of the same commits, on whatever base. */
export function isSameCommits(a: ModelPin, b: ModelPin): boolean {
  const names = Object.keys(a.adapters ?? {});
  return (
    a.revision === b.revision &&
    names.length === Object.keys(b.adapters ?? {}).length &&
    names.every(name => ownValue(a.adapters, name) === ownValue(b.adapters, name))
  );
}

function mismatch(what: string, from: string, to: string): LockedChoice {
  return { pin: undefined, mismatch: `${what} ${from} → ${to}` };
}

/** Returns the digest that a base image's tag names now; null if it could not be asked. */
export type FindBaseDigest = (model: ModelConfig) => Digest | null;

/** Returns the lock of a plan. Models that the plan leaves out or could not resolve stay as they were in `before`. */
export function lockOf(
  plan: Pick<Plan, 'models'>,
  before: Lock | undefined,
  options: { readonly isWhole: boolean; readonly baseDigest: FindBaseDigest },
): Lock {
  const shorts = new Set(plan.models.map(({ model }) => model.short));
  const kept = Object.entries(before?.models ?? {}).filter(
    ([short]) => !options.isWhole || shorts.has(short),
  );
  const planned = plan.models.filter(model => model.kind === 'planned');
  const models = new Map([
    ...kept,
    ...planned.map((entry): [string, LockedModel] => [
      entry.model.short,
      lockedModel(entry, options.baseDigest),
    ]),
  ]);
  const sorted = [...models].sort(([a], [b]) => compareBytes(a, b));
  return { version: 2, models: Object.fromEntries(sorted) };
}

/** Returns what of a planned model is not as it was locked: facts with what they were and are. */
export function factChanges(before: LockedModel, entry: PlannedModel): readonly string[] {
  const now = lockedModel(entry, () => before.base.digest);
  const told: string[] = [];
  const tell = (what: string, was: unknown, is: unknown): void => {
    if (was !== is) told.push(`${what} ${shown(was)} → ${shown(is)}`);
  };
  tell('revision', before.revision, now.revision);
  tell('gate', before.gated, now.gated);
  tell('license', before.license, now.license);
  tell('declared license', before.declared, now.declared);
  for (const path of new Set([...Object.keys(before.texts), ...Object.keys(now.texts)]))
    tell(path, ownValue(before.texts, path), ownValue(now.texts, path));
  for (const id of new Set([...Object.keys(before.lineage), ...Object.keys(now.lineage)])) {
    tell(
      `license of its base ${id}`,
      ownValue(before.lineage, id)?.license,
      ownValue(now.lineage, id)?.license,
    );
    tell(
      `revision of its base ${id}`,
      ownValue(before.lineage, id)?.revision,
      ownValue(now.lineage, id)?.revision,
    );
  }
  for (const [name, was] of Object.entries(before.adapters ?? {})) {
    const is = ownValue(now.adapters, name);
    // What the file has otherwise is told of as that.
    if (is === undefined || is.id !== was.id || is.ref !== was.ref) continue;
    tell(`revision of the adapter ${name}`, was.revision, is.revision);
    tell(`gate of the adapter ${name}`, was.gated, is.gated);
    tell(`license of the adapter ${name}`, was.license, is.license);
  }
  tell('fat image', built(before), built(now));
  tell('rule', before.fat.rule, now.fat.rule);
  return told;
}

/**
 * Compares a plan with the lock. Returns the plan and what to tell: with `isStrict`, each model that differs becomes
 * unresolved with LOCK_DIFFERS, and the others stay.
 */
export function applyLock(
  plan: Plan,
  lock: Lock,
  options: { readonly isStrict: boolean; readonly isWhole: boolean },
): { readonly plan: Plan; readonly notes: readonly string[] } {
  const checked = plan.models.map(entry => applyLockTo(entry, lock, options));
  const gone = options.isWhole
    ? goneFrom(
        plan.models.map(({ model }) => model),
        lock,
      )
    : [];
  const notes = [...checked.flatMap(({ note }) => note ?? []), ...gone];
  return { plan: { ...plan, models: checked.map(({ entry }) => entry) }, notes };
}

/** Compares one model with the lock, as `applyLock` does with all of a plan. Returns the model and its differences. */
export function applyLockTo(
  entry: PlannedModel | UnresolvedModel,
  lock: Lock,
  { isStrict }: { readonly isStrict: boolean },
): { readonly entry: PlannedModel | UnresolvedModel; readonly note?: string } {
  if (entry.kind === 'unresolved') return { entry };
  const { short } = entry.model;
  const { pin, mismatch: fileMismatch } = choosePin(entry.model, lock);
  const locked = ownValue(lock.models, short);
  const changes = [
    ...(fileMismatch === undefined ? [] : [fileMismatch]),
    ...(locked === undefined || pin === undefined ? [] : factChanges(locked, entry)),
  ];
  if (changes.length === 0) return { entry };
  const note =
    locked === undefined
      ? `${short} is not in weighbridge.lock`
      : `${short} differs from weighbridge.lock: ${changes.join('; ')}`;
  return isStrict
    ? { entry: { kind: 'unresolved', model: entry.model, error: differs(short, note) } }
    : { entry, note };
}

/** Returns what to tell of models that the lock has and the file does not. */
export function goneFrom(models: readonly Pick<ModelConfig, 'short'>[], lock: Lock): readonly string[] {
  const known = new Set(models.map(({ short }) => short));
  return Object.keys(lock.models)
    .filter(short => !known.has(short))
    .map(short => `${short} is in weighbridge.lock and no longer in the file`);
}

function differs(short: string, message: string): ErrorJson {
  return {
    code: 'LOCK_DIFFERS',
    message,
    subject: short,
    remedy: `Review the change and take it with: weighbridge update ${short} (or weighbridge plan --lock for a new model).`,
  };
}

function built({ fat }: LockedModel): string {
  return fat.build ? 'built' : 'not built';
}

function shown(value: unknown): string {
  if (value === undefined || value === false) return 'none';
  if (value === null) return 'unknown';
  return String(value);
}

function lockedModel(
  { model, snapshot, outcome, pin, adapters = [] }: PlannedModel,
  baseDigest: FindBaseDigest,
): LockedModel {
  const { license, lineage, decisions, texts } = outcome;
  return {
    id: model.id,
    ref: model.revision,
    revision: snapshot.revision,
    base: { image: model.baseImage, digest: pin?.baseDigest ?? baseDigest(model) },
    gated: snapshot.gated,
    license: license.spdx,
    declared: license.declared,
    texts: Object.fromEntries(texts.map(({ path, is }) => [path, is])),
    ...(adapters.length > 0 && { adapters: Object.fromEntries(adapters.map(lockedAdapter)) }),
    lineage: Object.fromEntries(lineage.map(({ id, revision, spdx }) => [id, { revision, license: spdx }])),
    fat: { build: decisions.fat.build, rule: decisions.fat.rule },
  };
}

function lockedAdapter({
  adapter,
  snapshot,
  outcome,
}: PlannedAdapter): [string, NonNullable<LockedModel['adapters']>[string]] {
  const { revision, gated } = snapshot;
  return [
    adapter.name,
    { id: adapter.id, ref: adapter.revision, revision, gated, license: outcome.license.spdx },
  ];
}
