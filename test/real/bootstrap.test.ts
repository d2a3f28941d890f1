import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { buildBaseImage } from './base-image.ts';
import { missingTools } from './missing-tools.ts';
import { type ContainerOptions, Podman } from './podman.ts';
import type { ToolResult } from './run-tool.ts';
import { makeSlimLikeImage } from './slim-like-image.ts';

// The slim bootstrap in real containers, with the library versions that base images come with.

const OLDEST = '0.23.0';
const NEWEST = '2.4.0';
const VERSIONS = [OLDEST, '0.36.0', '1.0.1', NEWEST];
const ID = 'org/small';
const MIB = 1024 * 1024;

const FILES = {
  'config.json': Buffer.from('{"model_type":"small"}'),
  'empty.txt': Buffer.alloc(0),
  'sub/tokenizer.json': Buffer.alloc(200_000, 'tokens '),
  'model-1.safetensors': Buffer.alloc(40 * MIB, 'weights of the first file '),
  'model-2.safetensors': Buffer.alloc(3 * MIB, 'weights of the second file '),
};
const TOTAL_BYTES = Object.values(FILES).reduce((sum, bytes) => sum + bytes.length, 0);

const missing = missingTools(['podman', 'runc', 'skopeo', 'umoci', 'mmdebstrap', 'flock']);

describe('slim bootstrap in containers', { skip: missing, concurrency: false }, () => {
  let folder: string;
  let podman: Podman;
  let hub: EmbeddedHub;
  let revision: string;
  let count = 0;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-slim-'));
    podman = await Podman.create();
    for (const version of VERSIONS) {
      const slim = await makeSlimLikeImage(await buildBaseImage({ huggingfaceHub: version }), folder);
      await podman.load(slim.ociLayout, slim.tag, imageWith(version));
    }
    hub = await startHub({ token: 'hf_valid' });
    revision = await hub.addModel({ id: ID, files: FILES });
    await hub.addModel({ id: 'org/gated', gated: 'auto', files: FILES });
  });

  after(async () => {
    await hub?.close();
    await podman?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  for (const version of VERSIONS) {
    test(`huggingface_hub ${version}: brings the model, and starts again without the Hub`, async () => {
      const volume = await newVolume();
      const first = await podman.run(await slim(volume, { image: imageWith(version), args: ['--x', 'y'] }));
      assert.equal(first.exitCode, 0, first.stderr);
      const name = ['--served-model-name', ID];
      assert.deepEqual(argvOf(first), ['serve', '/models/small', ...name, '--port', '8000', '--x', 'y']);
      assert.deepEqual(filesOf(first), FILE_LIST);
      assert.equal(readyOf(first).downloadedBytes, TOTAL_BYTES);

      const before = hub.log.length;
      const options = await slim(volume, {
        image: imageWith(version),
        env: { HF_ENDPOINT: 'http://127.0.0.1:9' },
      });
      for (const verify of ['size', 'full', 'off']) {
        const env = { ...options.env, WEIGHBRIDGE_VERIFY: verify };
        const again = await podman.run({ ...options, env, flags: ['--read-only'] });
        assert.equal(again.exitCode, 0, again.stderr);
        assert.deepEqual(filesOf(again), FILE_LIST);
        assert.equal(readyOf(again).downloadedBytes, 0);
      }
      assert.equal(hub.log.length, before);
    });
  }

  test('a filled volume is served read-only, with all checks', async () => {
    const volume = await newVolume();
    assert.equal((await podman.run(await slim(volume))).exitCode, 0);
    for (const verify of ['size', 'full']) {
      const env = { HF_ENDPOINT: 'http://127.0.0.1:9', WEIGHBRIDGE_VERIFY: verify };
      const again = await podman.run(await slim(volume, { volumes: [`${volume}:/models/small:ro`], env }));
      assert.equal(again.exitCode, 0, again.stderr);
      assert.deepEqual(filesOf(again), FILE_LIST);
    }
  });

  for (const version of [OLDEST, NEWEST]) {
    test(`huggingface_hub ${version}: a killed download is not whole, and is resumed`, async () => {
      const volume = await newVolume();
      const slow = hub.faults.add({ match: /GET cdn/, kind: 'slow', bytesPerSecond: 8 * MIB, times: 2 });
      const options = await slim(volume, { image: imageWith(version) });
      const container = await podman.start(options);
      await untilPartOf(volume, 10 * MIB);
      await container.kill('SIGKILL');
      const killed = await container.ended;
      slow.remove();
      assert.doesNotMatch(killed.stdout, /STAND-IN/);
      assert.ok(!(await readdir(volume)).includes('model-1.safetensors'));

      const from = hub.log.length;
      const again = await podman.run(options);
      assert.equal(again.exitCode, 0, again.stderr);
      assert.deepEqual(filesOf(again), FILE_LIST);
      assert.ok(readyOf(again).downloadedBytes <= 30 * MIB, again.stderr);
      const ranges = hub.log.slice(from).map(entry => entry.range);
      assert.ok(
        ranges.some(range => /^bytes=[1-9]\d{7}-/.test(range ?? '')),
        String(ranges),
      );
    });
  }

  test('two containers on one volume fetch once', async () => {
    const volume = await newVolume();
    const slow = hub.faults.add({ match: /GET cdn/, kind: 'slow', bytesPerSecond: 10 * MIB, times: 2 });
    const from = hub.log.length;
    const options = await slim(volume);
    const both = await Promise.all([podman.run(options), podman.run(options)]);
    slow.remove();
    assert.deepEqual(both.map(filesOf), [FILE_LIST, FILE_LIST]);
    const fetched = hub.log.slice(from).filter(entry => entry.origin === 'cdn' && entry.method === 'GET');
    assert.equal(
      fetched.reduce((sum, entry) => sum + entry.bytes, 0),
      43 * MIB,
    );
    assert.match(
      both.map(result => result.stderr).join(),
      /another container is fetching into \/models\/small; waiting/,
    );
  });

  test('a gated model: no token, an unknown one, the old variable', async () => {
    const volume = await newVolume();
    const options = await slim(volume, {}, 'org/gated');
    const none = await podman.run(options);
    assert.equal(none.exitCode, 1);
    assert.match(none.stderr, /^weighbridge: org\/gated is gated; set HF_TOKEN \([^\n]*\n$/);

    const unknown = await podman.run({ ...options, env: { ...options.env, HF_TOKEN: 'hf_wrong' } });
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /^weighbridge: the Hub does not know the token that is set[^\n]*\n$/);

    const old = { ...options.env, HF_TOKEN: '', HUGGING_FACE_HUB_TOKEN: 'hf_valid' };
    const given = await podman.run({ ...options, env: old });
    assert.equal(given.exitCode, 0, given.stderr);
    assert.doesNotMatch(given.stderr, /hf_valid/);
    assert.equal(hub.leakedTokens, 0);
  });

  test('SIGTERM in a download ends it and leaves what has come', async () => {
    const volume = await newVolume();
    const stall = hub.faults.add({ match: /GET cdn/, kind: 'stall', afterBytes: 12 * MIB, times: 2 });
    const container = await podman.start(await slim(volume));
    await untilPartOf(volume, 10 * MIB);
    await container.kill('SIGTERM');
    const ended = await container.ended;
    stall.remove();
    assert.equal(ended.exitCode, 143);
    assert.match(ended.stderr, /weighbridge: SIGTERM: stopping; what has come is kept\n$/);
    assert.doesNotMatch(ended.stderr, /Traceback/);
  });

  test('the server gets SIGTERM itself', async () => {
    const volume = await newVolume();
    const options = await slim(volume, { args: ['--host', '127.0.0.1', '--port', '0'] });
    const container = await podman.start({ ...options, env: { ...options.env, VLLM_STAND_IN_EXIT: '0' } });
    await container.waitFor(/stand-in listening/);
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(container.output.stdout)?.[1];
    const models = (await (await fetch(`http://127.0.0.1:${port}/v1/models`)).json()) as {
      data: { id: string }[];
    };
    assert.deepEqual(
      models.data.map(model => model.id),
      [ID],
    );
    await container.kill('SIGTERM');
    assert.equal((await container.ended).exitCode, 0);
  });

  test('bash runs in place of the server', async () => {
    const from = hub.log.length;
    const result = await podman.run(
      await slim(await newVolume(), { args: ['bash', '-c', 'echo $1; exit 7', '-', 'hello'] }),
    );
    assert.deepEqual([result.stdout, result.stderr, result.exitCode], ['hello\n', '', 7]);
    assert.equal(hub.log.length, from);
  });

  test('an arbitrary user, no HOME, a read-only root', async () => {
    const volume = await newVolume();
    await chmod(volume, 0o777);
    const args = ['env', '-u', 'HOME', '/opt/weighbridge/bootstrap'];
    for (const version of [OLDEST, NEWEST]) {
      await rm(volume, { recursive: true });
      await mkdir(volume);
      await chmod(volume, 0o777);
      const run = await slim(volume, {
        image: imageWith(version),
        args,
        user: '12345:0',
        flags: ['--read-only'],
      });
      const result = await podman.run(run);
      assert.equal(result.exitCode, 0, result.stderr);
      assert.deepEqual(filesOf(result), FILE_LIST);
      assert.equal((await stat(path.join(volume, 'config.json'))).uid, 12345);
    }
  });

  test('SERVE_ARGS is split as a shell would', async () => {
    const volume = await newVolume();
    const env = {
      SERVE_ARGS: `--limit-mm-per-prompt '{"image": 2}' --chat-template "a b" --served_model_name=mine`,
    };
    const result = await podman.run(await slim(volume, { env }));
    const expected = [
      '--limit-mm-per-prompt',
      '{"image": 2}',
      '--chat-template',
      'a b',
      '--served_model_name=mine',
    ];
    assert.deepEqual(argvOf(result), ['serve', '/models/small', ...expected]);
    const broken = await podman.run(await slim(volume, { env: { SERVE_ARGS: "--x 'y" } }));
    assert.equal(broken.exitCode, 2);
  });

  test('each trouble has its line and its status', async () => {
    const volume = await newVolume();
    const fails = async (status: number, line: RegExp, change: Partial<ContainerOptions>): Promise<void> => {
      const result = await podman.run(await slim(volume, change));
      assert.equal(result.exitCode, status, result.stderr);
      assert.match(result.stderr, line);
      assert.doesNotMatch(result.stderr + result.stdout, /Traceback|Signature=|STAND-IN/);
    };
    await fails(13, /needs 45\.3 MB more and has 8\.\d MB free/, {
      volumes: [],
      flags: ['--mount', 'type=tmpfs,destination=/models/small,tmpfs-size=8m'],
    });
    await fails(14, /user 12345 may not read and write in \/models\/small/, { user: '12345:0' });
    await fails(11, /HF_HUB_OFFLINE is set, but \/models\/small does not hold the whole model/, {
      env: { HF_HUB_OFFLINE: '1' },
    });
    hub.faults.add({ match: /GET cdn/, kind: 'corrupt', afterBytes: 5, times: 4 });
    await fails(15, /does not have the listed size and hash/, {});
    hub.faults.clear();
    await rm(volume, { recursive: true });
    await mkdir(volume);
    await writeFile(path.join(volume, 'config.json'), '{"mine": true}');
    await fails(16, /\/models\/small\/config\.json was not put there by this image/, {});
  });

  /** Options for a slim container of the model, the Hub's address and the list mounted in. */
  async function slim(
    volume: string,
    change: Partial<ContainerOptions> = {},
    id = ID,
  ): Promise<ContainerOptions> {
    const list = path.join(folder, `model-${++count}.json`);
    await writeFile(
      list,
      JSON.stringify({
        ...MODEL,
        id,
        revision: id === ID ? revision : hub.repository(id).branches.get('main'),
      }),
    );
    const mounts = [`${list}:/opt/weighbridge/model.json:ro`];
    return {
      image: imageWith('0.36.0'),
      ...change,
      volumes: [...mounts, ...(change.volumes ?? [`${volume}:/models/small`])],
      env: { HF_ENDPOINT: hub.url, VLLM_STAND_IN_EXIT: '1', ...change.env },
    };
  }

  async function newVolume(): Promise<string> {
    const volume = path.join(folder, `volume-${++count}`);
    await mkdir(volume);
    return volume;
  }
});

const FILE_LIST = Object.entries(FILES)
  .map(([file, bytes]) => ({ path: file, size: bytes.length, sha256: hex('sha256', bytes) }))
  .sort((a, b) => (a.path < b.path ? -1 : 1));

const MODEL = {
  schemaVersion: 1,
  short: 'small',
  dir: '/models/small',
  command: ['vllm', 'serve'],
  serveArgs: ['--port', '8000'],
  files: Object.entries(FILES).map(([file, bytes]) => ({
    path: file,
    size: bytes.length,
    ...(file.endsWith('.safetensors')
      ? { sha256: hex('sha256', bytes) }
      : { gitOid: hex('sha1', Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes])) }),
  })),
};

function hex(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex');
}

function imageWith(version: string): string {
  return `localhost/slim:${version}`;
}

function argvOf(result: ToolResult): string[] {
  return (JSON.parse(result.stdout.split('\n')[1] ?? '{}') as { argv: string[] }).argv;
}

function filesOf(result: ToolResult): unknown[] {
  const { files } = JSON.parse(result.stdout.split('\n')[2] ?? '{}') as { files: { path: string }[] };
  return files.filter(file => file.path !== '.weighbridge.json');
}

function readyOf(result: ToolResult): { downloadedBytes: number } {
  const line = result.stderr.trim().split('\n').at(-1) ?? '';
  assert.match(line, /^weighbridge: \{"event":"ready",/);
  return JSON.parse(line.slice('weighbridge: '.length));
}

async function untilPartOf(volume: string, sizeBytes: number): Promise<void> {
  const parts = path.join(volume, '.weighbridge', 'parts');
  for (let attempt = 0; attempt < 600; attempt++) {
    const names = await readdir(parts).catch(() => []);
    const sizes = await Promise.all(
      names.map(name =>
        stat(path.join(parts, name)).then(
          s => s.size,
          () => 0,
        ),
      ),
    );
    if (sizes.some(size => size >= sizeBytes)) return;
    await sleep(50);
  }
  throw new Error(`no part of ${sizeBytes} bytes in ${parts}`);
}
