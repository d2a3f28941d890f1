import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseConfig } from '../config/load-config.ts';
import { ConfigError } from '../core/errors.ts';
import type { Hub } from '../hub/types.ts';
import { makePlan } from './make-plan.ts';
import { formatPlan, parsePlan } from './plan-file.ts';

const FILE = `
registries: { lab: localhost:5000/models }
defaults: { publish: { lab: true, dockerhub: true } }
models:
  - { id: acme/open, short: open }
  - { id: acme/absent, short: absent }
`;
const REVISION = '0123456789abcdef0123456789abcdef01234567';
const ENV = { DOCKERHUB_USERNAME: 'secret-account' };
const CONFIG = parseConfig(FILE, 'models.yaml');

async function planned(env: Record<string, string> = ENV) {
  const hub = {
    endpoint: 'https://hub.example',
    async getModel(id: string) {
      return {
        id,
        requestedId: id,
        revision: REVISION,
        gated: false,
        isPrivate: false,
        license: { license: 'apache-2.0', licenseName: null, licenseLink: null },
        tags: [],
        baseModels: [],
        files: [
          {
            path: 'model.safetensors',
            sizeBytes: 3_000_000,
            sha256: 'ab'.repeat(32),
            gitOid: 'cd'.repeat(20),
          },
        ],
      };
    },
  } as unknown as Hub;
  const plan = await makePlan(CONFIG, CONFIG.models, { hub, targets: 'optional', overrides: {}, env });
  const error = { code: 'HUB_NOT_FOUND', message: 'acme/absent does not exist' };
  const [open, absent] = plan.models;
  if (open?.kind !== 'planned' || absent === undefined) throw new TypeError('expected two models');
  return { ...plan, models: [open, { kind: 'unresolved', model: absent.model, error } as const] };
}

const parse = (text: string | Buffer, config = CONFIG, env: Record<string, string> = ENV) =>
  parsePlan(Buffer.from(text), 'plan.json', config, env);

test('what is written is read again, plain or zipped, and says the same', async () => {
  const plan = await planned();
  const text = formatPlan(plan, CONFIG, { overrides: {} });
  for (const bytes of [text, gzipSync(text)]) {
    const read = parse(bytes);
    assert.deepEqual(read.models[1], plan.models[1]);
    const [before, after] = [plan.models[0], read.models[0]];
    if (before?.kind !== 'planned' || after?.kind !== 'planned') assert.fail('expected planned models');
    const { licenses, ...facts } = before;
    const { licenses: trees, ...rest } = after;
    assert.deepEqual(rest, facts);
    assert.deepEqual(trees.fat.entries, licenses.fat.entries);
    assert.equal(trees.fat.model.snapshot.revision, REVISION);
  }
});

test('an account of the environment is not in the file, and the publish’s own is taken', async () => {
  const text = formatPlan(await planned(), CONFIG, { overrides: {} });
  assert.doesNotMatch(text, /secret-account/);
  const [open] = parse(text, CONFIG, { DOCKERHUB_USERNAME: 'another' }).models;
  assert.deepEqual(open?.kind === 'planned' && open.targets.map(target => target.repository), [
    'docker.io/another/hf-open',
    'localhost:5000/models/hf-open',
  ]);
  assert.throws(() => parse(text, CONFIG, {}), { code: 'CONFIG_INVALID' });
  const elsewhere = formatPlan(await planned({}), CONFIG, { overrides: {} });
  const [one] = parse(elsewhere).models;
  assert.equal(one?.kind === 'planned' && one.targets.length, 2);
});

test('another models.yaml, another version, and what is not a plan are refused', async () => {
  const text = formatPlan(await planned(), CONFIG, { overrides: {} });
  const other = parseConfig(`${FILE}\n# a comment\n`, 'models.yaml');
  assert.throws(() => parse(text, other), { code: 'PLAN_DIFFERS', message: /plan of another models\.yaml/ });
  const newer = text.replace('"schemaVersion":1', '"schemaVersion":2');
  assert.throws(() => parse(newer), { code: 'PLAN_UNREADABLE', message: /version "2", and this .* reads 1/ });
  const deep = `{"schemaVersion":1,"models":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
  for (const bad of [
    '',
    '{',
    '[]',
    'null',
    '{"models":[]}',
    // A version that cannot be made a text.
    '{"schemaVersion":{"toString":null}}',
    deep,
    Buffer.from([0x1f, 0x8b, 0]),
    Buffer.from([255]),
  ])
    assert.throws(() => parse(bad), { code: 'PLAN_UNREADABLE' });
});

test('what a foreign hand has put into a plan is refused, with its place', async () => {
  const text = formatPlan(await planned(), CONFIG, { overrides: {} });
  const changes: readonly (readonly [string | RegExp, string])[] = [
    ['"path":"model.safetensors"', '"path":"../../etc/passwd"'],
    ['"path":"licenses/CC0"', '"path":"usr/bin/vllm"'],
    ['"sizeBytes":3000000', '"sizeBytes":-1'],
    ['"sizeBytes":3000000', '"sizeBytes":"3000000"'],
    [`"sha256":"${'ab'.repeat(32)}"`, '"sha256":"x"'],
    [`"revision":"${REVISION}"`, '"revision":"main/../.."'],
    ['"repository":"localhost:5000/models/hf-open"', '"repository":"localhost:5000/a/../b"'],
    ['"id":"acme/open"', '"id":"../open"'],
    ['v0.6.0-fat', 'a tag'],
    ['"kind":"planned"', '"kind":"published"'],
  ];
  for (const [from, to] of changes) {
    const changed = text.replace(from, to);
    assert.notEqual(changed, text, String(from));
    assert.throws(
      () => parse(changed),
      (error: unknown) => error instanceof ConfigError && error.code === 'PLAN_UNREADABLE',
      String(to),
    );
  }
});
