import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { generatedContent } from '../../src/testkit/server/generated-content.ts';
import { weighbridge } from '../support/command.ts';
import { requireToolAsRoot, temporaryFolder } from '../support/tools.ts';
import { buildBaseImage, pushBase } from './base-image.ts';
import { Cluster, requireKubernetes } from './kubernetes/cluster.ts';
import { CONTAINER_TOOLS } from './podman.ts';
import { type RealRegistry, startRegistry } from './registry.ts';

// What a new base image costs a node: which layers containerd fetches, and which it unpacks.

const skip = requireKubernetes() || requireToolAsRoot(...CONTAINER_TOOLS);

const SHARD_BYTES = 48_000_000;
const SHARDS = 4;

describe('a new base image on a node', { skip, concurrency: false }, () => {
  let cluster: Cluster;
  let hub: EmbeddedHub;
  let registry: RealRegistry;

  before(async () => {
    cluster = await Cluster.start();
    hub = await startHub();
    registry = await startRegistry();
    const shards = Array.from({ length: SHARDS }, (_, index) => [
      `model-${index + 1}.safetensors`,
      generatedContent({ sizeBytes: SHARD_BYTES, seed: index }),
    ]);
    const small = { 'README.md': '---\nlicense: mit\n---\n', 'config.json': '{"model_type":"llama"}' };
    await hub.addModel({ id: 'acme/x', files: { ...small, ...Object.fromEntries(shards) } });
    // They differ in their second layer.
    await pushBase(await buildBaseImage({ huggingfaceHub: '0.34.4' }), `${registry.host}/base/vllm:v1`);
    await pushBase(await buildBaseImage({ huggingfaceHub: '2.4.0' }), `${registry.host}/base/vllm:v2`);
  });

  after(async () => {
    await registry?.stop();
    await hub?.close();
    await cluster?.[Symbol.asyncDispose]();
  });

  /** What a pull adds to the node. */
  async function pull(
    image: string,
  ): Promise<{ blobs: number; bytes: number; snapshots: number; seconds: number }> {
    const before = await state();
    const began = performance.now();
    await cluster.ctr(['images', 'pull', '--plain-http', '--snapshotter', 'overlayfs', image]);
    const seconds = (performance.now() - began) / 1000;
    const now = await state();
    const fresh = [...now.blobs].filter(([digest]) => !before.blobs.has(digest));
    const bytes = fresh.reduce((sum, [, size]) => sum + size, 0);
    return { blobs: fresh.length, bytes, snapshots: now.snapshots - before.snapshots, seconds };
  }

  async function state(): Promise<{ blobs: Map<string, number>; snapshots: number }> {
    const digests = (await cluster.ctr(['content', 'ls', '--quiet'])).trim().split('\n').filter(Boolean);
    const rows = (await cluster.ctr(['content', 'ls'])).split('\n').slice(1).filter(Boolean);
    const sizes = rows.map(row => toBytes(row.split('\t')[1] ?? ''));
    const blobs = new Map(digests.map((digest, index) => [digest, sizes[index] ?? 0]));
    const snapshots = (await cluster.ctr(['snapshots', 'ls'])).trim().split('\n').length - 1;
    return { blobs, snapshots };
  }

  async function publish(folder: string, order: string, version: string): Promise<string> {
    const file = path.join(folder, `${order}-${version}.yaml`);
    const base = `${registry.host}/base/vllm:${version}`;
    await writeFile(
      file,
      `registries: { lab: "${registry.host}/${order}" }\ndefaults: { base_image: "${base}", variants: [fat], layer_order: ${order} }\nmodels: [{ id: acme/x, short: x }]\n`,
    );
    const { status, stderr } = await weighbridge(['publish', '-c', file], { env: { HF_ENDPOINT: hub.url } });
    assert.equal(status, 0, stderr);
    return `${registry.host}/${order}/hf-x:${version}-fat`;
  }

  for (const order of ['base-first', 'weights-first']) {
    test(`${order}`, async t => {
      const folder = await temporaryFolder(t);
      const first = await pull(await publish(folder, order, 'v1'));
      const second = await pull(await publish(folder, order, 'v2'));
      for (const [name, { blobs, bytes, snapshots, seconds }] of Object.entries({ first, second }))
        t.diagnostic(
          `${name}: ${blobs} blobs of ${bytes} bytes fetched, ${snapshots} layers unpacked, ${seconds.toFixed(1)} s`,
        );
      // The base has three layers, the first of which stays; the weights are four, then small files and licenses.
      if (order === 'weights-first') {
        assert.ok(second.snapshots <= 4, `${second.snapshots} layers are unpacked again`);
        assert.ok(second.bytes < SHARD_BYTES, `${second.bytes} bytes are fetched again`);
      } else {
        assert.ok(second.snapshots >= SHARDS + 2, `${second.snapshots} layers are unpacked again`);
      }
    });
  }
});

function toBytes(text: string): number {
  const [, number = '0', unit = 'B'] = /^([\d.]+)\s*(\w+)/.exec(text) ?? [];
  return Number(number) * (UNITS[unit] ?? 1);
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
