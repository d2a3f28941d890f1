import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startHub } from '../../src/testkit/hub.ts';
import { ROOT, WEIGHBRIDGE } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';
import { run, runOk, temporaryFolder } from '../support/tools.ts';

const SHARD = 1_000_000;
/** `init` asks Docker Hub for the newest vLLM, which no test should. */
const OFFLINE = { HTTPS_PROXY: 'http://127.0.0.1:1' };

test('from an empty folder to a plan: init, add twice, validate, plan', async t => {
  await using hub = await startHub();
  await hub.addModel({
    id: 'Qwen/Qwen2.5-0.5B-Instruct',
    files: {
      'README.md': '---\nlicense: apache-2.0\n---\n',
      'config.json': JSON.stringify({ max_position_embeddings: 131_072, num_attention_heads: 14 }),
      'model.safetensors': Buffer.alloc(SHARD),
    },
  });
  await hub.addModel({
    id: 'acme/Own.Code-7B-AWQ',
    gated: 'manual',
    files: {
      'README.md': '---\nlicense: other\nlicense_name: acme\n---\n',
      'config.json': JSON.stringify({
        architectures: ['AcmeForCausalLM'],
        auto_map: { AutoModel: 'modeling_acme.AcmeModel' },
        quantization_config: { quant_method: 'awq' },
      }),
      'model.safetensors': Buffer.alloc(SHARD),
    },
  });
  const folder = await temporaryFolder(t);
  const env = { HF_ENDPOINT: hub.url, HF_TOKEN: undefined, GITHUB_REPOSITORY_OWNER: undefined, ...OFFLINE };
  const weighbridge = (...args: string[]) => runOk(WEIGHBRIDGE, args, { cwd: folder, env });

  assert.match(await weighbridge('init', '--ghcr', 'acme'), /^written {2}models\.yaml /);
  assert.deepEqual((await readdir(folder, { recursive: true })).sort(), [
    '.github',
    '.github/dependabot.yml',
    '.github/workflows',
    '.github/workflows/comment-plan.yml',
    '.github/workflows/publish-models.yml',
    '.github/workflows/update-models.yml',
    '.gitignore',
    'README.md',
    'models.yaml',
  ]);
  const empty = await run(WEIGHBRIDGE, ['validate'], { cwd: folder, env });
  assert.equal(empty.status, 2);
  assert.match(empty.stderr, /"models" is empty: "weighbridge add <id>"/);

  const first = await weighbridge('add', 'https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct');
  assert.match(first, /A context of 131072 tokens: .*--max-model-len/s);
  assert.match(
    first,
    /Added to models\.yaml:\n- id: "Qwen\/Qwen2\.5-0\.5B-Instruct"\n {2}short: "qwen25-05b-instruct"\n/,
  );
  const second = await weighbridge('add', 'acme/Own.Code-7B-AWQ', '--short', 'own');
  // Gated: its config.json may not be read, and so nothing is said of what is in it.
  assert.match(second, /config\.json may not be read without access to the model/);
  assert.match(second, /fat {3,}no|own .* no /);

  assert.equal(await weighbridge('validate'), 'models.yaml is valid: 2 models\n');
  const plan = JSON.parse(await weighbridge('plan', '--json'));
  assert.deepEqual(
    plan.models.map((model: { short: string; decisions: { fat: { build: boolean } } }) => [
      model.short,
      model.decisions.fat.build,
    ]),
    [
      ['qwen25-05b-instruct', true],
      ['own', false],
    ],
  );
  // The newest vLLM that is known.
  assert.match(
    plan.models[0].images[0].tags[0],
    /^ghcr\.io\/acme\/hf-qwen25-05b-instruct:v0\.(3[3-9]|[4-9]\d)\.\d+-slim$/,
  );
  const text = await readFile(path.join(folder, 'models.yaml'), 'utf8');
  assert.match(text, /^# yaml-language-server: .*\n#\n# The models that are published/);

  const again = await run(WEIGHBRIDGE, ['add', 'qwen/Qwen2.5-0.5B-Instruct'], { cwd: folder, env });
  assert.equal(again.status, 0);
  assert.match(
    again.stdout,
    /is in models\.yaml already, as qwen25-05b-instruct \(line \d+\); nothing was added/,
  );
  assert.equal(await readFile(path.join(folder, 'models.yaml'), 'utf8'), text);
  const pinned = ['add', 'Qwen/Qwen2.5-0.5B-Instruct', '--revision', 'main', '--dry-run'];
  assert.match(await weighbridge(...pinned), /short: "qwen25-05b-instruct-2"\n {2}revision: "main"/);
  const absent = await run(WEIGHBRIDGE, ['add', 'acme/nothing'], { cwd: folder, env });
  assert.equal(absent.status, 1);
  assert.match(absent.stderr, /acme\/nothing/);
});

test('a token that may read a gated model shows what it needs; own code is named and never trusted', async t => {
  await using hub = await startHub({ token: 'hf_test' });
  await hub.addModel({
    id: 'acme/big',
    files: {
      'README.md': '---\nlicense: mit\n---\n',
      'config.json': JSON.stringify({
        architectures: ['AcmeForCausalLM'],
        auto_map: {},
        quantization_config: { quant_method: 'bitsandbytes' },
      }),
      'model.safetensors': Buffer.alloc(SHARD),
    },
  });
  const folder = await temporaryFolder(t);
  await writeFile(
    path.join(folder, 'models.yaml'),
    '# mine\nmodels: # all of them\n- {id: a/b, short: b} # old\n',
  );
  const env = { HF_ENDPOINT: hub.url, HF_TOKEN: 'hf_test', GITHUB_REPOSITORY_OWNER: 'acme' };
  const dry = await runOk(WEIGHBRIDGE, ['add', 'acme/big', '--dry-run'], { cwd: folder, env });
  assert.match(dry, /brings code of its own \(AcmeForCausalLM\)/);
  assert.match(
    dry,
    /Would be added to models\.yaml:\n.*\n.*\n {2}serve_args: \[.*"--quantization", "bitsandbytes"/,
  );
  assert.doesNotMatch(dry, /serve_args: .*trust/);
  await runOk(WEIGHBRIDGE, ['add', 'acme/big'], { cwd: folder, env });
  const text = await readFile(path.join(folder, 'models.yaml'), 'utf8');
  assert.ok(
    text.startsWith('# mine\nmodels: # all of them\n- {id: a/b, short: b} # old\n- id: "acme/big"\n'),
    text,
  );
});

test('init keeps every file that is there, and says so', { skip: onlyLong }, async t => {
  const folder = await temporaryFolder(t);
  await mkdir(path.join(folder, 'sub'));
  await writeFile(path.join(folder, 'sub', 'README.md'), 'mine\n');
  await writeFile(path.join(folder, 'sub', '.gitignore'), 'models');
  const env = OFFLINE;
  const first = await runOk(WEIGHBRIDGE, ['init', 'sub', '--dockerhub', 'acme', '--yes'], {
    cwd: folder,
    env,
  });
  assert.match(first, /^written {2}models\.yaml/m);
  assert.match(first, /^kept {5}README\.md/m);
  assert.match(first, /weighbridge add <id> --config sub\/models\.yaml/);
  assert.equal(await readFile(path.join(folder, 'sub', 'README.md'), 'utf8'), 'mine\n');
  const models = await readFile(path.join(folder, 'sub', 'models.yaml'), 'utf8');
  assert.match(
    models,
    /^registries:\n {2}dockerhub: docker\.io\/acme\n\ndefaults:[\s\S]* ghcr: true [\s\S]* dockerhub: true/m,
  );
  assert.match(first, /^added {4}\.gitignore/m);
  assert.match(
    await readFile(path.join(folder, 'sub', '.gitignore'), 'utf8'),
    /^models\n\n# weighbridge catalog\n\/site\/\n/,
  );
  const second = await runOk(WEIGHBRIDGE, ['init', 'sub'], { cwd: folder });
  assert.doesNotMatch(second, /^(?:written|added)/m);
  const wrong = await run(WEIGHBRIDGE, ['init', '--ghcr', 'not an owner'], { cwd: folder });
  assert.equal(wrong.status, 2);
});

test('the workflows that init writes are those of this project, called from elsewhere', async t => {
  const folder = await temporaryFolder(t);
  const ref = '0123456789012345678901234567890123456789';
  await runOk(WEIGHBRIDGE, ['init', '--workflow', `acme/tools@${ref}`], { cwd: folder, env: OFFLINE });
  const page = 'https://github.com/acme/tools tells';
  const cases = {
    'publish-models.yml': {
      own: 'build-publish.yml',
      changed: [
        `# Publishes the models of models.yaml. ${page} what can be set.`,
        `    uses: acme/tools/.github/workflows/publish.yml@${ref}`,
        `    uses: acme/tools/.github/workflows/catalog.yml@${ref}`,
      ],
    },
    'comment-plan.yml': {
      own: 'comment-plan.yml',
      changed: [
        `# Posts what a pull request would change as its comment, after "Build and publish" has planned it. ${page} how.`,
        '  # zizmor: ignore[dangerous-triggers] no job checks out or runs anything of the pull request; comment.yml of acme/tools says how its artifact is read',
        `    uses: acme/tools/.github/workflows/comment.yml@${ref}`,
      ],
    },
    'update-models.yml': {
      own: 'update-models.yml',
      changed: [
        `# Proposes newer commits of models and newer base images as pull requests. ${page} what can be set.`,
        `    uses: acme/tools/.github/workflows/update.yml@${ref}`,
      ],
    },
  };
  for (const [name, { own, changed }] of Object.entries(cases)) {
    const written = await readFile(path.join(folder, '.github/workflows', name), 'utf8');
    const lines = (await readFile(path.join(ROOT, '.github/workflows', own), 'utf8')).split('\n');
    assert.deepEqual(
      written.split('\n').filter(line => !lines.includes(line)),
      changed,
    );
  }
});
