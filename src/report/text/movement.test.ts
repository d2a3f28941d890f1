import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RegistryError } from '../../core/errors.ts';
import type { ImageOutcome, PublishOutcome } from '../../publish/types.ts';
import { movementTotal } from './movement.ts';

const image = (registry: string, uploaded: number, more: object = {}) =>
  ({ registry, tags: ['x'], status: 'skipped', bytes: { uploaded }, ...more }) as unknown as ImageOutcome;
const outcome = (...images: ImageOutcome[]) => ({ images }) as unknown as PublishOutcome;

test('one line has what moves to each registry and to all', () => {
  const outcomes = [outcome(image('near', 1024), image('far', 4096)), outcome(image('far', 1024))];
  assert.equal(movementTotal(outcomes), 'To move, at most: near 1.0 KiB, far 5.0 KiB; 6.0 KiB in all.');
  assert.equal(movementTotal([outcome(image('near', 1024))]), 'To move, at most: near 1.0 KiB.');
  assert.equal(movementTotal([outcome(image('near', 0, { status: 'unchanged' }))]), 'Nothing to move.');
  assert.equal(movementTotal([outcome(image('near', 0, { tags: [] }))]), '');
});

test('what could not be looked at is said, and what can never be built is not counted', () => {
  const failed = (code: 'NETWORK' | 'BASE_NOT_FOUND') =>
    image('far', 0, { status: 'failed', error: new RegistryError('no', { code }) });
  assert.equal(
    movementTotal([outcome(image('near', 1024), failed('NETWORK'))]),
    'To move, at most: near 1.0 KiB, not counting what could not be read.',
  );
  assert.equal(
    movementTotal([outcome(image('near', 1024), failed('BASE_NOT_FOUND'))]),
    'To move, at most: near 1.0 KiB.',
  );
});
