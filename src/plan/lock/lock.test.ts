import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdapterConfig } from '../../config/types.ts';
import type { ModelSnapshot } from '../../hub/types.ts';
import { ancestor, modelConfig, policyFacts, textOf } from '../../policy/decide.fixtures.ts';
import type { PolicyFacts } from '../../policy/facts.ts';
import type { Plan, PlannedModel } from '../types.ts';
import { applyLock, choosePin, commitsOf, isSameCommits, type Lock, lockOf, readLock } from './lock.ts';
import { plannedOf } from './planned.fixtures.ts';

function planned(facts: PolicyFacts, short = 'x'): PlannedModel {
  return plannedOf(modelConfig({ short }), facts);
}

const planOf = (...models: PlannedModel[]): Plan => ({ schemaVersion: 1, models, warnings: [] });
const BASE = `sha256:${'b'.repeat(64)}` as const;
const locking = (plan: Plan, before?: Lock, isWhole = true): Lock =>
  lockOf(plan, before, { isWhole, baseDigest: () => BASE });
const PLAIN = policyFacts('mit', {
  texts: [textOf('LICENSE', 'MIT')],
  ancestors: [ancestor('a/base', 'mit')],
});
const lock = locking(planOf(planned(PLAIN)));
const notes = (plan: Plan, isWhole = true): readonly string[] =>
  applyLock(plan, lock, { isStrict: false, isWhole }).notes;
const differences = (facts: PolicyFacts): string => notes(planOf(planned(facts))).join('\n');
const withSnapshot = (changes: Partial<ModelSnapshot>): PolicyFacts => ({
  ...PLAIN,
  snapshot: { ...PLAIN.snapshot, ...changes },
});

test('a lock is read back as it was, and the same plan does not differ from it', () => {
  assert.deepEqual(readLock(JSON.parse(JSON.stringify(lock))), lock);
  assert.equal(differences(PLAIN), '');
  for (const wrong of [undefined, null, {}, { version: 3, models: {} }, { version: 2, models: { x: {} } }])
    assert.equal(typeof readLock(wrong), 'string');
  assert.match(String(readLock({ version: 1, models: {} })), /version 1/);
  assert.match(String(readLock({ version: 3, models: {} })), /version 3, which a newer release has written/);
});

test('a model is pinned to commit and base, unless the file says something else since', () => {
  const model = modelConfig({ short: 'x' });
  const pin = { revision: PLAIN.snapshot.revision, baseDigest: BASE };
  assert.deepEqual(choosePin(model, lock), { pin, mismatch: undefined });
  assert.deepEqual(choosePin({ ...model, revision: 'v2' }, lock), {
    pin: undefined,
    mismatch: 'revision of the file default branch → v2',
  });
  const moved = choosePin({ ...model, baseImage: 'vllm/vllm-openai:v9' }, lock);
  assert.deepEqual(moved.pin, { revision: PLAIN.snapshot.revision });
  assert.match(moved.mismatch ?? '', /^base_image .* → vllm\/vllm-openai:v9$/);
  assert.equal(choosePin({ ...model, short: 'y' }, lock).pin, undefined);
});

test('every fact that has changed is told with what it was and is', () => {
  assert.equal(
    differences(withSnapshot({ revision: 'f'.repeat(40) })),
    `x differs from weighbridge.lock: revision ${PLAIN.snapshot.revision} → ${'f'.repeat(40)}`,
  );
  const license = { license: 'cc-by-nc-4.0', licenseName: null, licenseLink: null };
  const relicensed = differences(withSnapshot({ license }));
  assert.match(relicensed, /license MIT → CC-BY-NC-4\.0/);
  assert.match(relicensed, /fat image built → not built/);
  assert.match(differences(withSnapshot({ gated: 'manual' })), /gate none → manual/);
  const text = differences({ ...PLAIN, texts: [textOf('LICENSE', 'Apache-2.0')] });
  assert.match(text, /LICENSE the text of MIT → the text of Apache-2\.0/);
  const base = differences({ ...PLAIN, ancestors: [ancestor('a/base', 'llama3.1')] });
  assert.match(base, /license of its base a\/base MIT → LicenseRef-llama3\.1/);
});

test('with --locked a model that differs fails, and the others stay', () => {
  const plan = planOf(planned(withSnapshot({ gated: 'manual' })), planned(PLAIN, 'y'));
  const { models } = applyLock(plan, locking(planOf(planned(PLAIN), planned(PLAIN, 'y'))), {
    isStrict: true,
    isWhole: true,
  }).plan;
  assert.deepEqual(
    models.map(({ kind }) => kind),
    ['unresolved', 'planned'],
  );
});

test('models come and go; a plan of some of them leaves the others alone', () => {
  const [x, y] = [planned(PLAIN), planned(PLAIN, 'y')];
  assert.deepEqual(notes(planOf(x, y)), ['y is not in weighbridge.lock']);
  assert.deepEqual(notes(planOf(y)), [
    'y is not in weighbridge.lock',
    'x is in weighbridge.lock and no longer in the file',
  ]);
  assert.deepEqual(notes(planOf(y), false), ['y is not in weighbridge.lock']);
  assert.deepEqual(Object.keys(locking(planOf(y), lock, false).models), ['x', 'y']);
  assert.deepEqual(Object.keys(locking(planOf(y), lock, true).models), ['y']);
});

test('adapters are pinned by name as long as the file has them, and their changes are told', () => {
  const adapter: AdapterConfig = {
    id: 'a/sql',
    name: 'sql',
    revision: null,
    permissive: 'auto',
    overrideSpdx: null,
  };
  const of = (revision: string, adapters = [adapter]): PlannedModel => {
    const base = planned(PLAIN);
    return {
      ...base,
      model: { ...base.model, adapters },
      adapters: adapters.map(one => ({
        ...{ adapter: one, files: [], leftOut: [], rank: 8, outcome: base.outcome },
        snapshot: { ...PLAIN.snapshot, id: one.id, revision },
      })),
    };
  };
  const before = of('a'.repeat(40));
  const locked = locking(planOf(before));
  assert.deepEqual(readLock(JSON.parse(JSON.stringify(locked))), locked);
  assert.deepEqual(choosePin(before.model, locked).pin?.adapters, { sql: 'a'.repeat(40) });
  assert.deepEqual(commitsOf(before).adapters, { sql: 'a'.repeat(40) });
  assert.ok(isSameCommits(commitsOf(before), choosePin(before.model, locked).pin ?? { revision: '' }));
  assert.ok(!isSameCommits(commitsOf(of('b'.repeat(40))), commitsOf(before)));

  const told = (entry: PlannedModel): string =>
    applyLock(planOf(entry), locked, { isStrict: false, isWhole: true }).notes.join('\n');
  assert.equal(told(before), '');
  assert.match(told(of('b'.repeat(40))), /revision of the adapter sql a{40} → b{40}/);
  assert.match(told(planned(PLAIN)), /adapter sql a\/sql → none/);
  const other = { ...adapter, id: 'a/other' };
  assert.match(told(of('a'.repeat(40), [other])), /adapter sql a\/sql → a\/other/);
  assert.equal(choosePin(of('', [other]).model, locked).pin?.adapters, undefined);
});
