import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelConfig } from '../config/types.ts';
import { sharingIn } from './sharing.ts';

function entry(id: string, short: string, folder: string): ModelConfig {
  return { id, short, folder, downloadRoot: '/models' } as ModelConfig;
}

test('entries of one model in one folder share their layers, and others do not', () => {
  const models = [
    entry('acme/x', 'x', 'x'),
    entry('acme/x', 'x-long', 'x'),
    entry('acme/x', 'x-alone', 'x-alone'),
    entry('acme/y', 'y', 'x'),
    { ...entry('acme/x', 'x-elsewhere', 'x'), downloadRoot: '/data' },
  ];
  const sharingOf = sharingIn(models);
  assert.deepEqual(models.map(sharingOf), [['x-long'], ['x'], [], [], []]);
  assert.deepEqual(sharingOf(entry('acme/x', 'not-of-the-file', 'x')), ['x', 'x-long']);
});

test('a list of a thousand models is gone through once', () => {
  let looks = 0;
  const models = Array.from({ length: 1000 }, (_, index) => {
    const model = entry(`acme/${index}`, `m-${index}`, `m-${index}`);
    return Object.defineProperty({ ...model }, 'folder', {
      get() {
        looks += 1;
        return model.folder;
      },
    });
  });
  const sharingOf = sharingIn(models);
  for (const model of models) sharingOf(model);
  assert.equal(looks, 2 * models.length);
});
