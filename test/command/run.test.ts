import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type CommandResult, ROOT, startWeighbridge, weighbridge } from '../support/command.ts';

const TOKEN = 'hf_thisIsASecretOfThisTest';
const MODELS = `
registries: { lab: localhost:5000/m }
models:
  - { id: org/x, short: x, serve_args: ["--port", "8080"] }
  - { id: org/y, short: y, download_root: /data }
`;
/** Says what it was called with, and whether the token came along, or what an engine has no use for. */
const DOCKER = `#!/bin/sh
case $1 in
  version) echo 28.2.2 ;;
  load) echo "Loaded image: hf-x:v0.6.0-fat" ;;
  run) for word; do echo "$word"; done; echo "token=$HF_TOKEN$GITHUB_TOKEN$MY_KEY"; exit 42 ;;
esac`;
/** Waits for a signal, as a container that needs long to stop. */
const SLOW_DOCKER = `#!/bin/sh
[ "$1" = version ] && echo 28.2.2 && exit
trap 'sleep 3; echo stopped; exit 5' INT TERM
echo running
while :; do sleep 0.1; done`;

let folder: string;
before(async () => {
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'weighbridge-run-')));
  await writeFile(path.join(folder, 'models.yaml'), MODELS);
  await writeFile(path.join(folder, 'fat.tar'), '');
  await writeFile(path.join(folder, 'docker'), DOCKER);
  await chmod(path.join(folder, 'docker'), 0o755);
  await writeFile(path.join(folder, 'podman'), SLOW_DOCKER);
  await chmod(path.join(folder, 'podman'), 0o755);
});
after(() => rm(folder, { recursive: true }));

function options() {
  const others = { GITHUB_TOKEN: 'ghs_x', MY_KEY: '-----BEGIN PRIVATE KEY-----' };
  return { cwd: folder, env: { PATH: `${folder}:${process.env.PATH}`, HF_TOKEN: TOKEN, ...others } };
}

async function run(...args: string[]): Promise<CommandResult> {
  return await weighbridge(['run', ...args], options());
}

test('runs the slim image: volume made, token by name, status of the container', async () => {
  const { status, stdout, stderr } = await run('x', '--gpus', 'none', '--', '--max-model-len', '4096');
  const volume = path.join(folder, 'models');
  const expected =
    `run --rm -p 8080:8080 -v ${volume}:/models -e HF_TOKEN --ipc=host ` +
    'localhost:5000/m/hf-x:v0.6.0-slim --max-model-len 4096';
  assert.equal(status, 42, stderr);
  assert.equal(stdout, `${expected.replaceAll(' ', '\n')}\ntoken=${TOKEN}\n`);
  assert.ok(stderr.split('\n').includes(`docker ${expected}`), stderr);
  assert.match(stderr, /CPU build/);
  assert.ok(!stderr.includes(TOKEN));
  assert.ok((await stat(volume)).isDirectory());
});

test('--print shows the command and runs nothing', async () => {
  const { status, stdout } = await run(
    'y',
    '--print',
    '--gpus',
    'all',
    '-v',
    'new dir/y',
    '-d',
    '--name',
    'z',
  );
  const volume = path.join(folder, 'new dir', 'y');
  assert.equal(status, 0);
  assert.equal(
    stdout,
    `mkdir -p '${volume}'\n` +
      `docker run --rm -d --name z -p 8000:8000 -v '${volume}:/data' -e HF_TOKEN --gpus all --ipc=host ` +
      'localhost:5000/m/hf-y:v0.6.0-slim\n',
  );
  await assert.rejects(stat(volume), { code: 'ENOENT' });
});

test('an archive is loaded, and the variant that it has is run', async () => {
  const args = ['--archive', 'fat.tar', '-p', '9000', '--engine-arg=--read-only', '--', '-x', '--', 'y'];
  const { stdout } = await run('x', ...args);
  assert.match(stdout, /-p\n9000:8080\n/);
  assert.match(stdout, /\n--read-only\nhf-x:v0\.6\.0-fat\n-x\n--\ny\ntoken=/);
  assert.doesNotMatch(stdout, /HF_TOKEN|models/);
});

test('an image alone needs no models.yaml', async () => {
  const { stdout } = await run('--image', 'a/b:1-slim', '-c', 'none.yaml', '-v', 'w', '--', '--seed', '1');
  assert.match(stdout, /\n8000:8000\n-v\nw:\/models\n/);
  assert.match(stdout, /\na\/b:1-slim\n--seed\n1\n/);
});

test('calls that are wrong end with 2 and run nothing', async () => {
  const wrong: [string[], RegExp][] = [
    [[], /no model was named[\s\S]*x, y/],
    [['xx'], /no model "xx"[\s\S]*Did you mean x/],
    [['x', 'y'], /unexpected argument "y"[\s\S]*after --/],
    [['x', '--port', '70000'], /1 to 65535/],
    [['x', '--volume', 'a b'], /neither a folder nor the name/],
    [['x', '--engine', 'nerdctl'], /neither docker nor podman/],
    [['x', '--archive', 'none.tar'], /there is no file none\.tar/],
  ];
  for (const [args, message] of wrong) {
    const { status, stdout, stderr } = await run(...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
    assert.equal(stdout, '');
  }
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} leaves the container the time that it takes to stop`, async () => {
    const child = startWeighbridge(['run', 'x', '--engine', 'podman'], options());
    const closed = once(child, 'close');
    let stdout = '';
    for await (const chunk of child.stdout) {
      stdout += chunk;
      if (stdout === 'running\n') child.kill(signal);
    }
    assert.deepEqual(await closed, [5, null]);
    assert.equal(stdout, 'running\nstopped\n');
  });
}

test('the help and docs/run.md have the same flags', async () => {
  const { status, stdout } = await run('--help');
  assert.equal(status, 0);
  assert.match(stdout, /Usage: weighbridge run \[options\] \[short\] \[-- <vllm args…>\]/);
  const guide = await readFile(path.join(ROOT, 'docs', 'run.md'), 'utf8');
  const flags = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);
  assert.ok(flags.length > 12, stdout);
  assert.deepEqual(
    flags.filter(flag => flag !== '--help' && !guide.includes(`\`${flag}`)),
    [],
  );
});
