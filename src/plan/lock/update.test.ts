import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../core/digest.ts';
import type { ModelSnapshot } from '../../hub/types.ts';
import { modelConfig, policyFacts, textOf } from '../../policy/decide.fixtures.ts';
import type { PlannedModel } from '../types.ts';
import { lockOf } from './lock.ts';
import { plannedOf } from './planned.fixtures.ts';
import { updateLock } from './update.ts';

const OLD = `sha256:${'b'.repeat(64)}` as const;
const NEW = `sha256:${'c'.repeat(64)}` as const;
const WEIGHTS = { path: 'model.safetensors', sizeBytes: 100, sha256: '1'.repeat(64), gitOid: '2'.repeat(40) };
const CARD = { path: 'README.md', sizeBytes: 7, gitOid: '3'.repeat(40) };

function planned(changes: Partial<ModelSnapshot> = {}, baseImage?: string): PlannedModel {
  const facts = policyFacts('mit', { texts: [textOf('LICENSE', 'MIT')] });
  const model = { ...modelConfig({ short: 'x' }), ...(baseImage && { baseImage }) };
  const snapshot = { ...facts.snapshot, files: [CARD, WEIGHTS], ...changes };
  return plannedOf(model, { ...facts, snapshot });
}

const LOCKED = planned();
const LOCK = lockOf({ models: [LOCKED] }, undefined, { isWhole: true, baseDigest: () => OLD });
const NEXT = 'f'.repeat(40);

function update(fresh: PlannedModel, { digest = OLD as Digest | null, forced = [] as string[] } = {}) {
  const { lock, models } = updateLock({
    locked: [LOCKED],
    fresh: [fresh],
    lock: LOCK,
    baseDigest: () => digest,
    forced: new Set(forced),
  });
  const [model] = models;
  assert.ok(model);
  return { model, locked: lock.models.x, lock };
}

test('what has not changed stays as it is', () => {
  const { model, lock } = update(planned());
  assert.equal(model.status, 'same');
  assert.deepEqual(lock, LOCK);
  assert.equal(update(planned(), { digest: null }).model.status, 'same');
});

test('a new commit is taken, with the files that only it has', () => {
  const files = [
    { ...CARD, gitOid: '4'.repeat(40) },
    { ...WEIGHTS, path: 'renamed.safetensors' },
  ];
  const { model, locked } = update(planned({ revision: NEXT, files }));
  assert.equal(model.status, 'moved');
  assert.deepEqual(model.commit, { from: LOCKED.snapshot.revision, to: NEXT });
  assert.deepEqual(model.files, { count: 1, sizeBytes: 7 });
  assert.deepEqual(model.changes, []);
  assert.equal(locked?.revision, NEXT);
});

test('a base image moves, by its digest and by its tag', () => {
  const { model, locked } = update(planned(), { digest: NEW });
  assert.equal(model.status, 'moved');
  assert.deepEqual([model.base?.from.digest, model.base?.to.digest, locked?.base.digest], [OLD, NEW, NEW]);
  assert.equal(update(planned({}, 'a/b:v2'), { digest: NEW }).locked?.base.image, 'a/b:v2');
});

test('a model that may no longer be published as it was stays, unless it is forced', () => {
  const gated = planned({ revision: NEXT, gated: 'manual' });
  const { model, lock } = update(gated, { digest: NEW });
  assert.equal(model.status, 'kept');
  assert.match(model.reason ?? '', /^there would be no fat image any more: /);
  assert.match(model.changes.join(), /gate none → manual/);
  assert.deepEqual(lock, LOCK);
  const { model: forced, locked } = update(gated, { forced: ['x'] });
  assert.equal(forced.status, 'moved');
  assert.deepEqual([locked?.gated, locked?.fat.build], ['manual', false]);
});

test('a model that stays goes onto the base image that the file has now', () => {
  const { model, locked } = update(planned({ revision: NEXT, gated: 'manual' }, 'a/b:v2'), { digest: NEW });
  assert.equal(model.status, 'kept');
  assert.deepEqual(locked, { ...LOCK.models.x, base: { image: 'a/b:v2', digest: NEW } });
});

test('a model that cannot be resolved or is not in the lock stays', () => {
  const error = { code: 'HUB_NOT_FOUND', message: 'the Hub knows no model' };
  const common = { locked: [], lock: LOCK, baseDigest: () => OLD, forced: new Set(['x']) };
  const gone = updateLock({ ...common, fresh: [{ kind: 'unresolved', model: LOCKED.model, error }] });
  assert.deepEqual([gone.models[0]?.status, gone.models[0]?.error, gone.lock], ['kept', error, LOCK]);
  const unknown = updateLock({ ...common, lock: { version: 2, models: {} }, fresh: [planned()] });
  assert.match(unknown.models[0]?.reason ?? '', /not in the lock/);
  assert.deepEqual(unknown.lock.models, {});
});
