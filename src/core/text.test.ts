import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './text.ts';

const KEYS = ['registries', 'retention', 'revision', 'layer_order', 'layer_target', 'weights-first'];

for (const [word, expected] of [
  ['revison', 'revision'],
  ['Revision', 'revision'],
  ['registry', 'registries'],
  ['weights', 'weights-first'],
  // Two go on like that.
  ['layer', undefined],
  // Too little of it to tell.
  ['rev', undefined],
  ['reti', undefined],
  ['registration_office', undefined],
] as const) {
  test(`the nearest to ${word} is ${expected ?? 'none'}`, () => {
    assert.equal(nearest(word, KEYS), expected);
  });
}
