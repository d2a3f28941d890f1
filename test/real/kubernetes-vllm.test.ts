import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { WEIGHBRIDGE } from '../support/command.ts';
import { requireToolAsRoot, runOk } from '../support/tools.ts';
import { Cluster, HOST, isReady, requireKubernetes } from './kubernetes/cluster.ts';
import { CONTAINER_TOOLS } from './podman.ts';
import { ask, NEW, requireVllm, SERVE_ARGS } from './vllm/engine.ts';
import { EngineWorld, MODEL_ID } from './vllm/world.ts';

// A real Kubernetes and the real vLLM: what `weighbridge manifest` prints, applied as it is.

const skip = requireKubernetes() || requireVllm(NEW) || requireToolAsRoot(...CONTAINER_TOOLS);

describe('the real vLLM in a real Kubernetes', { skip, concurrency: false }, () => {
  let cluster: Cluster;
  let world: EngineWorld;
  let text: string | undefined;

  before(async () => {
    cluster = await Cluster.start();
    world = await EngineWorld.start({ versions: [NEW], hubHost: HOST });
    const settings = { defaults: 'variants: [fat, weights], layer_order: weights-first' };
    await world.publish('tiny', NEW, settings, ['--host', '0.0.0.0', '--port', '8000', ...SERVE_ARGS]);
  });

  after(async () => {
    await world?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** Applies YAML of one pod, asks its server, and deletes it. */
  async function serves(t: TestContext, yaml: string): Promise<void> {
    const began = performance.now();
    await cluster.apply(yaml);
    try {
      const [pod] = await cluster.untilPods(pods => pods.some(isReady));
      const ready = (performance.now() - began) / 1000;
      const answer = await ask(`http://${pod?.status.podIP}:8000`, () => false);
      assert.equal(answer.id, MODEL_ID);
      assert.equal(answer.text, text ?? answer.text);
      text = answer.text;
      const deleted = await cluster.delete(yaml);
      t.diagnostic(
        `ready after ${ready.toFixed(0)} s, ${JSON.stringify(answer.text)}, deleted in ${deleted.toFixed(1)} s`,
      );
    } catch (error) {
      const [pod] = await cluster.pods();
      const log = pod === undefined ? '' : await cluster.logs(pod).catch(String);
      throw new Error(`${log.slice(-3000)}\n${await cluster.describe()}`, { cause: error });
    }
  }

  async function manifest(...args: readonly string[]): Promise<string> {
    return await runOk(WEIGHBRIDGE, ['manifest', ...args]);
  }

  test('a fat image', async t => {
    await serves(t, await manifest(world.imageOf('tiny', NEW, 'fat'), '--for', 'kubernetes'));
  });

  test('an image of weights as an image volume, its folder alone', async t => {
    const weights = `${world.registry.host}/m/hf-tiny:weights`;
    await serves(t, await manifest(weights, '--for', 'image-volume', '--server', world.baseOf(NEW)));
  });

  test('an image of weights as an image volume, all of it: the model is at its top', async t => {
    const weights = `${world.registry.host}/m/hf-tiny:weights`;
    const yaml = await manifest(weights, '--for', 'image-volume', '--server', world.baseOf(NEW));
    const documents = parseAllDocuments(yaml).map(document => document.toJS());
    const [container] = documents[0].spec.template.spec.containers;
    container.command = ['vllm', 'serve', '/model'];
    container.volumeMounts[0] = { name: 'model', mountPath: '/model', readOnly: true };
    await serves(t, documents.map(document => JSON.stringify(document)).join('\n---\n'));
  });
});
