import assert from 'node:assert/strict';
import { test } from 'node:test';
import apache from 'spdx-license-list/licenses/Apache-2.0.json' with { type: 'json' };
import { parseConfig } from '../../src/config/load-config.ts';
import { readBootstrap } from '../../src/engine/bootstrap-files.ts';
import { verifyImage } from '../../src/inspect/verify-image.ts';
import { formatPlan, parsePlan } from '../../src/plan/plan-file.ts';
import { type Plan, type PlannedModel, plannedModels } from '../../src/plan/types.ts';
import { RunCache } from '../../src/publish/run-cache.ts';
import type { EmbeddedHub } from '../../src/testkit/hub.ts';
import { loraFiles } from '../support/lora.ts';
import { World } from '../support/world.ts';

const BASE = {
  'README.md': '---\nlicense: apache-2.0\n---\n',
  LICENSE: apache.licenseText,
  'config.json': JSON.stringify({
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    max_position_embeddings: 128,
  }),
  'tokenizer.json': '{}',
  'model.safetensors': Buffer.alloc(200_000, 1),
};
const SHAPE = { base: 'acme/x', hidden: 64, layers: 2 };
const ADAPTERS = '    adapters: [{id: acme/sql-lora, name: sql}, {id: acme/chat-lora, name: chat}]\n';

async function addModels(hub: EmbeddedHub): Promise<void> {
  await hub.addModel({ id: 'acme/x', files: BASE });
  await hub.addModel({ id: 'acme/sql-lora', files: loraFiles({ ...SHAPE, rank: 12 }) });
  await hub.addModel({ id: 'acme/chat-lora', files: loraFiles(SHAPE) });
}

const LORA_FLAGS = [
  '--enable-lora',
  '--lora-modules',
  'sql=/models/x-adapters/sql',
  'chat=/models/x-adapters/chat',
  '--max-lora-rank',
  '16',
];

test('adapters are published with their model, whole and verified', async () => {
  await using world = await World.start();
  await addModels(world.hub);
  const yaml = world.config('acme/x', `${ADAPTERS}    variants: [slim, fat, weights, modelpack]\n`);
  const planned = await world.plan(yaml);
  assert.deepEqual(planned.fit.findings, []);
  assert.match(planned.outcome.decisions.fat.reason, /adapters are permitted too: sql \(mit\), chat \(mit\)/);
  const images = await world.publishPlanned(planned, {
    variants: ['slim', 'fat', 'weights', 'modelpack'],
    bootstrap: readBootstrap(),
  });
  assert.deepEqual(
    images.map(({ status }) => status),
    ['published', 'published', 'published', 'published'],
  );

  const fat = await world.imageConfig(0, 'v0.6.0-fat');
  const { Entrypoint, Labels } = fat.config ?? {};
  assert.deepEqual(Entrypoint?.slice(0, 11), [
    ...['vllm', 'serve', '/models/x', '--served-model-name', 'acme/x'],
    ...LORA_FLAGS,
  ]);
  assert.equal(Labels?.['org.opencontainers.image.licenses'], 'Apache-2.0 AND MIT');
  const [[name, id, revision, license]] = JSON.parse(Labels?.['io.weighbridge.model.adapters'] ?? '[[]]');
  assert.deepEqual([name, id, license], ['sql', 'acme/sql-lora', 'MIT']);
  assert.equal(revision, planned.adapters?.[0]?.snapshot.revision);
  const paths = world
    .manifest(0, 'v0.6.0-fat')
    .layers.flatMap(layer => JSON.parse(layer.annotations?.['io.weighbridge.files'] ?? '[]'))
    .map(([path]: [string]) => path);
  for (const adapter of ['sql', 'chat']) {
    assert.ok(paths.includes(`models/x-adapters/${adapter}/adapter_model.safetensors`));
    assert.ok(paths.includes(`models/x-adapters/${adapter}/adapter_config.json`));
    assert.ok(paths.includes(`licenses/adapters/${adapter}/LICENSE`));
  }
  assert.ok(!paths.some((path: string) => /optimizer|adapters.*README/.test(path)));

  // The weights image has the fat one's layers, and no link where the adapters are.
  const digests = world.manifest(0, 'v0.6.0-fat').layers.map(({ digest }) => digest);
  const weights = world.manifest(0, 'weights').layers;
  assert.equal(weights.filter(({ digest }) => digests.includes(digest)).length, 4);
  const weightsConfig = await world.imageConfig(0, 'weights');
  assert.ok(weightsConfig.config?.Env?.some(text => text.includes(LORA_FLAGS.join(' '))));
  const modelpack = world.manifest(0, 'modelpack');
  assert.ok(!JSON.stringify(modelpack).includes('adapter'));

  const openBase = (repository: string) => world.open(repository, 'pull');
  const store = world.open(`${world.registry(0).host}/acme/hf-x`, 'pull');
  for (const config of [undefined, parseConfig(yaml, 'models.yaml')]) {
    for (const tag of ['v0.6.0-fat', 'v0.6.0-slim', 'weights']) {
      const checks = await verifyImage(store, tag, {
        hub: world.hubClient(),
        isDeep: true,
        rebuild: { bootstrap: readBootstrap(), readBase: new RunCache({ openBase }).baseImage, config },
      });
      assert.deepEqual(
        checks.flatMap(({ problems }) => problems),
        [],
        tag,
      );
      const files = checks.flatMap(check => check.files);
      assert.deepEqual(
        files.filter(({ status }) => status !== 'same'),
        [],
        tag,
      );
      assert.ok(
        files.some(({ path }) => path === 'adapters/sql/adapter_model.safetensors'),
        tag,
      );
    }
  }

  // Only a new commit of an adapter moves, and the plan says what changed.
  await world.hub.updateFile(
    'acme/chat-lora',
    'adapter_model.safetensors',
    loraFiles({ ...SHAPE, fill: () => 1 })['adapter_model.safetensors'],
  );
  const again = await world.publish(yaml, { variants: ['fat'], bootstrap: readBootstrap() });
  assert.equal(again[0]?.status, 'published');
  assert.ok((again[0]?.bytes.downloaded ?? 0) < 100_000);
  assert.deepEqual(again[0]?.change?.files?.changed, ['models/x-adapters/chat/adapter_model.safetensors']);
  assert.deepEqual(Object.keys(again[0]?.change?.adapters ?? {}), ['chat']);
});

test('serve_args that name modules of their own, or a rank, stay', async () => {
  await using world = await World.start();
  await addModels(world.hub);
  const args = '    serve_args: [--max-lora-rank, "64", --lora-modules, mine=/mine, --port, "8000"]\n';
  await world.publish(world.config('acme/x', ADAPTERS + args), { variants: ['fat'] });
  const { config } = await world.imageConfig(0, 'v0.6.0-fat');
  assert.deepEqual(config?.Entrypoint?.slice(5), [
    '--enable-lora',
    ...['--max-lora-rank', '64'],
    ...['--lora-modules', 'sql=/models/x-adapters/sql', 'chat=/models/x-adapters/chat', 'mine=/mine'],
    ...['--port', '8000'],
  ]);
});

const REFUSED: readonly [what: string, change: (hub: EmbeddedHub) => Promise<unknown>, reason: RegExp][] = [
  [
    'gated',
    hub => hub.addModel({ id: 'acme/sql-lora', files: loraFiles(SHAPE), gated: 'manual' }),
    /The adapter sql \(acme\/sql-lora\) keeps the weights out: The Hub gates this adapter/,
  ],
  [
    'under a license that does not permit it',
    hub =>
      hub.addModel({
        id: 'acme/sql-lora',
        files: { ...loraFiles(SHAPE), 'README.md': '---\nlicense: cc-by-nc-4.0\n---\n' },
      }),
    /The adapter sql .*cc-by-nc-4\.0/,
  ],
  [
    'a pickle',
    hub => {
      const { 'adapter_model.safetensors': weights = '', ...files } = loraFiles(SHAPE);
      return hub.addModel({ id: 'acme/sql-lora', files: { ...files, 'adapter_model.bin': weights } });
    },
    /The adapter sql .*pickles only \(adapter_model\.bin\)/,
  ],
];

for (const [what, change, reason] of REFUSED) {
  test(`no fat image with an adapter that is ${what}`, async () => {
    await using world = await World.start();
    await addModels(world.hub);
    await change(world.hub);
    const { outcome } = await world.plan(world.config('acme/x', ADAPTERS));
    assert.equal(outcome.decisions.fat.build, false);
    assert.match(outcome.decisions.fat.rule, /^adapter-/);
    assert.match(outcome.decisions.fat.reason, reason);
    assert.equal(outcome.decisions.slim.build, true);
  });
}

test('an adapter of another model is refused in words, and a repository that is none', async () => {
  await using world = await World.start();
  await addModels(world.hub);
  await world.hub.addModel({ id: 'acme/other', files: BASE });
  await world.hub.addModel({ id: 'acme/sql-lora', files: loraFiles({ ...SHAPE, base: 'acme/other' }) });
  const { fit, outcome, tags } = await world.plan(world.config('acme/x', ADAPTERS));
  assert.equal(fit.status, 'refused');
  assert.deepEqual(
    fit.findings.map(({ rule, message }) => [rule, message]),
    [['adapter-mismatch', 'The adapter sql (acme/sql-lora) was trained on acme/other, not on acme/x.']],
  );
  for (const variant of ['slim', 'fat'] as const) {
    assert.equal(outcome.decisions[variant].rule, 'adapter-mismatch');
    assert.deepEqual(tags[variant], []);
  }
  const whole = '    adapters: [{id: acme/other, name: other}]\n';
  await assert.rejects(world.plan(world.config('acme/x', whole)), {
    code: 'MODEL_NO_FILES',
    message: /acme\/other is not a LoRA adapter that vLLM can load: it has no adapter_config\.json/,
    remedy: /a whole model/,
  });
});

test('a plan with adapters goes through a file, and none that models.yaml does not name comes out', async () => {
  await using world = await World.start();
  await addModels(world.hub);
  const config = parseConfig(world.config('acme/x', ADAPTERS), 'models.yaml');
  const planned = await world.plan(world.config('acme/x', ADAPTERS));
  const plan: Plan = { schemaVersion: 1, models: [planned], warnings: [] };
  const text = formatPlan(plan, config, { overrides: {} });
  const read = (file: string): PlannedModel | undefined =>
    plannedModels(parsePlan(Buffer.from(file), 'plan.json', config, {}))[0];
  const again = read(text);
  assert.deepEqual(again?.adapters, planned.adapters);
  const [image] = await world.publishPlanned(again ?? planned, { variants: ['fat'] });
  const [direct] = await world.publishPlanned(planned, { variants: ['fat'] });
  assert.equal(image?.status, 'published');
  assert.equal(direct?.status, 'unchanged');
  for (const [from, to] of [
    ['"name":"sql"', '"name":"../sql"'],
    ['"name":"sql"', '"name":"other"'],
    ['"id":"acme/sql-lora","name"', '"id":"acme/other","name"'],
  ] as const)
    assert.throws(() => read(text.replaceAll(from, to)), { code: /PLAN_UNREADABLE|PLAN_DIFFERS/ }, to);
});
