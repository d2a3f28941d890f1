import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { weighbridge } from '../support/command.ts';
import { goModule } from '../support/go-module.ts';
import { requireToolAsRoot } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { buildBaseImage, pushBase } from './base-image.ts';
import {
  Cluster,
  type ContainerStatus,
  HOST,
  isReady,
  type Pod,
  requireKubernetes,
} from './kubernetes/cluster.ts';
import { CONTAINER_TOOLS } from './podman.ts';
import { type RealRegistry, startRegistry } from './registry.ts';

// A real Kubernetes: the examples of docs/kubernetes, what the page promises of a pod that fails, and the Job that publishes.
// A stand-in serves the models.

const skip = requireKubernetes() || requireToolAsRoot('go', ...CONTAINER_TOOLS);

const EXAMPLES = path.join(import.meta.dirname, '..', '..', 'docs', 'kubernetes');
const EXAMPLE_FILES = readdirSync(EXAMPLES);
const EXAMPLE_IMAGE = 'ghcr.io/acme/hf-qwen25-05b:';
const EXAMPLE_SERVER = 'vllm/vllm-openai:v0.11.0';
const SHORT = 'qwen25-05b';
const ID = 'acme/small';
const GATED_ID = 'acme/gated';
const MODELS = 10;
/** As `manifest --help` names it. */
const KSERVE = 'v0.20.0';

const FILES = {
  'README.md': '---\nlicense: mit\n---\n',
  'config.json': '{"model_type":"llama"}',
  'model.safetensors': Buffer.alloc(8_000_000, 'weights '),
};

describe('a real Kubernetes', { skip, concurrency: false }, () => {
  let cluster: Cluster;
  let hub: EmbeddedHub;
  let registries: RealRegistry[];
  let folder: string;

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-kubernetes-'));
    cluster = await Cluster.start();
    hub = await startHub({ host: HOST });
    registries = [await startRegistry(), await startRegistry()];
    await hub.addModel({ id: ID, files: FILES });
    await hub.addModel({ id: GATED_ID, gated: 'auto', files: FILES });
    for (let index = 0; index < MODELS; index++) {
      const bytes = Buffer.alloc(6_000_000, `weights of ${index} `);
      await hub.addModel({ id: `acme/m${index}`, files: { ...FILES, 'model.safetensors': bytes } });
    }
    await pushBase(await buildBaseImage({ huggingfaceHub: '2.4.0' }), baseImage());
    await publish(`{ id: ${ID}, short: ${SHORT}, variants: [slim, fat, weights] }`);
    await publish(`{ id: ${GATED_ID}, short: gated, gated: true }`);
  });

  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    for (const registry of registries ?? []) await registry.stop();
    await hub?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const host = (): string => registries[0]?.host ?? '';
  const baseImage = (): string => `${host()}/base/vllm:v0.6.0`;
  const prefix = (): string => `${host()}/acme/hf-`;

  async function publish(model: string): Promise<void> {
    const file = path.join(folder, 'models.yaml');
    await writeFile(
      file,
      `registries: { lab: "${host()}/acme" }\ndefaults: { base_image: "${baseImage()}" }\nmodels: [${model}]\n`,
    );
    const { status, stderr } = await weighbridge(['publish', '-c', file], { env: { HF_ENDPOINT: hub.url } });
    assert.equal(status, 0, stderr);
  }

  /** An example with this test's images, and the Hub of this test for what fetches. */
  function example(file: string, change: (pod: PodSpec, kind: string) => void = () => undefined): string {
    const text = readFileSync(path.join(EXAMPLES, file), 'utf8');
    const documents = parseAllDocuments(
      text.replaceAll(EXAMPLE_IMAGE, `${prefix()}${SHORT}:`).replaceAll(EXAMPLE_SERVER, baseImage()),
    ).map(document => document.toJS() as Resource);
    for (const { kind, spec } of documents) {
      const pod = spec?.template?.spec;
      if (pod === undefined) continue;
      for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
        container.env = [...(container.env ?? []), { name: 'HF_ENDPOINT', value: hub.url }];
        // A machine of two processors has no room for what a server is given.
        container.resources = { limits: { 'nvidia.com/gpu': '1' } };
      }
      if (pod.initContainers?.[0]) pod.initContainers[0].resources = {};
      change(pod, kind);
    }
    return documents.map(document => JSON.stringify(document)).join('\n---\n');
  }

  for (const file of EXAMPLE_FILES) {
    test(`${file} comes up, answers and ends`, async t => {
      if (file.startsWith('slim')) await cluster.addVolume();
      await comesUp(t, example(file, waitAnHour));
    });
  }

  async function comesUp(t: TestContext, yaml: string): Promise<void> {
    const began = performance.now();
    await cluster.apply(yaml);
    const [pod] = await cluster.untilPods(pods => pods.some(isReady));
    const ready = (performance.now() - began) / 1000;
    const response = await fetch(`http://${pod?.status.podIP}:8000/v1/models`);
    const { data } = (await response.json()) as { data: { id: string }[] };
    assert.ok(data[0]?.id === ID || data[0]?.id === 'Qwen/Qwen2.5-0.5B-Instruct', data[0]?.id);
    const deleted = await cluster.delete(yaml);
    t.diagnostic(`ready after ${ready.toFixed(1)} s, deleted in ${deleted.toFixed(1)} s`);
  }

  test('a namespace that enforces restricted refuses an example that is not', async () => {
    await cluster.kubectl(['create', 'namespace', 'strict']);
    await cluster.kubectl(['label', 'namespace', 'strict', 'pod-security.kubernetes.io/enforce=restricted']);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', namespace: 'strict' } };
    const spec = { containers: [{ name: 'x', image: `${prefix()}${SHORT}:v0.6.0-slim` }] };
    await assert.rejects(cluster.apply(JSON.stringify({ ...pod, spec })), /violates PodSecurity "restricted/);
  });

  /** Applies the slim example, waits until the container has ended once, and gives how. */
  async function fails(
    t: TestContext,
    change: (pod: PodSpec) => void,
  ): Promise<{ exitCode: number; message: string }> {
    await cluster.addVolume();
    const yaml = example('slim-deployment.yaml', change);
    await cluster.apply(yaml);
    const endOf = (pod: Pod) => {
      const [container] = pod.status.containerStatuses ?? [];
      return container?.lastState?.terminated ?? container?.state.terminated;
    };
    const [pod] = await cluster.untilPods(pods => pods.some(one => endOf(one) !== undefined));
    const { exitCode = -1, message = '' } = (pod && endOf(pod)) ?? {};
    const described = await cluster.describe();
    assert.ok(described.includes(message.split('\n').at(-2)?.slice(0, 60) ?? ''), described);
    await cluster.delete(yaml);
    t.diagnostic(`exit code ${exitCode}: ${message.trim().split('\n').at(-1)}`);
    return { exitCode, message };
  }

  test('a gated model without a token: one line in the status of the pod, and exit code 1', async t => {
    const { exitCode, message } = await fails(t, pod => {
      for (const container of pod.containers) container.image = `${prefix()}gated:v0.6.0-slim`;
    });
    assert.equal(exitCode, 1);
    assert.match(message, /acme\/gated is gated; .* set HF_TOKEN/);
  });

  test("a volume that is not the user's: exit code 14 and who it is", async t => {
    const { exitCode, message } = await fails(t, pod => {
      pod.securityContext = { runAsUser: 12345, runAsNonRoot: true };
    });
    assert.equal(exitCode, 14);
    assert.match(message, /12345/);
  });

  test('two replicas share a volume: one fetches, the other waits', async () => {
    await cluster.addVolume();
    const from = hub.log.length;
    const yaml = example('slim-deployment.yaml').replace('"replicas":1', '"replicas":2');
    await cluster.apply(yaml);
    const pods = await cluster.untilPods(all => all.filter(isReady).length === 2);
    assert.equal(pods.length, 2);
    const reads = hub.log.slice(from).filter(({ origin, method }) => origin === 'cdn' && method === 'GET');
    assert.equal(reads.length, 1, 'one read of the weights');
    await cluster.delete(yaml);
  });

  test('no traffic before the model is served, and a server that hangs is started again', async t => {
    const yaml = example('fat-deployment.yaml', pod => {
      const [container] = pod.containers;
      Object.assign(container?.livenessProbe ?? {}, {
        periodSeconds: 1,
        timeoutSeconds: 1,
        failureThreshold: 2,
      });
    });
    await cluster.apply(yaml);
    const [pod] = await cluster.untilPods(pods => pods.some(isReady));
    const endpoints = await cluster.kubectl(['get', 'endpointslices', '-o', 'json']);
    assert.ok(endpoints.includes(pod?.status.podIP ?? 'none'));
    const id = pod?.status.containerStatuses?.[0]?.containerID ?? '';
    await cluster.killContainer(id, 'SIGSTOP');
    const isRestarted = ({ restartCount }: ContainerStatus) => restartCount > 0;
    await cluster.untilPods(pods => pods.some(one => one.status.containerStatuses?.some(isRestarted)));
    await cluster.untilPods(pods => pods.some(isReady));
    t.diagnostic('stopped by SIGSTOP, started again by the liveness probe, ready again');
    await cluster.delete(yaml);
  });

  test('KServe takes what `manifest --for kserve` prints', async t => {
    const kserve = await goModule('github.com/kserve/kserve', KSERVE);
    const definition = path.join(kserve, 'config/crd/full/serving.kserve.io_inferenceservices.yaml');
    await cluster.define(definition, 'inferenceservices.serving.kserve.io');
    const check = (yaml: string) =>
      cluster.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], yaml);
    for (const tag of ['weights', 'v0.6.0-fat']) {
      const { stdout, stderr } = await weighbridge([
        'manifest',
        `${prefix()}${SHORT}:${tag}`,
        '--for',
        'kserve',
      ]);
      t.diagnostic(
        (await check(stdout).catch(error => assert.fail(`${error}\n${stderr}\n${stdout}`))).trim(),
      );
      await assert.rejects(check(stdout.replace('resources:', 'resource:')), /unknown field/);
    }
  });

  test('the Job publishes ten models to two registries, though a worker is killed and the kubelet restarted', async t => {
    const file = path.join(folder, 'job.yaml');
    const models = Array.from(
      { length: MODELS },
      (_, index) => `  - { id: acme/m${index}, short: m${index} }\n`,
    );
    const [one, two] = registries.map(registry => `${registry.host}/acme`);
    await writeFile(
      file,
      `registries: { one: "${one}", two: "${two}" }\ndefaults: { base_image: "${baseImage()}" }\nmodels:\n${models.join('')}`,
    );
    const worker = `${host()}/base/worker:1`;
    // The wider Debian layer has what Node.js is linked with.
    await pushBase(await buildBaseImage({ huggingfaceHub: '2.4.0', vllm: '0.32.0' }), worker);
    const flags = ['--format', 'kubernetes', '--parallelism', '3', '--worker-image', worker].concat(
      '--worker-command',
      'npx --yes weighbridge@test',
    );
    const planned = await weighbridge(['plan', '-c', file, ...flags], { env: { HF_ENDPOINT: hub.url } });
    assert.equal(planned.status, 0, planned.stderr);
    const documents = parseAllDocuments(planned.stdout).map(document => document.toJS() as Resource);
    const pod = documents[1]?.spec?.template?.spec as PodSpec;
    // The registries of this test are on the machine's own loopback.
    pod.hostNetwork = true;
    pod.containers[0]?.env?.push({ name: 'HF_ENDPOINT', value: hub.url });
    (pod.containers[0] as Container).resources = { limits: { memory: '768Mi' } };
    const began = performance.now();
    hub.faults.add({ match: ({ origin }) => origin === 'cdn', kind: 'stall', afterBytes: 1_000_000 });
    const from = hub.log.length;
    await cluster.apply(documents.map(document => JSON.stringify(document)).join('\n---\n'));
    await until(() => hub.log.slice(from).some(({ origin }) => origin === 'cdn'));
    const running = (await cluster.pods()).find(({ status }) => status.containerStatuses?.[0]?.state.running);
    await cluster.killContainer(running?.status.containerStatuses?.[0]?.containerID ?? '');
    await cluster.restartKubelet();
    const name = (documents[1] as unknown as { metadata: { name: string } }).metadata.name;
    await cluster.kubectl(['wait', '--for=condition=Complete', `job/${name}`, '--timeout=900s']);
    const { status } = JSON.parse(await cluster.kubectl(['get', 'job', name, '-o', 'json']));
    assert.equal(status.succeeded, MODELS);
    assert.equal(status.completedIndexes, `0-${MODELS - 1}`);
    assert.ok(status.failed >= 1, 'the killed worker counts');
    const state = await weighbridge(['outdated', '-c', file], { env: { HF_ENDPOINT: hub.url } });
    assert.match(state.stdout, /Everything is up to date/, state.stdout + state.stderr);
    t.diagnostic(
      `${((performance.now() - began) / 1000).toFixed(0)} s, ${status.failed} worker started again`,
    );
  });
});

interface Resource {
  readonly kind: string;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

/** Has a server that SIGTERM does not reach hold up its pod's deletion for longer than anything is waited for. */
function waitAnHour(pod: PodSpec): void {
  pod.terminationGracePeriodSeconds = 3600;
}

interface PodSpec {
  terminationGracePeriodSeconds?: number;
  hostNetwork?: boolean;
  securityContext?: object;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
}

interface Container {
  image: string;
  env?: { name: string; value?: string }[];
  resources?: object;
  readonly livenessProbe?: object;
}
