import * as z from 'zod';
import type { Plan, PlannedModel } from './types.ts';

const text = z.string();

/** `weighbridge.lock`: what a plan rested on when somebody last looked at it. Keys are only ever added. */
const Lock = z.object({
  version: z.literal(1),
  models: z.record(
    text,
    z.object({
      id: text,
      revision: text,
      gated: z.union([z.literal(false), text]),
      license: text.nullable(),
      declared: text.nullable(),
      /** What the legal texts of the repository are, by path. */
      texts: z.record(text, text),
      /** The models that it was made from: revision and licence, null where they could not be asked about. */
      lineage: z.record(text, z.object({ revision: text.nullable(), license: text.nullable() })),
      fat: z.object({ build: z.boolean(), rule: text }),
    }),
  ),
});

export type Lock = z.infer<typeof Lock>;
type LockedModel = Lock['models'][string];

/** Undefined where the data is no lock that this version can read. */
export function readLock(data: unknown): Lock | undefined {
  const parsed = Lock.safeParse(data);
  return parsed.success ? parsed.data : undefined;
}

/** The lock of a plan. What the plan does not tell of, models left out or not resolved, stays as it was in `before`. */
export function lockOf(plan: Plan, before: Lock | undefined, isWhole: boolean): Lock {
  const shorts = new Set(plan.models.map(({ model }) => model.short));
  const kept = Object.entries(before?.models ?? {}).filter(([short]) => !isWhole || shorts.has(short));
  const planned = plan.models.filter(model => model.kind === 'planned');
  const models = [
    ...kept,
    ...planned.map((entry): [string, LockedModel] => [entry.model.short, lockedModel(entry)]),
  ];
  return { version: 1, models: Object.fromEntries(Object.entries(Object.fromEntries(models)).sort(byName)) };
}

/** How a plan differs from its lock, a sentence each. `isWhole` says whether it is the plan of the whole file. */
export function lockDifferences(lock: Lock, plan: Plan, isWhole: boolean): readonly string[] {
  const planned = plan.models.filter(model => model.kind === 'planned');
  const known = new Set(plan.models.map(({ model }) => model.short));
  const gone = isWhole ? Object.keys(lock.models).filter(short => !known.has(short)) : [];
  return [
    ...planned.flatMap(entry => {
      const { short } = entry.model;
      const before = lock.models[short];
      if (before === undefined) return [`${short} is new`];
      return changes(before, lockedModel(entry)).map(change => `${short}: ${change}`);
    }),
    ...gone.map(short => `${short} is no longer in the file`),
  ];
}

function changes(before: LockedModel, now: LockedModel): string[] {
  const told: string[] = [];
  const tell = (what: string, was: unknown, is: unknown): void => {
    if (was !== is) told.push(`${what} was ${shown(was)} and is ${shown(is)}`);
  };
  tell('the repository', before.id, now.id);
  tell('the revision', before.revision, now.revision);
  tell('the gate', before.gated, now.gated);
  tell('the licence', before.license, now.license);
  tell('the declared licence', before.declared, now.declared);
  for (const path of new Set([...Object.keys(before.texts), ...Object.keys(now.texts)])) {
    tell(path, before.texts[path], now.texts[path]);
  }
  for (const id of new Set([...Object.keys(before.lineage), ...Object.keys(now.lineage)])) {
    tell(
      `the licence of ${id}, which it was made from,`,
      before.lineage[id]?.license,
      now.lineage[id]?.license,
    );
    tell(
      `the revision of ${id}, which it was made from,`,
      before.lineage[id]?.revision,
      now.lineage[id]?.revision,
    );
  }
  tell('a fat image', built(before), built(now));
  tell('the rule', before.fat.rule, now.fat.rule);
  return told;
}

function built({ fat }: LockedModel): string {
  return fat.build ? 'built' : 'not built';
}

function shown(value: unknown): string {
  if (value === undefined || value === false) return 'not there';
  if (value === null) return 'not known';
  return String(value);
}

function lockedModel({ snapshot, outcome }: PlannedModel): LockedModel {
  const { license, lineage, decisions, texts } = outcome;
  return {
    id: snapshot.id,
    revision: snapshot.revision,
    gated: snapshot.gated,
    license: license.spdx,
    declared: license.declared,
    texts: Object.fromEntries(texts.map(({ path, is }) => [path, is])),
    lineage: Object.fromEntries(lineage.map(({ id, revision, spdx }) => [id, { revision, license: spdx }])),
    fat: { build: decisions.fat.build, rule: decisions.fat.rule },
  };
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
