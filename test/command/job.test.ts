import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../../src/oci/types.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { startRegistry as startEmbedded } from '../../src/testkit/registry.ts';
import { generatedContent } from '../../src/testkit/server/generated-content.ts';
import { type RealRegistry, startRegistry } from '../real/registry.ts';
import { ROOT, weighbridge } from '../support/command.ts';
import { checkKubernetesYaml } from '../support/kubernetes-schema.ts';
import { IS_LONG, onlyLong } from '../support/long.ts';
import { requireTool, requireToolAsRoot, runOk } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { putBase } from '../support/world.ts';

// The Job that `plan --format kubernetes` prints, held against Kubernetes' schema, and carried out by local processes in the
// way of the Job controller: an index each, so many at once, one that dies started again with its index.

const skip = onlyLong || requireToolAsRoot('docker-registry') || requireTool('python3', 'skopeo');
const MODELS = IS_LONG ? 40 : 10;
const WORKERS = IS_LONG ? 8 : 4;
const WEIGHT_BYTES = 6_000_000;
/** Their workers are killed in the middle of the weights. */
const VICTIMS = [2, MODELS - 3];

describe('the Kubernetes Job', { skip, concurrency: false }, () => {
  let hub: EmbeddedHub;
  let registry: RealRegistry;
  let folder: string;
  let yaml: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-job-'));
    hub = await startHub();
    registry = await startRegistry();
    await putBaseInto(registry);
    for (let index = 0; index < MODELS; index++) {
      await hub.addModel({
        id: `acme/m${index}`,
        files: {
          'README.md': '---\nlicense: apache-2.0\n---\n',
          'config.json': '{"model_type":"llama"}',
          'model.safetensors': generatedContent({ sizeBytes: WEIGHT_BYTES, seed: index }),
        },
      });
    }
    const models = Array.from({ length: MODELS }, (_, i) => `  - { id: acme/m${i}, short: m${i} }\n`);
    await writeFile(
      path.join(folder, 'models.yaml'),
      `registries: { lab: ${registry.host}/acme }\ndefaults: { base_image: "${registry.host}/base/vllm:v0.6.0" }\nmodels:\n${models.join('')}`,
    );
    const worker = [
      '--worker-image',
      'registry.example/weighbridge:1',
      '--worker-command',
      'npx --yes weighbridge@test',
    ];
    const flags = ['--format', 'kubernetes', '--parallelism', String(WORKERS), ...worker];
    const planned = await weighbridge(['plan', '-c', path.join(folder, 'models.yaml'), ...flags], {
      env: { HF_ENDPOINT: hub.url },
    });
    assert.equal(planned.status, 0, planned.stderr);
    yaml = planned.stdout;
  });

  after(async () => {
    await registry?.stop();
    await hub?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('it is what Kubernetes expects', async () => {
    const check = await checkKubernetesYaml(yaml, '1.37');
    assert.deepEqual(check.problems, []);
    assert.equal(check.passed.length, 2);
  });

  test('workers with nothing but an index publish all models once, though two of them are killed', async t => {
    const job = readJob(yaml);
    assert.deepEqual([job.completions, job.parallelism], [MODELS, WORKERS]);
    for (const index of VICTIMS) {
      // Silent in mid-file, so that the worker is killed there and nowhere else.
      const match = (target: { path: string; origin: string }) =>
        target.origin === 'cdn' && target.path.includes(objectOf(index));
      hub.faults.add({ match, kind: 'stall', afterBytes: 2_000_000 });
    }
    const restarts = new Map<number, number>();
    await controlJob(job, async (index, worker, tries) => {
      if (!VICTIMS.includes(index) || tries > 1) return;
      await until(() =>
        hub.log.some(entry => entry.origin === 'cdn' && entry.path.includes(objectOf(index))),
      );
      await new Promise(resolve => setTimeout(resolve, 500));
      worker.kill('SIGKILL');
      restarts.set(index, tries);
    });
    assert.deepEqual([...restarts.keys()].sort(), [...VICTIMS].sort());

    for (let index = 0; index < MODELS; index++) {
      for (const variant of ['slim', 'fat']) await assertWhole(`acme/hf-m${index}`, `v0.6.0-${variant}`);
      const reads = hub.log.filter(entry => entry.origin === 'cdn' && entry.path.includes(objectOf(index)));
      assert.equal(reads.length, VICTIMS.includes(index) ? 2 : 1, `weights of m${index}`);
    }
    const again = await weighbridge(['outdated', '-c', path.join(folder, 'models.yaml')], {
      env: { HF_ENDPOINT: hub.url },
    });
    assert.equal(again.stdout, 'Everything is up to date.\n', again.stderr);
    t.diagnostic(
      `${MODELS} models by ${WORKERS} workers at once, ${VICTIMS.length} killed in mid-file and started again`,
    );
  });

  interface Job {
    readonly completions: number;
    readonly parallelism: number;
    readonly backoffLimitPerIndex: number;
    readonly command: readonly string[];
    readonly models: string;
  }

  function readJob(text: string): Job {
    const [configMap, job] = parseAllDocuments(text).map(document => document.toJS());
    const { completions, parallelism, backoffLimitPerIndex, template } = job.spec;
    const [container] = template.spec.containers;
    const command = [...container.command, ...container.args];
    return { completions, parallelism, backoffLimitPerIndex, command, models: configMap.data['models.yaml'] };
  }

  /** What the Job controller does, with processes in place of pods; the mounted file is at another path, and `npx` is a clone. */
  async function controlJob(
    { completions, parallelism, backoffLimitPerIndex, command, models }: Job,
    meddle: (index: number, worker: ChildProcess, tries: number) => Promise<void>,
  ): Promise<void> {
    const mounted = path.join(folder, 'etc');
    await mkdir(mounted);
    await writeFile(path.join(mounted, 'models.yaml'), models);
    await writeFile(path.join(mounted, 'npx'), `#!/bin/sh\nshift 2\nexec ${ROOT}/bin/weighbridge "$@"\n`);
    await chmod(path.join(mounted, 'npx'), 0o755);
    const waiting = Array.from({ length: completions }, (_, index) => index);
    const pod = async (index: number, tries: number): Promise<void> => {
      const [program = '', ...args] = command.map(word =>
        word.replace('$(JOB_COMPLETION_INDEX)', String(index)).replace('/etc/weighbridge', mounted),
      );
      const worker = spawn(program, args, {
        env: { PATH: `${mounted}:${process.env.PATH}`, HOME: mounted, HF_ENDPOINT: hub.url, CI: 'true' },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let stderr = '';
      worker.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        stderr += chunk;
      });
      const ended = new Promise<number | null>(resolve => worker.once('close', resolve));
      await meddle(index, worker, tries);
      const status = await ended;
      if (status === 0) return;
      assert.ok(
        status === null && tries <= backoffLimitPerIndex,
        `index ${index} ended with ${status}\n${stderr}`,
      );
      await pod(index, tries + 1);
    };
    const slot = async (): Promise<void> => {
      for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) await pod(index, 1);
    };
    await Promise.all(Array.from({ length: parallelism }, slot));
  }

  async function assertWhole(repository: string, tag: string): Promise<void> {
    const accept = 'application/vnd.oci.image.manifest.v1+json';
    const answer = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
      headers: { accept },
    });
    assert.equal(answer.status, 200, `${repository}:${tag}`);
    const { config, layers } = (await answer.json()) as Manifest;
    for (const { digest, size } of [config, ...layers]) {
      const blob = await fetch(`http://${registry.host}/v2/${repository}/blobs/${digest}`, {
        method: 'HEAD',
      });
      assert.equal(Number(blob.headers.get('content-length')), size, `${digest} of ${repository}:${tag}`);
    }
  }

  function objectOf(index: number): string {
    const files = hub.repository(`acme/m${index}`).resolve('main')?.files;
    return files?.get('model.safetensors')?.lfs?.sha256 ?? 'none';
  }
});

/** The small base image of the other tests, in a real registry. */
async function putBaseInto(registry: RealRegistry): Promise<void> {
  await using embedded = await startEmbedded();
  putBase(embedded, 'v0.6.0');
  const from = `docker://${embedded.host}/vllm/vllm-openai:v0.6.0`;
  await runOk('skopeo', [
    ...['copy', '--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', from],
    `docker://${registry.host}/base/vllm:v0.6.0`,
  ]);
}
