import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { startHub } from './hub.ts';

const CARD = '---\nlicense: apache-2.0\ntags:\n- a\nbase_model: acme/base\n---\n# X\n';
const FILES = {
  'README.md': CARD,
  'config.json': '{"a":1}',
  'sub/b.txt': 'b',
  'model.safetensors': { sizeBytes: 3_000_000, seed: 1 },
};

test('a model says what it holds, with blobs only where they are asked for', async () => {
  await using hub = await startHub();
  const sha = await hub.addModel({ id: 'acme/x', files: FILES });
  const bare = await json(`${hub.url}/api/models/acme/x`);
  assert.equal(bare.sha, sha);
  assert.equal(bare.gated, false);
  assert.deepEqual(bare.cardData, { license: 'apache-2.0', tags: ['a'], base_model: 'acme/base' });
  assert.deepEqual(bare.siblings[1], { rfilename: 'config.json' });
  const full = await json(`${hub.url}/api/models/acme/x/revision/main?blobs=true`);
  const weights = full.siblings.find(({ rfilename }: { rfilename: string }) => /safetensors/.test(rfilename));
  const served = Buffer.from(
    await (await get(`${hub.url}/acme/x/resolve/main/model.safetensors`)).arrayBuffer(),
  );
  assert.equal(weights.size, served.length);
  assert.equal(weights.lfs.sha256, createHash('sha256').update(served).digest('hex'));
  assert.equal(weights.lfs.size, 3_000_000);
  assert.equal(
    full.siblings.find((one: { rfilename: string }) => one.rfilename === 'config.json').lfs,
    undefined,
  );
});

test('commit, tree and blob ids are those of git', {
  skip: hasGit() ? false : 'git is not installed',
}, async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'testkit-git-'));
  t.after(() => rm(folder, { recursive: true }));
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: folder, env: GIT_ENV }).toString().trim();
  git('init', '-q');
  // A file `a-b` and a folder `a` tell git's order from a plain one.
  for (const name of ['a/x.txt', 'a-b.txt', 'a.txt', 'z/y/x.txt']) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), `this is ${name}`);
  }
  git('add', '.');
  git('commit', '-qm', 'initial commit');
  await using hub = await startHub();
  const names = ['a/x.txt', 'a-b.txt', 'a.txt', 'z/y/x.txt'];
  const files = Object.fromEntries(names.map(name => [name, `this is ${name}`]));
  const sha = await hub.addModel({ id: 'acme/x', files });
  assert.equal(sha, git('rev-parse', 'HEAD'));
  const tree = await json(`${hub.url}/api/models/acme/x/tree/main`);
  assert.equal(tree.find((one: { path: string }) => one.path === 'z').oid, git('rev-parse', 'HEAD:z'));
  assert.equal(
    tree.find((one: { path: string }) => one.path === 'a.txt').oid,
    git('rev-parse', 'HEAD:a.txt'),
  );
});

test('the tree comes in pages, each linked to the next', async () => {
  await using hub = await startHub({ treePageSize: 3 });
  const files = Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`f${i}.txt`, `${i}`]));
  await hub.addModel({ id: 'acme/x', files });
  const paths: string[] = [];
  let next: string | undefined = `${hub.url}/api/models/acme/x/tree/main?recursive=true`;
  for (let page = 0; next !== undefined; page++) {
    assert.ok(page < 3);
    const response: Response = await get(next);
    for (const entry of (await response.json()) as { path: string }[]) paths.push(entry.path);
    next = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
  }
  assert.deepEqual(paths, Object.keys(files));
});

test('paths-info knows files and folders and leaves out what is not there', async () => {
  await using hub = await startHub();
  await hub.addModel({ id: 'acme/x', files: FILES });
  const body = new URLSearchParams([
    ['paths', 'config.json'],
    ['paths', 'sub'],
    ['paths', 'nothing'],
  ]);
  const response = await fetch(`${hub.url}/api/models/acme/x/paths-info/main`, { method: 'POST', body });
  const found = (await response.json()) as { type: string; path: string }[];
  assert.deepEqual(
    found.map(({ type, path }) => [type, path]),
    [
      ['file', 'config.json'],
      ['directory', 'sub'],
    ],
  );
});

test('a changed file makes a new commit; the old one stays', async () => {
  await using hub = await startHub();
  const first = await hub.addModel({ id: 'acme/x', files: FILES });
  hub.tag('acme/x', 'v1');
  const second = await hub.updateFile('acme/x', 'config.json', '{"a":2}');
  assert.notEqual(first, second);
  const at = async (revision: string) =>
    await (await get(`${hub.url}/acme/x/resolve/${revision}/config.json`)).text();
  assert.deepEqual([await at('main'), await at('v1'), await at(first)], ['{"a":2}', '{"a":1}', '{"a":1}']);
  const other = await hub.updateFile('acme/x', 'config.json', undefined, 'other/branch');
  assert.equal((await json(`${hub.url}/api/models/acme/x/revision/other%2Fbranch`)).sha, other);
  assert.equal((await get(`${hub.url}/acme/x/resolve/other%2Fbranch/config.json`)).status, 404);
  assert.equal((await get(`${hub.url}/acme/x/resolve/other%2Fbranch/sub/b.txt`)).status, 200);
});

test('the same content has the same ids, and another has others', async () => {
  await using hub = await startHub();
  const first = await hub.addModel({ id: 'acme/x', files: FILES });
  const again = await hub.addModel({ id: 'acme/y', files: FILES });
  const other = await hub.addModel({
    id: 'acme/z',
    files: { ...FILES, 'model.safetensors': { sizeBytes: 3_000_000, seed: 2 } },
  });
  assert.equal(first, again);
  assert.notEqual(first, other);
});

test('a folder of repositories is served, `@` naming branches', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'testkit-hub-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, text] of [
    ['acme/x/sub/a.txt', 'main'],
    ['acme/x@dev/sub/a.txt', 'dev'],
    ['acme/x/w.bin', 'w'],
  ] as const) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), text);
  }
  await using hub = await startHub({ folder, gated: { 'acme/x': 'manual' }, token: 'hf_t' });
  const headers = { authorization: 'Bearer hf_t' };
  const read = async (url: string) => await (await fetch(`${hub.url}${url}`, { headers })).text();
  assert.equal(await read('/acme/x/resolve/main/sub/a.txt'), 'main');
  assert.equal(await read('/acme/x/resolve/dev/sub/a.txt'), 'dev');
  assert.equal((await json(`${hub.url}/api/models/acme/x`)).gated, 'manual');
  const full = await json(`${hub.url}/api/models/acme/x?blobs=true`);
  assert.equal(full.siblings[1].lfs.size, 1);
});

const GIT_ENV = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  GIT_AUTHOR_NAME: 'Testkit',
  GIT_AUTHOR_EMAIL: 'testkit@example.org',
  GIT_AUTHOR_DATE: '2026-01-01T00:00:00Z',
  GIT_COMMITTER_NAME: 'Testkit',
  GIT_COMMITTER_EMAIL: 'testkit@example.org',
  GIT_COMMITTER_DATE: '2026-01-01T00:00:00Z',
};

function hasGit(): boolean {
  try {
    execFileSync('git', ['--version']);
    return true;
  } catch {
    return false;
  }
}

function get(url: string): Promise<Response> {
  return fetch(url, { headers: { 'accept-encoding': 'identity' } });
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at piece by piece
async function json(url: string): Promise<any> {
  return await (await get(url)).json();
}
