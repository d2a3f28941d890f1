import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type EmbeddedHub, startHub } from '../../../src/testkit/hub.ts';
import { buildBaseImage, pushBase } from '../../real/base-image.ts';
import { type RealRegistry, startRegistry } from '../../real/registry.ts';
import { weighbridge } from '../../support/command.ts';
import { requireGoTool } from '../../support/go-tools.ts';
import { onlyLong } from '../../support/long.ts';
import { requireToolAsRoot } from '../../support/tools.ts';
import { makeTrivyDatabase } from '../../support/trivy-database.ts';
import { commit, makeWorld } from './runner/repository.ts';
import type { JobRun, World } from './runner/types.ts';
import { runWorkflow } from './runner/workflow.ts';

// The workflow that `weighbridge init` writes, and the reusable one that it calls, carried out step by step as a runner does:
// real expressions, a shell with the environment files, secrets masked. The registries and Trivy are real.

const skip =
  onlyLong ||
  requireToolAsRoot('skopeo', 'mmdebstrap', 'flock', 'docker-registry', 'perl', 'git') ||
  requireGoTool('trivy', 'trivy-test-db');
const WORKFLOW = '.github/workflows/publish-models.yml';
const LOGIN = { user: 'octo', password: 'a pass:word' };

const MODELS = {
  'acme/open': { card: 'license: apache-2.0', gated: false },
  'acme/gated': { card: 'license: apache-2.0', gated: 'manual' },
  'acme/closed': { card: 'license: other\nlicense_name: acme-only', gated: false },
} as const;

describe('the workflow', { skip, concurrency: false }, () => {
  let folder: string;
  let hub: EmbeddedHub;
  let registries: readonly [RealRegistry, RealRegistry];
  let world: World;
  let count = 0;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-workflow-'));
    hub = await startHub({ token: 'hf_0123' });
    registries = await Promise.all([startRegistry({ login: LOGIN }), startRegistry()]);
    for (const [id, { card, gated }] of Object.entries(MODELS)) {
      await hub.addModel({
        id,
        ...(gated ? { gated } : {}),
        files: {
          'README.md': `---\n${card}\n---\n`,
          'config.json': '{"model_type":"llama"}',
          'model.safetensors': Buffer.alloc(1_000_000, id),
        },
      });
    }
    await pushBase(await buildBaseImage(), `${registries[1].host}/base/vllm:v0.6.0`);
    world = await makeWorld({
      folder,
      files: { 'models.yaml': modelsYaml(Object.keys(MODELS)), ...(await workflowOfInit()) },
      env: await machine(),
      logins: { [registries[0].host]: `${LOGIN.user}:${LOGIN.password}` },
    });
    // The account is a secret, and a part of the models' names: the matrix must come through all the same.
    world = {
      ...world,
      secrets: { DOCKERHUB_USERNAME: 'acme', DOCKERHUB_TOKEN: 'dckr_pat_0123', HF_TOKEN: 'hf_0123' },
    };
  });

  after(async () => {
    await Promise.all((registries ?? []).map(registry => registry.stop()));
    await hub?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('a push publishes three models, each as its license and gate allow, and says so on the page', async () => {
    const jobs = await run({ name: 'push', payload: { ref: 'refs/heads/main' } });
    assert.deepEqual(resultsOf(jobs), {
      plan: 'skipped',
      outdated: 'skipped',
      Prepare: 'success',
      'Scan base images': 'success',
      open: 'success',
      gated: 'success',
      closed: 'success',
      Summary: 'success',
      catalog: 'skipped',
    });
    const { matrix, unresolved } = jobOf(jobs, 'Prepare').outputs;
    assert.equal(unresolved, '0');
    assert.deepEqual(
      JSON.parse(matrix ?? '').include.map((job: { id: string; fat: boolean }) => [job.id, job.fat]),
      [
        ['acme/open', true],
        ['acme/gated', false],
        ['acme/closed', false],
      ],
    );
    for (const [short, variants] of Object.entries({
      open: ['fat', 'slim'],
      gated: ['slim'],
      closed: ['slim'],
    })) {
      for (const registry of [0, 1] as const)
        assert.deepEqual(await versionsOf(registry, short), variants, short);
      const { sarif } = jobOf(jobs, short);
      const categories = sarif.map(
        log => (log as { runs: { automationDetails: { id: string } }[] }).runs[0]?.automationDetails.id,
      );
      assert.deepEqual(
        categories.sort(),
        variants.map(variant => `weighbridge/${short}/${variant}/`),
      );
    }
    // The base was read by one job for all of them.
    for (const short of ['open', 'gated', 'closed']) {
      const log = jobOf(jobs, short).steps.find(step => step.name === 'Scan')?.log ?? '';
      assert.match(log, /the base image was scanned before/);
      assert.doesNotMatch(log, /of the base image/);
    }
    const text = JSON.stringify(jobs);
    for (const secret of [LOGIN.password, 'dckr_pat_0123', 'hf_0123', 'ghs_of_the_job']) {
      assert.ok(!text.includes(secret), secret);
    }
    const page = ['Summary', 'open', 'gated', 'closed'].map(name => jobOf(jobs, name).summary).join('\n');
    assert.equal(normalized(page), await readFile(path.join(import.meta.dirname, 'push-summary.md'), 'utf8'));
  });

  test('a pull request shows what would change, and publishes nothing', async () => {
    const before = await tagsOf(0);
    await commit(world.repository, {
      'models.yaml': modelsYaml(['acme/open', 'acme/closed'], 'serve_args: ["--port", "9000"]'),
    });
    const jobs = await run({ name: 'pull_request', payload: { number: 1 } });
    assert.deepEqual(resultsOf(jobs), {
      Plan: 'success',
      outdated: 'skipped',
      prepare: 'skipped',
      bases: 'skipped',
      build: 'skipped',
      summary: 'skipped',
      catalog: 'skipped',
    });
    const { summary } = jobOf(jobs, 'Plan');
    assert.match(summary, /^## 2 models would be published, 1 model would no longer be\n/);
    assert.match(summary, /`open` \| settings \|/);
    // From the plans in the artifact, comment.yml makes the same page.
    const [plan, before_] = ['plan.json', 'before.json'].map(name =>
      path.join(artifacts(), 'weighbridge-plan-change', name),
    ) as [string, string];
    const page = await weighbridge(['summary', '--plan', plan, '--against', before_]);
    assert.equal(mask(page.stdout), summary);
    assert.deepEqual(await tagsOf(0), before);
  });

  test('a dispatch publishes the model and variant that it names', async () => {
    const inputs = { model: 'acme/closed', variant: 'slim' };
    const jobs = await run({ name: 'workflow_dispatch', payload: { inputs } });
    assert.deepEqual(
      jobs.filter(job => job.id === 'build').map(job => [job.name, job.result]),
      [['closed', 'success']],
    );
    const log = jobOf(jobs, 'closed').steps.find(step => step.name === 'Publish')?.log ?? '';
    assert.match(log, /published +ghcr slim/);
    assert.equal(jobOf(jobs, 'closed').runsOn, 'ubuntu-latest');
  });

  test('a private repository without code scanning says so, and its publish succeeds', async () => {
    const inputs = { model: 'acme/closed', variant: 'slim' };
    const jobs = await run({ name: 'workflow_dispatch', payload: { inputs } }, { visibility: 'private' });
    const { result, steps, summary } = jobOf(jobs, 'closed');
    assert.equal(result, 'success');
    assert.match(
      steps.find(step => step.name === 'Show the findings in the Security tab')?.log ?? '',
      /Code Security must be enabled/,
    );
    assert.match(summary, /> \[!WARNING\]\n> The findings could not be shown in the Security tab/);
  });

  test('a schedule takes what is outdated, and nothing where nothing is', async () => {
    const first = await run({ name: 'schedule', payload: {} });
    // The account is a secret: what is outdated is compared with Docker Hub's images too, and the matrix comes through.
    const compared =
      jobOf(first, 'Find what is outdated').steps.find(step => step.name === 'Compare')?.log ?? '';
    assert.doesNotMatch(compared, /no prefix is configured|could not be read/i);
    // Its settings were changed by the commit above, and only the other one was published since.
    assert.deepEqual(
      first.filter(job => job.id === 'build').map(job => job.name),
      ['open'],
    );
    const second = await run({ name: 'schedule', payload: {} });
    assert.equal(jobOf(second, 'Prepare').outputs.matrix, '{"include":[]}');
    assert.deepEqual(resultsOf(second), {
      plan: 'skipped',
      'Find what is outdated': 'success',
      Prepare: 'success',
      bases: 'skipped',
      build: 'skipped',
      Summary: 'success',
      catalog: 'skipped',
    });
    assert.equal(jobOf(second, 'Summary').summary, 'Nothing was to be published.\n');
  });

  test('a model that is not there does not keep the others, and the run fails in the end', async () => {
    await commit(world.repository, { 'models.yaml': modelsYaml(['acme/nothing', 'acme/open']) });
    const jobs = await run({ name: 'push', payload: {} });
    assert.equal(jobOf(jobs, 'open').result, 'success');
    assert.equal(jobOf(jobs, 'Summary').result, 'failure');
    assert.match(
      jobOf(jobs, 'Summary').steps.at(-1)?.log ?? '',
      /::error::Some models could not be resolved/,
    );
  });

  async function run(event: World['event'], more: Partial<World> = {}): Promise<readonly JobRun[]> {
    const own = path.join(folder, `run-${++count}`);
    await mkdir(own);
    const jobs = await runWorkflow(WORKFLOW, { ...world, ...more, event, folder: own });
    for (const { name, steps } of jobs) {
      for (const step of steps)
        if (step.outcome === 'failure') process.stderr.write(`${name}: ${step.name}\n${step.log}\n`);
    }
    return jobs;
  }

  function artifacts(): string {
    return path.join(folder, `run-${count}`, 'artifacts');
  }

  async function machine(): Promise<Record<string, string>> {
    return { HF_ENDPOINT: hub.url, ...(await makeTrivyDatabase(folder, 'CVE-2026-99999')) };
  }

  async function workflowOfInit(): Promise<Record<string, string>> {
    const started = path.join(folder, 'started');
    assert.equal((await weighbridge(['init', started, '--ghcr', 'octo'])).status, 0);
    return { [WORKFLOW]: await readFile(path.join(started, WORKFLOW), 'utf8') };
  }

  function modelsYaml(ids: readonly string[], more = ''): string {
    const models = ids.map(
      id => `  - id: ${id}\n    short: ${id.split('/')[1]}\n${more === '' ? '' : `    ${more}\n`}`,
    );
    const [ghcr, dockerhub] = registries.map(registry => registry.host);
    return `registries: { ghcr: "${ghcr}/octo", dockerhub: "${dockerhub}/acme" }
defaults: { base_image: "${dockerhub}/base/vllm:v0.6.0" }
models:
${models.join('')}`;
  }

  async function tagsOf(registry: 0 | 1, short = 'open'): Promise<string[]> {
    const authorization = `Basic ${Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64')}`;
    const name = `${registry === 0 ? 'octo' : 'acme'}/hf-${short}`;
    const answer = await fetch(`http://${registries[registry].host}/v2/${name}/tags/list`, {
      headers: { authorization },
    });
    return (((await answer.json()) as { tags?: string[] }).tags ?? []).sort();
  }

  async function versionsOf(registry: 0 | 1, short: string): Promise<string[]> {
    const tags = await tagsOf(registry, short);
    // The tag that names version and revision is there as well.
    return tags.flatMap(tag => /^v0\.6\.0-(?!r[0-9a-f]{8}-)(.+)$/.exec(tag)?.[1] ?? []);
  }

  function mask(text: string): string {
    return text.replaceAll('acme', '***');
  }

  /** What differs from run to run and from machine to machine, taken out. */
  function normalized(page: string): string {
    return page
      .replaceAll(registries[0].host, 'ghcr.example')
      .replaceAll(registries[1].host, 'dockerhub.example')
      .replaceAll(/sha256:[0-9a-f]{64}/g, 'sha256:…')
      .replaceAll(/[0-9a-f]{40}/g, '<commit>')
      .replaceAll(/\[[0-9a-f]{12}\]/g, '[<commit>]')
      .replaceAll(/-r[0-9a-f]{8}-/g, '-r<commit8>-')
      .replaceAll(/\d+(?:\.\d)? (B|KiB|MiB)\b/g, '# $1')
      .replaceAll(/\| (?:\d+(?:\.\d+)? (?:s|min|h) )+\|/g, '| # s |')
      .replaceAll(/database of [0-9-]{10}/g, 'database of <date>')
      .replaceAll(/(`zlib1g`.*?\| `)[^`]+/g, '$1<version>');
  }
});

/** By the name that a run has, which for a job that was skipped is its id. */
function resultsOf(jobs: readonly JobRun[]): Record<string, string> {
  return Object.fromEntries(jobs.map(job => [job.name, job.result]));
}

function jobOf(jobs: readonly JobRun[], name: string): JobRun {
  const job = jobs.find(one => one.name === name);
  if (job === undefined) throw new Error(`no job ${name}: ${jobs.map(one => one.name).join(', ')}`);
  return job;
}
