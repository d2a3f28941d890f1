import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { type CommandResult, ROOT, startWeighbridge, weighbridge } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';

// What a user does wrong, or the world does to him: one clear message, what to do, the right status, nothing half done.

let folder: string;
let hub: EmbeddedHub;
let good: EmbeddedRegistry;
let bad: EmbeddedRegistry;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-bad-'));
  hub = await startHub();
  await hub.addModel({ id: 'acme/one', files: await sampleModelFiles() });
  await hub.addModel({ id: 'acme/two', files: await sampleModelFiles({ seed: 2 }) });
  await hub.addModel({ id: 'acme/gated', gated: 'manual', files: await sampleModelFiles() });
});
beforeEach(async () => {
  good = await startRegistry();
  bad = await startRegistry();
  await makeBaseImage(good, 'vllm/vllm-openai', 'v0.6.0');
});
afterEach(async () => {
  await Promise.all([good.close(), bad.close()]);
});
after(async () => {
  await hub.close();
  await rm(folder, { recursive: true, force: true });
});

const ONE = '  - { id: acme/one, short: one }';
const TWO = '  - { id: acme/two, short: two }';

async function run(models: string, options: RunOptions = {}): Promise<CommandResult> {
  await writeConfig(models, options);
  return await weighbridge(options.args ?? ['publish'], {
    cwd: folder,
    env: { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder, ...options.env },
  });
}

async function writeConfig(
  models: string,
  {
    base = `${good.host}/vllm/vllm-openai:v0.6.0`,
    registries = `good: ${good.host}/m`,
    arch = 'linux/amd64',
  }: ConfigOptions = {},
): Promise<void> {
  await writeFile(
    path.join(folder, 'models.yaml'),
    `registries: { ${registries} }\ndefaults: { base_image: "${base}", arch: ${arch} }\nmodels:\n${models}\n`,
  );
}

interface ConfigOptions {
  readonly base?: string;
  readonly arch?: string;
  readonly registries?: string;
}

interface RunOptions extends ConfigOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const tagsOf = (registry: EmbeddedRegistry, short: string): string[] =>
  registry.repositories.includes(`m/hf-${short}`)
    ? [...registry.repository(`m/hf-${short}`).tags.keys()]
    : [];

test('inspect of a short that is not there names the nearest, and asks no registry; status 2', async () => {
  const close = await run(`${ONE}\n${TWO}`, { args: ['inspect', 'ones'] });
  assert.equal(close.status, 2);
  assert.equal(close.stderr, 'weighbridge: models.yaml has no model "ones"\n  Did you mean one?\n');
  const other = await run(ONE, { args: ['inspect', 'postgres'] });
  assert.equal(other.status, 2);
  assert.match(
    other.stderr,
    /has no model "postgres"\n {2}For an image of that name .*: postgres:latest\.\n$/,
  );
});

test('a typo in a key: its place, the text, the nearest key; status 2', async () => {
  const { status, stderr } = await run('  - id: acme/one\n    short: one\n    serve_arg: ["--port"]');
  assert.equal(status, 2);
  assert.match(stderr, /models\.yaml:6:5: unknown key "serve_arg".*did you mean "serve_args"\?/);
  assert.match(stderr, /serve_arg: \["--port"\]\n\s+\^{9}/);
});

test('two models with one short, and whatever else is wrong, in one go; status 2', async () => {
  const { status, stderr } = await run(`${ONE}\n  - { id: acme/two, short: one, gated: perhaps }`);
  assert.equal(status, 2);
  assert.match(stderr, /models\.yaml:5:\d+: .*"one"/);
  assert.match(stderr, /models\.yaml:5:\d+: .*gated/s);
});

test('an id that does not exist fails; the other model is published; status 1', async () => {
  const { status, stdout } = await run(`  - { id: acme/nothing, short: nothing }\n${ONE}`);
  assert.equal(status, 1);
  assert.match(stdout, /acme\/nothing/);
  assert.match(stdout, /2 published/);
  assert.equal(tagsOf(good, 'one').length, 6);
});

test('a gated model without a token: slim only, and the reason; status 0', async () => {
  const { status, stdout } = await run('  - { id: acme/gated, short: gated, permissive: true }');
  assert.equal(status, 0);
  assert.match(stdout, /skipped.*fat/);
  assert.match(stdout, /gated/);
  assert.deepEqual(
    tagsOf(good, 'gated').map(tag => tag.split('-').at(-1)),
    ['slim', 'slim', 'slim'],
  );
});

test('a Hub that is down: said once, with what to check; status 1', async () => {
  const { status, stdout } = await run(`${ONE}\n${TWO}`, { env: { HF_ENDPOINT: 'http://127.0.0.1:9' } });
  assert.equal(status, 1);
  assert.match(stdout, /127\.0\.0\.1:9/);
  assert.match(stdout, /HF_ENDPOINT/);
  assert.match(stdout, /2 models not resolved/);
});

test('a registry that refuses the login: the other one is done; status 1', async t => {
  const locked = await startRegistry({ auth: { kind: 'bearer', user: 'u', password: 'right-password' } });
  t.after(() => locked.close());
  const auth = Buffer.from('u:wrong-password').toString('base64');
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ auths: { [locked.host]: { auth } } }));
  const { status, stdout, stderr } = await run(ONE, {
    registries: `good: ${good.host}/m, locked: ${locked.host}/m`,
  });
  await rm(path.join(folder, 'config.json'));
  assert.equal(status, 1);
  assert.match(stdout, /refused the login/);
  assert.match(stdout, new RegExp(`docker login ${locked.host}`));
  assert.match(stdout, /2 published, 2 failed/);
  assert.doesNotMatch(stdout + stderr, /wrong-password|dTp3cm9uZy/);
  assert.equal(tagsOf(good, 'one').length, 6);
});

const WORKER = '--worker-image localhost:1/w:1';
const WRONG_FORMATS: readonly (readonly [string, RegExp])[] = [
  ['--format kubernetes', /--format kubernetes needs --worker-image/],
  ['--format gitlab', /--format gitlab needs --worker-image/],
  [`--format kubernetes ${WORKER} --json`, /--json cannot be combined with --format kubernetes/],
  [`--format gitlab ${WORKER} --json`, /--json cannot be combined with --format gitlab/],
  [
    `--format kubernetes ${WORKER} --json --explain one`,
    /--json and --explain cannot be combined with --format kubernetes/,
  ],
  [`--format github --explain one`, /--explain cannot be combined with --format github/],
  [`--format kubernetes ${WORKER} --explain one`, /--explain cannot be combined with --format kubernetes/],
  [`--format kubernetes ${WORKER} --model one`, /a Kubernetes Job publishes the whole file/],
  [`--format kubernetes ${WORKER} --shard 1/2`, /a Kubernetes Job publishes the whole file/],
  [`--format gitlab ${WORKER} --parallelism 3`, /--parallelism cannot be combined with --format gitlab/],
  [WORKER, /--worker-image cannot be combined with --format table/],
];

test('what cannot be combined with a format of plan is refused before any work; status 2', {
  skip: onlyLong,
}, async () => {
  const asked = hub.log.length;
  for (const [flags, message] of WRONG_FORMATS) {
    const { status, stdout, stderr } = await run(ONE, { args: ['plan', ...flags.split(' ')] });
    assert.match(stderr, message);
    assert.equal(status, 2, `${flags}: ${stderr}`);
    assert.equal(stderr.match(/^weighbridge: /gm)?.length, 1, stderr);
    assert.ok(stdout === '' || JSON.parse(stdout).error.code === 'USAGE');
  }
  assert.equal(hub.log.length, asked);
});

const REQUIRED_KEY = (key: string) => `signing: { mode: required, key: "${key}" }`;
const WRONG_FILES: readonly (readonly [string, string, RegExp, Readonly<Record<string, string>>?])[] = [
  ['publish', REQUIRED_KEY('env://NOT_SET'), /the key env:\/\/NOT_SET is not set/],
  ['publish', REQUIRED_KEY('none.pem'), /the key none.pem cannot be read: there is no such file/],
  ['publish', REQUIRED_KEY('locked.pem'), /the key locked.pem needs a password/],
  ['publish', REQUIRED_KEY('locked.pem'), /cannot be read with this password/, { COSIGN_PASSWORD: 'wrong' }],
  ['publish', REQUIRED_KEY('cosign.key'), /the key cosign.key is in cosign's own format/],
  ['sign localhost:1/m/x:v', REQUIRED_KEY('env://NOT_SET'), /the key env:\/\/NOT_SET is not set/],
  ['publish', 'signing: { mode: required, keyless: true }', /there is no identity token to sign with/],
  ['sign --keyless localhost:1/m/x:v', '', /there is no identity token to sign with/],
  [
    'publish',
    'signing: { mode: required, keyless: true }',
    /not a JSON web token/,
    { SIGSTORE_ID_TOKEN: 'planted' },
  ],
  ['publish', 'signing: { mode: sign, keyless: true, github_attestations: true }', /needs GITHUB_REPOSITORY/],
  [
    'publish',
    'signing: { upstream: [{ models: ["x/*"], key: none.pub }] }',
    /the key none.pub cannot be read/,
  ],
  [
    'build --output oci:out',
    'signing: { upstream: [{ models: ["x/*"], key: "env://N" }] }',
    /env:\/\/N is not/,
  ],
  [
    'publish',
    'signing: { upstream: [{ models: ["x/*"], identity: a, issuer: "https://b", trusted_root: none.json }] }',
    /none.json cannot be read: there is no such file/,
  ],
  ['scan', 'scan: { ignore_file: none }', /scan.ignore_file none cannot be read: there is no such file/],
];

test('what models.yaml names and is not there or cannot be used is a mistake of the file: status 2', {
  skip: onlyLong,
}, async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const locked = privateKey.export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'right' },
  });
  await writeFile(path.join(folder, 'locked.pem'), locked);
  const begin = '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----';
  await writeFile(path.join(folder, 'cosign.key'), `${begin}\nx\n`);
  const asked = hub.log.length;
  for (const [args, setting, message, env = {}] of WRONG_FILES) {
    const options = { args: [...args.split(' '), '--config', 'models.yaml'], env };
    const { status, stderr } = await run(`${ONE}\n${setting}`, options);
    assert.match(stderr, message);
    assert.equal(status, 2, `${args} with ${setting}: ${stderr}`);
  }
  assert.equal(hub.log.length, asked);
});

test('a registry that is down: the other one is done; status 1', async () => {
  const { status, stdout } = await run(ONE, { registries: `good: ${good.host}/m, down: "127.0.0.1:9/m"` });
  assert.equal(status, 1);
  assert.match(stdout, /127\.0\.0\.1:9 is up and reachable/);
  assert.match(stdout, /2 published, 2 failed/);
  assert.equal(tagsOf(good, 'one').length, 6);
});

test('a registry that is full: said so, nothing tagged there, the other one done; status 1', async () => {
  bad.quirks.fullAfterBytes = 1_000_000;
  const { status, stdout } = await run(ONE, {
    registries: `good: ${good.host}/m, bad: ${bad.host}/m`,
    args: ['publish', '--variant', 'fat'],
  });
  assert.equal(status, 1);
  assert.match(stdout, /no space left|full/);
  assert.match(stdout, /Free space in the registry/);
  assert.deepEqual(tagsOf(bad, 'one'), []);
  assert.equal(tagsOf(good, 'one').length, 3);
});

test('a base image that does not exist, and one without the platform; status 1', async () => {
  const missing = await run(ONE, { base: `${good.host}/vllm/vllm-openai:v9` });
  assert.equal(missing.status, 1);
  assert.match(missing.stdout, /the base image 127\.0\.0\.1:\d+\/vllm\/vllm-openai:v9 does not exist/);
  assert.match(missing.stdout, /Check `base_image`/);
  const platform = await run(ONE, { arch: 'linux/arm64' });
  assert.equal(platform.status, 1);
  assert.match(platform.stdout, /is not available for linux\/arm64: it has linux\/amd64/);
});

test('a call that cannot be parsed is a JSON document too, if the command has --json; status 2', async () => {
  for (const [args, message] of [
    [['plan', '--json', '--josn'], "unknown option '--josn'\n(Did you mean --json?)"],
    [['build', '--json'], "required option '-o, --output <oci:dir | docker-archive:file>' not specified"],
  ] as const) {
    const { status, stdout } = await run(ONE, { args });
    assert.equal(status, 2);
    assert.deepEqual(JSON.parse(stdout), { schemaVersion: 1, error: { code: 'USAGE', message } });
  }
  const without = await run(ONE, { args: ['add', '--json'] });
  assert.deepEqual([without.status, without.stdout], [2, '']);
});

test('options that contradict each other, or that change nothing, are refused before any work; status 2', async () => {
  const before = [hub.log.length, good.log.length];
  for (const [args, message] of [
    [['plan', '--locked', '--no-lock'], '--locked and --no-lock exclude each other'],
    [['publish', '--locked', '--no-lock'], '--locked and --no-lock exclude each other'],
    [['verify', '-m', 'one', 'x:y'], '--model and --registry select images of models.yaml'],
    [['verify', 'x:y', '--save-model-signature', 'model.sig'], 'need --signed'],
    [['init', 'new', '-y', '--base-image', 'vllm/vllm-openai'], 'It has no tag'],
    [['manifest', 'x:y', '--for', 'kubernetes', '--namespace', 'Our Models'], 'lower-case letters'],
  ] as const) {
    const { status, stderr } = await run(ONE, { args });
    assert.equal(status, 2, args.join(' '));
    assert.ok(stderr.includes(message), stderr);
  }
  assert.deepEqual([hub.log.length, good.log.length], before);
});

test('a model that could not be resolved keeps `verify --json` from saying ok; status 1', async () => {
  const args = ['verify', '-m', 'gone'];
  const gone = '  - { id: acme/gone, short: gone }';
  const { status, stdout } = await run(gone, { args: [...args, '--json'] });
  assert.equal(status, 1);
  assert.deepEqual(JSON.parse(stdout), { schemaVersion: 1, deep: false, ok: false, images: [] });
  assert.equal((await run(gone, { args })).stdout, '');
});

test('a model without a registry is published nowhere, says so, and needs no base image; status 0', async () => {
  const { status, stdout, stderr } = await run(ONE.replace(' }', ', publish: { good: false } }'), {
    base: `${good.host}/vllm/vllm-openai:v9`,
  });
  assert.equal(status, 0, stderr);
  assert.equal(
    stdout,
    'one\n  nothing to publish: no registry is enabled for this model\n\nnothing to publish\n',
  );
  assert.deepEqual(good.log, []);
});

test('`add` to a file that is wrong, with a list in brackets, says what is wrong; status 2', async () => {
  await writeFile(path.join(folder, 'wrong.yaml'), 'modls: 1\nmodels: [{ id: acme/one, short: one }]\n');
  const { status, stderr } = await run(ONE, { args: ['add', 'acme/two', '--config', 'wrong.yaml'] });
  assert.equal(status, 2);
  assert.match(stderr, /^weighbridge: wrong\.yaml:1:1: unknown key "modls"/);
  assert.doesNotMatch(stderr, /probe/);
});

test('the document of `plan --json` is not a plan to publish; status 2', async () => {
  const { stdout } = await run(ONE, { args: ['plan', '--json'] });
  await writeFile(path.join(folder, 'plan.json'), stdout);
  const { status, stderr } = await run(ONE, { args: ['publish', '--plan', 'plan.json'] });
  assert.equal(status, 2);
  assert.match(
    stderr,
    /plan\.json cannot be published: it is the output of `weighbridge plan --json`.*\n.*plan --out <file>/,
  );
});

test('the names that `build` prints are those that `inspect` takes, and a wrong one is not about logins', {
  skip: onlyLong,
}, async () => {
  for (const output of ['oci:out', 'docker-archive:out.tar']) {
    const built = await run(ONE, { args: ['build', '-o', output, '--json'] });
    assert.equal(built.status, 0, built.stderr);
    const { images } = JSON.parse(built.stdout).models[0] as { images: { tags: string[]; digest: string }[] };
    assert.equal(images.length, 2);
    for (const { tags, digest } of images) {
      const [tag = ''] = tags;
      const inspected = await run(ONE, { args: ['inspect', tag, '--json'] });
      assert.equal(inspected.status, 0, inspected.stderr);
      assert.deepEqual(
        [JSON.parse(inspected.stdout).images[0].digest, JSON.parse(inspected.stdout).reference],
        [digest, tag],
      );
    }
    const wrong = await run(ONE, { args: ['inspect', `${output}:none`] });
    assert.equal(wrong.status, 1);
    assert.match(
      wrong.stderr,
      /has no image none\n {2}Check the tag: `weighbridge inspect` without one lists/,
    );
  }
});

test('a result file that cannot be written is told before anything is published; status 2', async () => {
  const { status, stderr } = await run(ONE, { args: ['publish', '--result', 'models.yaml/result.json'] });
  assert.equal(status, 2);
  assert.match(stderr, /^weighbridge: models\.yaml\/result\.json cannot be written: .*\n {2}Name a file/);
  assert.deepEqual(tagsOf(good, 'one'), []);
});

test('outputs in /proc, and a folder as an archive, are refused before anything is asked; status 2', {
  skip: process.platform === 'linux' ? false : 'there is no /proc',
}, async () => {
  const before = [hub.log.length, good.log.length];
  for (const [args, message] of [
    [['build', '-o', 'oci:/proc/x'], 'no files are kept in /proc'],
    [['build', '-o', 'docker-archive:/proc/x.tar'], 'no files are kept in /proc'],
    [['build', '-o', 'docker-archive:.'], 'it is a folder'],
    [['catalog', '-o', '/proc/x'], 'no files are kept in /proc'],
    [['licenses', 'one', '-o', '/proc/x'], 'no files are kept in /proc'],
    [['plan', '--out', '/proc/x'], 'no files are kept there'],
    [['publish', '--result', '/proc/x'], 'no files are kept there'],
  ] as const) {
    const { status, stderr } = await run(ONE, { args });
    assert.equal(status, 2, args.join(' '));
    assert.ok(stderr.includes(`cannot be written: ${message}`), stderr);
  }
  assert.deepEqual([hub.log.length, good.log.length], before);
});

test('a result file that cannot be written in the end: the result is on stdout as one document; status 1', async () => {
  const { status, stdout, stderr } = await run(ONE, {
    args: ['publish', '--json', '--result', '/dev/full'],
  });
  assert.equal(status, 1);
  assert.equal(JSON.parse(stdout).models[0].images.length, 2);
  assert.match(stderr, /^weighbridge: \/dev\/full cannot be written: the disk is full$/m);
  assert.equal(tagsOf(good, 'one').length, 6);
});

test('output that nobody reads any more does not stop the work; status 0', async () => {
  await writeConfig(ONE);
  const child = startWeighbridge(['publish'], {
    cwd: folder,
    env: { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder },
  });
  child.stdout.destroy();
  child.stderr.destroy();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  assert.equal(tagsOf(good, 'one').length, 6);
});

test('results that cannot be written: said so, without a stack; status 1', async () => {
  await writeConfig(ONE);
  const command = 'exec "$0" validate > /dev/full';
  const { status, stderr } = spawnSync('sh', ['-c', command, path.join(ROOT, 'bin', 'weighbridge')], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /^weighbridge: stdout cannot be written: the disk is full\n$/);
});

test('Ctrl-C in mid-upload ends with 130 and leaves no tag', async () => {
  good.faults.add({ match: /^PATCH/, kind: 'slow', bytesPerSecond: 50_000, times: 1000 });
  await writeConfig(ONE);
  const child = startWeighbridge(['publish', '--variant', 'fat'], {
    cwd: folder,
    env: { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder },
  });
  const [said, closed] = [text(child.stderr), once(child, 'close')];
  while (!good.log.some(entry => entry.method === 'PATCH' && entry.receivedBytes > 0)) await sleep(20);
  child.kill('SIGINT');
  assert.deepEqual(await closed, [130, null]);
  assert.match(await said, /interrupted/);
  assert.deepEqual(tagsOf(good, 'one'), []);
});
