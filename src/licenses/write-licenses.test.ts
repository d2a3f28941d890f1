import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { HubError, IntegrityError, WeighbridgeError } from '../core/errors.ts';
import type { ContentId, LayerEntry } from '../layer/recipe.ts';
import { writeLicenses } from './write-licenses.ts';

const HELLO = 'hello\n';
/** `printf 'hello\n' | git hash-object --stdin` */
const HELLO_GIT = 'git:ce013625030ba8dba906f756967f9e9ca394464a';

let base: string;
let folder: string;

beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'licenses-'));
  folder = path.join(base, 'out');
});
afterEach(() => rm(base, { recursive: true, force: true }));

function inline(entryPath: string, text = HELLO): LayerEntry {
  return {
    path: entryPath,
    mode: 0o644,
    sizeBytes: Buffer.byteLength(text),
    contentId: digestOf(text),
    content: { kind: 'inline', text },
  };
}

function fromHub(contentId: ContentId): LayerEntry {
  const content = {
    kind: 'hub',
    repository: 'acme/x',
    revision: 'c'.repeat(40),
    path: 'LICENSE.md',
  } as const;
  return { ...inline('licenses/model/LICENSE'), contentId, content };
}

const readHello = async (): Promise<Uint8Array> => Buffer.from(HELLO);
const readNothing = async (): Promise<Uint8Array> => assert.fail('nothing was to be read');

test('writes the tree below the folder, again too, and lists it', async () => {
  const entries = [inline('licenses/CC0', 'ours'), fromHub(HELLO_GIT)];
  await writeLicenses(folder, entries, readHello);
  assert.deepEqual(await writeLicenses(folder, entries, readHello), ['CC0', 'model/LICENSE']);
  assert.equal(await readFile(path.join(folder, 'CC0'), 'utf8'), 'ours');
  assert.equal(await readFile(path.join(folder, 'model/LICENSE'), 'utf8'), HELLO);
  assert.deepEqual((await readdir(folder, { recursive: true })).sort(), ['CC0', 'model', 'model/LICENSE']);
});

test('bytes with another hash or size are not written', async () => {
  const wrong: ReadonlyArray<[ContentId, string, string]> = [
    [HELLO_GIT, 'hellO\n', 'INTEGRITY_HASH'],
    [digestOf(HELLO), 'hellO\n', 'INTEGRITY_HASH'],
    [digestOf(HELLO), 'hello', 'INTEGRITY_SIZE'],
  ];
  for (const [contentId, text, code] of wrong) {
    await assert.rejects(
      writeLicenses(folder, [fromHub(contentId)], async () => Buffer.from(text)),
      (error: unknown) => error instanceof IntegrityError && error.code === code,
    );
  }
  assert.deepEqual(await readdir(folder), []);
});

test('a path that leaves the folder stops the whole tree', async () => {
  for (const hostile of [
    'licenses/../../evil',
    '/etc/evil',
    'licenses//evil',
    'licenses/./evil',
    'licenses',
    'licenses/',
    'models/evil',
    'licenses/..\\evil',
    'licenses/C:evil',
    'licenses/a\u0000b',
  ]) {
    await assert.rejects(
      writeLicenses(folder, [inline('licenses/CC0'), inline(hostile)], readNothing),
      HubError,
      hostile,
    );
  }
  assert.deepEqual(await readdir(base), []);
});

test('no path at all writes beside the folder', async () => {
  const segment = fc.oneof(
    fc.constantFrom('..', '.', '', 'licenses', 'model'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(segment, { maxLength: 4 }), async segments => {
      const entry = inline(['licenses', ...segments].join('/'));
      await writeLicenses(folder, [entry], readNothing).catch((error: unknown) => {
        assert.ok(error instanceof WeighbridgeError, String(error));
      });
      assert.deepEqual(
        (await readdir(base)).filter(name => name !== 'out'),
        [],
      );
    }),
  );
});

test('links in the folder are not followed', async () => {
  const outside = path.join(base, 'outside');
  await mkdir(outside);
  await mkdir(folder);
  await writeFile(path.join(outside, 'CC0'), 'untouched');
  await symlink(outside, path.join(folder, 'model'));
  await symlink(path.join(outside, 'CC0'), path.join(folder, 'CC0'));
  await assert.rejects(writeLicenses(folder, [inline('licenses/model/deep/LICENSE')], readNothing), HubError);
  await writeLicenses(folder, [inline('licenses/CC0')], readNothing);
  assert.deepEqual(await readdir(outside), ['CC0']);
  assert.equal(await readFile(path.join(outside, 'CC0'), 'utf8'), 'untouched');
  assert.equal(await readFile(path.join(folder, 'CC0'), 'utf8'), HELLO);
});

test('a folder that cannot be is an error that says so', async () => {
  await writeFile(folder, 'a file');
  await assert.rejects(
    writeLicenses(folder, [inline('licenses/CC0')], readNothing),
    (error: unknown) => error instanceof WeighbridgeError && error.code === 'STORE_IO',
  );
});
