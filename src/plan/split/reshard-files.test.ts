import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesSource } from '../../core/byte-source.ts';
import { digestOf } from '../../core/digest.ts';
import { HubError } from '../../core/errors.ts';
import type { Hub, HubFile, ModelSnapshot } from '../../hub/types.ts';
import { safetensorsOf } from '../../layer/safetensors.fixtures.ts';
import { parseSafetensorsIndex } from '../../layer/safetensors-index.ts';
import { type ReshardOutcome, reshardFiles } from './reshard-files.ts';

const LIMIT = { registry: 'ghcr.io', maxLayerBytes: 16_384 + 5000, source: 'built-in' } as const;
const tensors = (prefix: string, count: number, size = 1000) =>
  Array.from({ length: count }, (_, index) => ({ name: `${prefix}${index}`, dtype: 'U8', shape: [size] }));
const LARGE = safetensorsOf(tensors('t', 12)).file;
const SMALL = safetensorsOf(tensors('s', 1)).file;
const index = (map: Record<string, string>) => JSON.stringify({ metadata: { x: 1 }, weight_map: map });

/** Divides what a repository of these files has. */
async function reshard(contents: Readonly<Record<string, Buffer | string>>): Promise<{
  outcome: ReshardOutcome | undefined;
  read: string[];
}> {
  const bytesOf = (path: string): Buffer => Buffer.from(contents[path] ?? '');
  const files: HubFile[] = Object.keys(contents).map(path => ({
    path,
    sizeBytes: bytesOf(path).length,
    sha256: digestOf(bytesOf(path)).slice('sha256:'.length),
    gitOid: '0'.repeat(40),
  }));
  const read: string[] = [];
  const hub: Hub = {
    endpoint: 'http://hub',
    whoAmI: async () => undefined,
    getModel: () => Promise.reject(new TypeError('not asked')),
    openFile(_, { path }, span) {
      read.push(path);
      return bytesSource(path, span ? bytesOf(path).subarray(span.start, span.end) : bytesOf(path));
    },
  };
  const outcome = await reshardFiles(files, LIMIT, { hub, snapshot: { files } as unknown as ModelSnapshot });
  return { outcome, read };
}

async function reshardedOf(contents: Readonly<Record<string, Buffer | string>>) {
  const { outcome } = await reshard(contents);
  assert.equal(outcome?.kind, 'resharded');
  if (outcome?.kind !== 'resharded') throw new TypeError();
  const { files, indexes } = outcome.resharding;
  return {
    parts: files.flatMap(file => file.parts.map(part => part.path)),
    indexes: indexes.map(({ path, text }) => ({
      path,
      map: Object.fromEntries(parseSafetensorsIndex(path, text).weightMap),
    })),
  };
}

async function refusalOf(contents: Readonly<Record<string, Buffer | string>>): Promise<string> {
  const { outcome } = await reshard(contents);
  return outcome?.kind === 'refused' ? outcome.decision.reason : 'not refused';
}

test('where everything fits nothing is read', async () => {
  const { outcome, read } = await reshard({ 'model.safetensors': SMALL, 'model.gguf': Buffer.alloc(5000) });
  assert.equal(outcome, undefined);
  assert.deepEqual(read, []);
});

test('a model of one file gets an index; one that is known by another name gets one of that name', async () => {
  for (const stem of ['model', 'consolidated', 'unet/diffusion_pytorch_model']) {
    const { parts, indexes } = await reshardedOf({ [`${stem}.safetensors`]: LARGE });
    assert.ok(parts.length > 1);
    assert.deepEqual(
      indexes.map(one => one.path),
      [`${stem}.safetensors.index.json`],
    );
    const names = parts.map(path => path.slice(path.lastIndexOf('/') + 1));
    assert.deepEqual([...new Set(Object.values(indexes[0]?.map ?? {}))].sort(), names);
  }
});

test('of several files without an index, parts are found as the file was', async () => {
  const { indexes } = await reshardedOf({ 'a.safetensors': LARGE, 'b.safetensors': SMALL });
  assert.deepEqual(indexes, []);
});

test('an index that says ./ before a name means the same file', async () => {
  const map = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`t${i}`, './a.safetensors']));
  const { parts, indexes } = await reshardedOf({
    'a.safetensors': LARGE,
    'b.safetensors': SMALL,
    'model.safetensors.index.json': index({ ...map, s0: './b.safetensors' }),
  });
  const places = Object.values(indexes[0]?.map ?? {});
  assert.deepEqual([...new Set(places)].sort(), ['./b.safetensors', ...parts]);
});

test('every index that names the file is written anew, and no other', async () => {
  const map = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`t${i}`, 'a.safetensors']));
  const { indexes } = await reshardedOf({
    'a.safetensors': LARGE,
    'b.safetensors': SMALL,
    'model.safetensors.index.json': index({ ...map, s0: 'b.safetensors' }),
    'other.safetensors.index.json': index({ s0: 'b.safetensors' }),
    'folder/model.safetensors.index.json': index({ z: 'a.safetensors' }),
  });
  assert.deepEqual(
    indexes.map(one => one.path),
    ['model.safetensors.index.json'],
  );
  assert.equal(indexes[0]?.map.s0, 'b.safetensors');
  assert.match(indexes[0]?.map.t0 ?? '', /^a-00001-of-0000\d\.safetensors$/);
});

for (const [what, contents, reason] of [
  ['another format', { 'model.gguf': Buffer.alloc(30_000) }, /only safetensors files can be divided/],
  [
    'a tensor above the limit',
    { 'model.safetensors': safetensorsOf(tensors('t', 1, 9000)).file },
    /one of its tensors alone is larger/,
  ],
  [
    'no safetensors file',
    { 'model.safetensors': Buffer.alloc(30_000, 'x') },
    /its header would have \d+ bytes/,
  ],
  [
    'a part that has the name of another file',
    { 'model.safetensors': LARGE, 'model-00001-of-00003.safetensors': SMALL },
    /model-00001-of-00003\.safetensors, one of its parts, would be another file/,
  ],
  [
    'an index that has its tensor elsewhere',
    {
      'a.safetensors': LARGE,
      'b.safetensors': SMALL,
      'model.safetensors.index.json': index({ t0: 'b.safetensors', t1: 'a.safetensors' }),
    },
    /has "t0" in b\.safetensors, a\.safetensors has it too/,
  ],
  [
    'an index that has a tensor in it that it does not have',
    { 'a.safetensors': LARGE, 'model.safetensors.index.json': index({ ghost: 'a.safetensors' }) },
    /has "ghost" in a\.safetensors, which does not have it/,
  ],
  [
    'an index that is none',
    { 'a.safetensors': LARGE, 'model.safetensors.index.json': '{}' },
    /is not an index of safetensors files: it has no weight_map/,
  ],
] as const) {
  test(`${what}: fat is refused and the reason is said`, async () => {
    const words = await refusalOf(contents);
    assert.match(words, /takes no layer above/);
    assert.match(words, reason);
  });
}

test('a Hub that cannot be asked is no reason against the file', async () => {
  const hub = {
    openFile() {
      throw new HubError('down', { code: 'HUB_UNREACHABLE' });
    },
  } as unknown as Hub;
  const file = { path: 'model.safetensors', sizeBytes: 30_000, gitOid: '0'.repeat(40) };
  await assert.rejects(reshardFiles([file], LIMIT, { hub, snapshot: {} as ModelSnapshot }), {
    code: 'HUB_UNREACHABLE',
  });
});

test('an index keeps what it says of all other tensors, whatever they are called', async () => {
  const names = fc.uniqueArray(fc.string({ unit: 'grapheme', maxLength: 8 }), { maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(names, async others => {
      const rest = others.filter(name => !/^t\d+$/.test(name));
      const own = Array.from({ length: 12 }, (_, i) => [`t${i}`, 'a.safetensors']);
      const entries = [...own, ...rest.map(name => [name, 'b.safetensors'])];
      const text = `{"weight_map":{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}}`;
      const { outcome } = await reshard({
        'a.safetensors': LARGE,
        'b.safetensors': SMALL,
        'model.safetensors.index.json': text,
      });
      assert.equal(outcome?.kind, 'resharded');
      const made = outcome?.kind === 'resharded' ? outcome.resharding.indexes[0] : undefined;
      const { weightMap } = parseSafetensorsIndex('x', made?.text ?? '');
      assert.equal(weightMap.size, entries.length);
      for (const name of rest) assert.equal(weightMap.get(name), 'b.safetensors');
    }),
    { numRuns: 50 },
  );
});
