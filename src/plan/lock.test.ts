import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelSnapshot } from '../hub/types.ts';
import { ancestor, modelConfig, policyFacts, textOf } from '../policy/decide.fixtures.ts';
import { decide } from '../policy/decide.ts';
import type { PolicyFacts } from '../policy/facts.ts';
import { lockDifferences, lockOf, readLock } from './lock.ts';
import type { Plan, PlannedModel } from './types.ts';

function planned(facts: PolicyFacts, short = 'x'): PlannedModel {
  const model = modelConfig({ short });
  const tree = { entries: [] } as unknown as PlannedModel['licenses']['fat'];
  return {
    kind: 'planned',
    model,
    snapshot: facts.snapshot,
    outcome: decide(model, facts),
    files: [],
    leftOut: [],
    fileFindings: [],
    targets: [],
    tags: { slim: [], fat: [] },
    licenses: { slim: tree, fat: tree },
  };
}

const planOf = (...models: PlannedModel[]): Plan => ({ models, warnings: [] });
const PLAIN = policyFacts('mit', {
  texts: [textOf('LICENSE', 'MIT')],
  ancestors: [ancestor('a/base', 'mit')],
});
const lock = lockOf(planOf(planned(PLAIN)), undefined, true);
const differences = (facts: PolicyFacts): readonly string[] =>
  lockDifferences(lock, planOf(planned(facts)), true);
const withSnapshot = (changes: Partial<ModelSnapshot>): PolicyFacts => ({
  ...PLAIN,
  snapshot: { ...PLAIN.snapshot, ...changes },
});

test('a lock is read back as it was, and the same plan does not differ from it', () => {
  assert.deepEqual(readLock(JSON.parse(JSON.stringify(lock))), lock);
  assert.deepEqual(differences(PLAIN), []);
  for (const wrong of [undefined, null, {}, { version: 2, models: {} }, { version: 1, models: { x: {} } }]) {
    assert.equal(readLock(wrong), undefined);
  }
});

test('every fact that has changed is told with what it was and is', () => {
  assert.deepEqual(differences(withSnapshot({ revision: 'f'.repeat(40) })), [
    `x: the revision was ${PLAIN.snapshot.revision} and is ${'f'.repeat(40)}`,
  ]);
  const license = { license: 'cc-by-nc-4.0', licenseName: null, licenseLink: null };
  const relicensed = differences(withSnapshot({ license }));
  assert.ok(relicensed.includes('x: the licence was MIT and is CC-BY-NC-4.0 AND MIT'), relicensed.join('\n'));
  assert.ok(relicensed.includes('x: a fat image was built and is not built'));
  assert.ok(
    differences(withSnapshot({ gated: 'manual' })).includes('x: the gate was not there and is manual'),
  );
  const text = differences({ ...PLAIN, texts: [textOf('LICENSE', 'Apache-2.0')] });
  assert.ok(text.includes('x: LICENSE was the text of MIT and is the text of Apache-2.0'), text.join('\n'));
  const base = differences({ ...PLAIN, ancestors: [ancestor('a/base', 'llama3.1')] });
  assert.ok(
    base.includes('x: the licence of a/base, which it was made from, was MIT and is LicenseRef-llama3.1'),
  );
});

test('models come and go; a plan of some of them leaves the others alone', () => {
  const [x, y] = [planned(PLAIN), planned(PLAIN, 'y')];
  assert.deepEqual(lockDifferences(lock, planOf(x, y), true), ['y is new']);
  assert.deepEqual(lockDifferences(lock, planOf(y), true), ['y is new', 'x is no longer in the file']);
  assert.deepEqual(lockDifferences(lock, planOf(y), false), ['y is new']);
  assert.deepEqual(Object.keys(lockOf(planOf(y), lock, false).models), ['x', 'y']);
  assert.deepEqual(Object.keys(lockOf(planOf(y), lock, true).models), ['y']);
});
