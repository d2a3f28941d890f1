import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../../core/digest.ts';
import { layerDescriptor, resolvedLayer } from '../../image/format/layer-annotations.ts';
import { toSpec } from '../../layer/layer-spec.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { openLayerIndex } from './layer-index.ts';

async function withFile(work: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-index-'));
  try {
    await work(path.join(folder, 'deep', 'layers.jsonl'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

function layerOf(name: string) {
  const recipe: LayerRecipe = {
    kind: 'weights',
    name,
    root: 'models',
    entries: [
      {
        path: `models/x/${name}`,
        mode: 0o644,
        sizeBytes: 3,
        contentId: digestOf(name),
        content: { kind: 'hub', repository: 'acme/x', revision: '0'.repeat(40), path: name },
      },
    ],
  };
  const known = resolvedLayer(
    toSpec(recipe),
    digestOf(`tar of ${name}`),
    new Map([[`models/x/${name}`, digestOf(name).slice(7)]]),
  );
  return { known, descriptor: layerDescriptor(recipe, known) };
}

test('what one process adds, it and the next one find', async () => {
  await withFile(async file => {
    const { known, descriptor } = layerOf('a.safetensors');
    const index = openLayerIndex(file);
    assert.equal(await index.find(known.key), undefined);
    await index.add(descriptor);
    assert.deepEqual(await index.find(known.key), known);
    assert.deepEqual(await openLayerIndex(file).find(known.key), known);
  });
});

test('lines that are cut or foreign are passed over, whatever they are', async () => {
  await withFile(async file => {
    const { known, descriptor } = layerOf('a.safetensors');
    await openLayerIndex(file).add(descriptor);
    const line = await readFile(file, 'utf8');
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.nat(line.length).map(n => line.slice(0, n)),
        ),
        async noise => {
          await writeFile(file, `${noise}\n${line}${noise}`);
          assert.deepEqual(await openLayerIndex(file).find(known.key), known);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test('a file that cannot be written harms nobody', async () => {
  const { known, descriptor } = layerOf('a.safetensors');
  const index = openLayerIndex('/dev/null/layers.jsonl');
  await index.add(descriptor);
  assert.deepEqual(await index.find(known.key), known);
});

test('a large file loses its older half', async () => {
  await withFile(async file => {
    const { known, descriptor } = layerOf('new.safetensors');
    await openLayerIndex(file).add(descriptor);
    const line = await readFile(file, 'utf8');
    await writeFile(file, `${'x'.repeat(999)}\n`.repeat(17_000));
    await appendFile(file, line);
    assert.deepEqual(await openLayerIndex(file).find(known.key), known);
    assert.ok((await readFile(file)).length < 9_000_000);
    assert.deepEqual(await openLayerIndex(file).find(known.key), known);
  });
});
