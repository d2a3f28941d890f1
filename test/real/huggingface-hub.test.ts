import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { filesIn } from '../support/files-in.ts';
import { onlyLong } from '../support/long.ts';
import { HUB_VERSIONS, pythonWithHub } from '../support/python.ts';
import { requireTool, run, temporaryFolder } from '../support/tools.ts';

const skip = requireTool('python3');
const BIG = { sizeBytes: 6_000_000, seed: 'big' };

for (const version of HUB_VERSIONS) {
  describe(`the embedded Hub serves huggingface_hub ${version}`, {
    skip: skip || (version === HUB_VERSIONS.at(-1) ? false : onlyLong),
  }, () => {
    test('a snapshot of a model, renamed since, is that model', async t => {
      await using hub = await startHub();
      const files = await sampleModelFiles();
      await hub.addModel({ id: 'acme/old', files });
      hub.rename('acme/old', 'acme/tiny');
      const folder = await temporaryFolder(t);
      await python(hub, folder, version, `snapshot_download('acme/old', local_dir=out, token=False)`);
      const names = (await filesIn(folder)).filter(name => !name.startsWith('.cache/'));
      assert.deepEqual(names, Object.keys(files).sort());
      for (const [name, content] of Object.entries(files)) {
        assert.ok((await readFile(path.join(folder, name))).equals(Buffer.from(content)), name);
      }
      assert.equal(hub.leakedTokens, 0);
    });

    test('a gated model is for those who may', async t => {
      await using hub = await startHub({
        token: 'hf_yes',
        tokens: { hf_no: { name: 'no', repositories: [] } },
      });
      await hub.addModel({ id: 'acme/gated', gated: 'manual', files: { 'a.txt': 'a', 'w.bin': BIG } });
      const folder = await temporaryFolder(t);
      const attempt = (token: string) => `
try:
  hf_hub_download('acme/gated', 'w.bin', local_dir=out, token=${token})
except Exception as error:
  show(type(error).__name__, error.response.status_code)`;
      const code = [
        attempt('False'),
        attempt('"hf_no"'),
        attempt('"hf_wrong"'),
        `show(model_info('acme/gated', token=False).gated)`,
        `show(len(open(hf_hub_download('acme/gated', 'w.bin', local_dir=out, token='hf_yes'), 'rb').read()))`,
      ];
      assert.deepEqual(await python(hub, folder, version, ...code), [
        ['GatedRepoError', 401],
        ['GatedRepoError', 403],
        ['HfHubHTTPError', 401],
        ['manual'],
        [BIG.sizeBytes],
      ]);
      assert.equal(hub.leakedTokens, 0);
    });

    test('what it tells of a model is what was put in', async t => {
      await using hub = await startHub({ treePageSize: 4 });
      const files = await sampleModelFiles();
      const sha = await hub.addModel({ id: 'acme/tiny', files });
      hub.tag('acme/tiny', 'v1');
      const shown = await python(
        hub,
        await temporaryFolder(t),
        version,
        `info = model_info('acme/tiny', revision='v1', files_metadata=True)`,
        `show(info.sha, info.gated, info.private, info.card_data.license, info.pipeline_tag)`,
        `show({s.rfilename: [s.size, s.lfs.sha256 if s.lfs else None] for s in info.siblings})`,
        `tree = list(HfApi().list_repo_tree('acme/tiny', recursive=True))`,
        `show({e.path: [e.size, e.lfs.sha256 if e.lfs else None] for e in tree if hasattr(e, 'size')})`,
        `show([e.path for e in tree if not hasattr(e, 'size')])`,
        `show([e.path for e in HfApi().get_paths_info('acme/tiny', ['LICENSE', 'none'])])`,
        `show([r.name for r in HfApi().list_repo_refs('acme/tiny').tags])`,
      );
      const expected = Object.fromEntries(
        Object.entries(files).map(([name, content]) => {
          const isLfs = /\.(safetensors|bin|png)$/.test(name);
          const sha256 = createHash('sha256').update(content).digest('hex');
          return [name, [Buffer.byteLength(content), isLfs ? sha256 : null]];
        }),
      );
      const [facts, siblings, tree, ...lists] = shown;
      assert.deepEqual(facts, [sha, false, false, 'apache-2.0', 'text-generation']);
      assert.deepEqual(siblings, [expected]);
      assert.deepEqual(tree, [expected]);
      assert.deepEqual(lists, [[['assets']], [['LICENSE']], [['v1']]]);
      assert.ok(hub.log.filter(({ path }) => path.includes('/tree/')).length > 1, 'more than one page');
    });

    test('a download that is cut goes on where it stopped', async t => {
      await using hub = await startHub();
      // The client writes 10 MB at a time, and what it has not written is lost with the connection.
      await hub.addModel({ id: 'acme/x', files: { 'w.bin': { sizeBytes: 25_000_000, seed: 'cut' } } });
      const fault = hub.faults.add({ match: /GET cdn/, kind: 'truncate', afterBytes: 15_000_000 });
      const folder = await temporaryFolder(t);
      // The older version gives up when the connection ends, and goes on when it is called again.
      const download = `hf_hub_download('acme/x', 'w.bin', local_dir=out)`;
      await python(hub, folder, version, `try: ${download}`, `except Exception: ${download}`);
      const sha256 = createHash('sha256')
        .update(await readFile(path.join(folder, 'w.bin')))
        .digest('hex');
      assert.equal(await linkedEtag(hub, 'acme/x', 'w.bin'), `"${sha256}"`);
      assert.equal(fault.struck, 1);
      const ranges = hub.log.filter(({ origin }) => origin === 'cdn').map(({ range }) => range);
      assert.equal(ranges.length, 2);
      assert.match(ranges[1] ?? '', /^bytes=[1-9]\d*-/);
    });

    test('a file that is kept in Xet comes from there', async t => {
      await using hub = await startHub();
      // More than one window of chunks, and a last chunk that is not full.
      const file = { sizeBytes: 20_000_123, seed: 'xet' };
      await hub.addModel({ id: 'acme/xet', isXet: true, files: { 'w.bin': file } });
      const folder = await temporaryFolder(t);
      await python(hub, folder, version, `hf_hub_download('acme/xet', 'w.bin', local_dir=out)`);
      const sha256 = createHash('sha256').update(await readFile(path.join(folder, 'w.bin')));
      assert.equal(await linkedEtag(hub, 'acme/xet', 'w.bin'), `"${sha256.digest('hex')}"`);
      const moved = (origin: string) =>
        hub.log.filter(entry => entry.origin === origin).reduce((sum, { bytes }) => sum + bytes, 0);
      assert.ok(moved('xet') > file.sizeBytes && moved('cdn') === 0);
    });

    test('what is not there is told apart', async t => {
      await using hub = await startHub({ token: 'hf_t' });
      await hub.addModel({ id: 'acme/x', files: { 'a.txt': 'a' } });
      const attempt = (call: string) => `
try:
  ${call}
except Exception as error:
  show(type(error).__name__)`;
      const shown = await python(
        hub,
        await temporaryFolder(t),
        version,
        attempt(`model_info('acme/none', token='hf_t')`),
        attempt(`model_info('acme/x', revision='none')`),
        attempt(`hf_hub_download('acme/x', 'none.txt', local_dir=out)`),
      );
      assert.deepEqual(
        shown.map(([name]) => String(name).replace('RemoteEntry', 'Entry')),
        ['RepositoryNotFoundError', 'RevisionNotFoundError', 'EntryNotFoundError'],
      );
    });
  });
}

/** Runs lines of Python against the Hub, and gives what they `show()`ed. */
async function python(
  hub: EmbeddedHub,
  out: string,
  version: string,
  ...lines: readonly string[]
): Promise<unknown[][]> {
  const code = [
    'import json, os',
    'from huggingface_hub import *',
    'out = os.environ["OUT"]',
    'def show(*values): print("SHOWN" + json.dumps(values))',
    ...lines,
  ].join('\n');
  const result = await run(await pythonWithHub(version), ['-c', code], {
    env: {
      OUT: out,
      HF_ENDPOINT: hub.url,
      HF_HOME: path.join(out, '.cache', 'home'),
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      HF_TOKEN: undefined,
      HUGGING_FACE_HUB_TOKEN: undefined,
    },
  });
  assert.equal(result.status, 0, result.stderr);
  const shown = result.stdout.split('\n').filter(line => line.startsWith('SHOWN'));
  return shown.map(line => JSON.parse(line.slice('SHOWN'.length)));
}

async function linkedEtag(hub: EmbeddedHub, id: string, file: string): Promise<string | null> {
  const response = await fetch(`${hub.url}/${id}/resolve/main/${file}`, { redirect: 'manual' });
  return response.headers.get('x-linked-etag');
}
