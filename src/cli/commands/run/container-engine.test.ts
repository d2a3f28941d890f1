import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ConfigError, WeighbridgeError } from '../../../core/errors.ts';
import {
  detectGpu,
  findEngine,
  loadArchive,
  loadedNames,
  parseEngine,
  runContainer,
} from './container-engine.ts';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'weighbridge-engine-'));
});
after(() => rm(root, { recursive: true }));

/** A PATH with these programs only, each the body of a shell script. */
async function pathWith(programs: Readonly<Record<string, string>>): Promise<{ PATH: string }> {
  const folder = await mkdtemp(path.join(root, 'bin-'));
  for (const [name, body] of Object.entries(programs)) {
    await writeFile(path.join(folder, name), `#!/bin/sh\n${body}\n`);
    await chmod(path.join(folder, name), 0o755);
  }
  return { PATH: folder };
}

const CLIENT_ONLY = 'echo "Client: 28.2.2"; echo "Cannot connect to the Docker daemon" >&2; exit 1';
const DOCKER = '[ "$*" = "version --format {{.Server.Version}}" ] && echo 28.2.2';
const PODMAN = '[ "$*" = version ] && echo "Version: 5.0"';

test('docker goes before podman where both work', async () => {
  const env = await pathWith({ docker: DOCKER, podman: PODMAN });
  assert.deepEqual(await findEngine({ wanted: undefined, env }), { kind: 'docker', words: ['docker'] });
});

test("docker's client without an engine is passed over", async () => {
  const env = await pathWith({ docker: CLIENT_ONLY, podman: PODMAN });
  assert.deepEqual(await findEngine({ wanted: undefined, env }), { kind: 'podman', words: ['podman'] });
});

test('a docker that tells no version of an engine is passed over', async () => {
  const env = await pathWith({ docker: 'echo', podman: PODMAN });
  assert.equal((await findEngine({ wanted: undefined, env })).kind, 'podman');
});

test('where none works, the error has the reason of each and what to do', async () => {
  const env = await pathWith({ docker: CLIENT_ONLY });
  await assert.rejects(findEngine({ wanted: undefined, env }), (error: ConfigError) => {
    assert.ok(error instanceof ConfigError);
    assert.equal(error.code, 'USAGE');
    assert.match(error.message, /docker: Cannot connect to the Docker daemon; podman: not installed/);
    assert.match(error.remedy ?? '', /--engine/);
    return true;
  });
});

test('the engine that was asked for is taken or refused, never replaced', async () => {
  const env = await pathWith({ docker: DOCKER, podman: 'exit 125', sudo: 'PATH=$PATH exec "$@"' });
  await assert.rejects(findEngine({ wanted: 'podman', env }), /podman: status 125/);
  assert.deepEqual(await findEngine({ wanted: 'sudo docker', env }), {
    kind: 'docker',
    words: ['sudo', 'docker'],
  });
});

test('--engine is a list of words with an engine in it', () => {
  assert.deepEqual(parseEngine('/opt/bin/podman  --runtime runc'), {
    kind: 'podman',
    words: ['/opt/bin/podman', '--runtime', 'runc'],
  });
  assert.equal(parseEngine('podman --root /var/docker').kind, 'podman');
  for (const wrong of ['', ' ', 'nerdctl', 'docker-compose']) {
    assert.throws(() => parseEngine(wrong), { code: 'USAGE' }, wrong);
  }
});

test('an interrupted question ends as an interruption', async () => {
  const env = await pathWith({ docker: 'exec /bin/sleep 60' });
  const controller = new AbortController();
  const found = findEngine({ wanted: 'docker', env, signal: controller.signal });
  controller.abort();
  await assert.rejects(found, { name: 'AbortError' });
});

test('names of loaded images, as each engine tells them', () => {
  assert.deepEqual(loadedNames('Loaded image: hf-x:v1-slim\nLoaded image: hf-x:v1-fat\n'), [
    'hf-x:v1-slim',
    'hf-x:v1-fat',
  ]);
  assert.deepEqual(loadedNames('Getting image…\nLoaded image(s): localhost/hf-x:a,localhost/hf-x:b\n'), [
    'localhost/hf-x:a',
    'localhost/hf-x:b',
  ]);
  assert.deepEqual(loadedNames('Loaded image ID: sha256:abc\n'), []);
});

test('an archive is loaded by the engine', async () => {
  const env = await pathWith({ docker: '[ "$1 $2" = "load -i" ] && echo "Loaded image: hf-x:from-$(($#))"' });
  const file = path.join(root, 'x.tar');
  await writeFile(file, '');
  assert.deepEqual(await loadArchive(parseEngine('docker'), file, { env }), ['hf-x:from-3']);
});

test('an archive that is not there, or that the engine refuses', async () => {
  const env = await pathWith({ docker: 'exit 3' });
  const load = (file: string): Promise<string[]> => loadArchive(parseEngine('docker'), file, { env });
  await assert.rejects(load(path.join(root, 'none.tar')), { code: 'USAGE', message: /there is no file/ });
  const file = path.join(root, 'bad.tar');
  await writeFile(file, '');
  await assert.rejects(load(file), (error: WeighbridgeError) => {
    assert.ok(error instanceof WeighbridgeError);
    assert.equal(error.code, 'STORE_IO');
    assert.match(error.message, /status 3/);
    return true;
  });
});

test('the status is that of the container', async () => {
  const env = await pathWith({ docker: 'exit 42', podman: 'kill -TERM $$' });
  assert.equal(await runContainer(parseEngine('docker'), ['run'], env), 42);
  assert.equal(await runContainer(parseEngine('podman'), ['run'], env), 143);
});

test('SIGTERM goes to the engine, and its own end is waited for', async () => {
  const file = path.join(root, 'signal');
  const env = await pathWith({
    docker: `trap 'echo stopped > ${file}; exit 7' TERM; echo ready > ${file}; while :; do /bin/sleep 0.05; done`,
  });
  const ended = runContainer(parseEngine('docker'), [], env);
  while ((await readFile(file, 'utf8').catch(() => '')) !== 'ready\n') await new Promise(setImmediate);
  process.emit('SIGTERM');
  assert.equal(await ended, 7);
  assert.equal(await readFile(file, 'utf8'), 'stopped\n');
  assert.equal(process.listenerCount('SIGTERM'), 0);
});

test('GPUs: by device, by nvidia-smi, or none', async () => {
  const none = await pathWith({ 'nvidia-smi': 'exit 9' });
  const smi = await pathWith({ 'nvidia-smi': 'echo GPU 0' });
  const has =
    (...devices: string[]) =>
    (device: string): boolean =>
      devices.includes(device);
  assert.equal(await detectGpu({ env: none, hasDevice: has() }), undefined);
  assert.equal(await detectGpu({ env: smi, hasDevice: has() }), 'nvidia');
  assert.equal(await detectGpu({ env: none, hasDevice: has('/dev/nvidiactl', '/dev/kfd') }), 'nvidia');
  assert.equal(await detectGpu({ env: none, hasDevice: has('/dev/kfd') }), 'amd');
});
