import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { extract } from 'tar-stream';
import { bytesSource } from '../core/byte-source.ts';
import { digestOf } from '../core/digest.ts';
import { IntegrityError } from '../core/errors.ts';
import { hashInlineLayer, LayerHasher } from './layer-hasher.ts';
import { layerSource } from './layer-source.ts';
import type { LayerEntry, LayerRecipe } from './recipe.ts';
import { layerKey, layOut } from './tar-layout.ts';

const recipe = (entries: readonly LayerEntry[], root = 'models'): LayerRecipe => ({
  kind: 'files',
  name: 'test',
  root,
  entries,
});

const inline = (path: string, text: string): LayerEntry => ({
  path,
  mode: 0o644,
  sizeBytes: Buffer.byteLength(text),
  contentId: digestOf(text),
  content: { kind: 'inline', text },
});

/** A file whose content the Hub would give, with git's own id for it. */
function hubFile(path: string, bytes: Buffer): { entry: LayerEntry; bytes: Buffer } {
  const id = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const content = { kind: 'hub', repository: 'acme/x', revision: 'a'.repeat(40), path } as const;
  return {
    entry: {
      path: `models/x/${path}`,
      mode: 0o644,
      sizeBytes: bytes.length,
      contentId: `git:${id}`,
      content,
    },
    bytes,
  };
}

async function bytesOf(layer: LayerRecipe, contents: Map<string, Buffer>, start = 0): Promise<Buffer> {
  const source = layerSource(layOut(layer), entry =>
    bytesSource(entry.path, contents.get(entry.path) ?? Buffer.alloc(0)),
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open({ start })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function unpack(tar: Buffer): Promise<{ name: string; type: string; mode: number; content: string }[]> {
  const extractor = extract();
  extractor.end(tar);
  const entries = [];
  for await (const entry of extractor) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    const { name, type, mode } = entry.header;
    entries.push({
      name,
      type: String(type),
      mode: mode ?? 0,
      content: Buffer.concat(chunks).toString('utf8'),
    });
  }
  return entries;
}

test('a layer unpacks to its entries, with a directory entry from its root down', async () => {
  const a = hubFile('config.json', Buffer.from('{}'));
  const b = hubFile('sub/empty.txt', Buffer.alloc(0));
  const layer = recipe([a.entry, b.entry]);
  const tar = await bytesOf(
    layer,
    new Map([
      [a.entry.path, a.bytes],
      [b.entry.path, b.bytes],
    ]),
  );
  assert.equal(tar.length, layOut(layer).sizeBytes);
  assert.deepEqual(await unpack(tar), [
    { name: 'models/', type: 'directory', mode: 0o755, content: '' },
    { name: 'models/x/', type: 'directory', mode: 0o755, content: '' },
    { name: 'models/x/config.json', type: 'file', mode: 0o644, content: '{}' },
    { name: 'models/x/sub/', type: 'directory', mode: 0o755, content: '' },
    { name: 'models/x/sub/empty.txt', type: 'file', mode: 0o644, content: '' },
  ]);
});

test('directories above the root are left to the base image', async () => {
  const layer = recipe([inline('root/models/x/a', 'a')], 'root/models');
  const tar = await bytesOf(layer, new Map([['root/models/x/a', Buffer.from('a')]]));
  assert.deepEqual(
    (await unpack(tar)).map(entry => entry.name),
    ['root/models/', 'root/models/x/', 'root/models/x/a'],
  );
});

test('opening anywhere gives the rest of the same bytes', async () => {
  const files = ['a', 'b'].map((name, i) => hubFile(name, Buffer.alloc(700 * (i + 1), name)));
  const layer = recipe(files.map(file => file.entry));
  const contents = new Map(files.map(file => [file.entry.path, file.bytes]));
  const whole = await bytesOf(layer, contents);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length }), async start => {
      assert.deepEqual(await bytesOf(layer, contents, start), whole.subarray(start));
    }),
    { numRuns: 60 },
  );
});

test('the hasher gives the digest of the bytes however they are cut and repeated', async () => {
  const file = hubFile('w.bin', Buffer.from('0123456789'.repeat(300)));
  const layer = recipe([file.entry]);
  const whole = await bytesOf(layer, new Map([[file.entry.path, file.bytes]]));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 900 })), { minLength: 1, maxLength: 40 }),
      steps => {
        const hasher = new LayerHasher(layOut(layer));
        for (const [back, length] of steps) {
          const start = Math.max(0, hasher.position - back);
          hasher.update(start, whole.subarray(start, start + length));
        }
        hasher.update(hasher.position, whole.subarray(hasher.position));
        assert.equal(hasher.digest(), digestOf(whole));
        assert.equal(hasher.sha256Of.get(file.entry.path), digestOf(file.bytes).slice(7));
      },
    ),
  );
});

test('a file that is not what it must be is noticed at its last byte', async () => {
  const file = hubFile('w.bin', Buffer.alloc(2000, 1));
  const layer = recipe([file.entry]);
  const whole = await bytesOf(layer, new Map([[file.entry.path, Buffer.alloc(2000, 2)]]));
  const hasher = new LayerHasher(layOut(layer));
  assert.throws(
    () => hasher.update(0, whole),
    (error: unknown) => error instanceof IntegrityError && error.code === 'INTEGRITY_HASH',
  );
});

test('a digest is given only for all of the bytes, and no more of them are taken', async () => {
  const layer = recipe([inline('models/a', 'abc')]);
  const whole = await bytesOf(layer, new Map([['models/a', Buffer.from('abc')]]));
  const hasher = new LayerHasher(layOut(layer));
  hasher.update(0, whole.subarray(0, 100));
  assert.throws(() => hasher.digest(), /expected 2560 bytes, got 100/);
  assert.throws(() => hasher.update(200, whole.subarray(200)), RangeError);
  hasher.update(0, whole);
  assert.throws(() => hasher.update(whole.length, Buffer.from('x')), IntegrityError);
});

test('an inline layer is hashed without being opened', async () => {
  const layer = recipe([inline('licenses/CC0', 'text'), inline('licenses/EMPTY', '')], 'licenses');
  const whole = await bytesOf(layer, new Map([['licenses/CC0', Buffer.from('text')]]));
  const { digest, sha256Of } = hashInlineLayer(layOut(layer));
  assert.equal(digest, digestOf(whole));
  assert.equal(sha256Of.get('licenses/EMPTY'), digestOf('').slice(7));
});

test('the key changes with path, content and mode, and with nothing else', () => {
  const key = layerKey(recipe([inline('models/a', 'abc')]));
  assert.equal(layerKey({ ...recipe([inline('models/a', 'abc')]), name: 'another name' }), key);
  assert.notEqual(layerKey(recipe([inline('models/b', 'abc')])), key);
  assert.notEqual(layerKey(recipe([inline('models/a', 'abd')])), key);
  assert.notEqual(layerKey(recipe([{ ...inline('models/a', 'abc'), mode: 0o755 }])), key);
});

test('small files of a layer are read several at once, in order, and large ones in their turn', async () => {
  const large = Buffer.alloc(1024 * 1024 + 1, 'x');
  const files = Array.from({ length: 40 }, (_, index) =>
    hubFile(`f${String(index).padStart(2, '0')}`, index === 20 ? large : Buffer.from(`file ${index}`)),
  );
  const layout = layOut(recipe(files.map(({ entry }) => entry)));
  const bytesByPath = new Map(files.map(({ entry, bytes }) => [entry.path, bytes]));
  let inFlight = 0;
  let most = 0;
  const source = layerSource(layout, ({ path, sizeBytes }) => ({
    name: path,
    sizeBytes,
    async *open({ start }) {
      most = Math.max(most, ++inFlight);
      await new Promise(setImmediate);
      inFlight -= 1;
      yield (bytesByPath.get(path) as Buffer).subarray(start);
    },
  }));
  for (const start of [0, layout.sizeBytes - 5000, 600]) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.open({ start })) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).length, layout.sizeBytes - start);
    if (start === 0)
      assert.equal((await unpack(Buffer.concat(chunks))).length, 40 + 'models/ models/x/'.split(' ').length);
  }
  // Eight small ones, and the large one while it passes.
  assert.equal(most, 9);
});

test('a reader that stops early stops what is being read ahead, and an error comes in its turn', async () => {
  const files = Array.from({ length: 20 }, (_, index) => hubFile(`f${index}`, Buffer.from('x')));
  const layout = layOut(recipe(files.map(({ entry }) => entry)));
  const signals: (AbortSignal | undefined)[] = [];
  const source = layerSource(layout, ({ path, sizeBytes }) => ({
    name: path,
    sizeBytes,
    async *open({ signal }) {
      signals.push(signal);
      if (path.endsWith('/f3')) throw new Error('gone');
      yield Buffer.from('x');
    },
  }));
  for await (const _ of source.open({ start: 0 })) break;
  assert.ok(signals.length > 0 && signals.every(signal => signal?.aborted));
  let seenBytes = 0;
  await assert.rejects(async () => {
    for await (const chunk of source.open({ start: 0 })) seenBytes += chunk.length;
  }, /gone/);
  const failing = layout.segments.find(
    segment => segment.kind === 'content' && segment.entry.path.endsWith('/f3'),
  );
  assert.equal(seenBytes, failing?.start);
});

test('short pieces come joined, and what is longer alone', async () => {
  const long = Buffer.alloc(100_000, 'x');
  const files = Array.from({ length: 30 }, (_, index) =>
    hubFile(`f${String(index).padStart(2, '0')}`, index === 20 ? long : Buffer.from(`file ${index}`)),
  );
  const layout = layOut(recipe(files.map(({ entry }) => entry)));
  const bytesByPath = new Map(files.map(({ entry, bytes }) => [entry.path, bytes]));
  const source = layerSource(layout, ({ path }) => bytesSource(path, bytesByPath.get(path) as Buffer));
  const lengths: number[] = [];
  for await (const chunk of source.open({ start: 0 })) lengths.push(chunk.length);
  assert.equal(lengths.length, 3);
  assert.equal(lengths[1], long.length);
});
