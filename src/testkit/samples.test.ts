import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import tar from 'tar-stream';
import { digestOf } from '../core/digest.ts';
import { MediaType } from '../oci/types.ts';
import { buildBaseImage, makeBaseImage } from './base-image.ts';
import { startRegistry } from './registry.ts';
import { generatedSafetensors, sampleModelFiles } from './sample-model.ts';
import { readContent } from './server/content.ts';
import { generatedContent } from './server/generated-content.ts';

test('the sample’s shards hold the tensors that its index names, of the shapes that its config asks for', async () => {
  const files = await sampleModelFiles();
  const index = JSON.parse(String(files['model.safetensors.index.json']));
  const config = JSON.parse(String(files['config.json']));
  const found = new Map<string, { shard: string; shape: number[] }>();
  let total = 0;
  for (const [shard, content] of Object.entries(files)) {
    if (!shard.endsWith('.safetensors')) continue;
    const { tensors, dataBytes } = readSafetensors(content as Buffer);
    for (const [name, shape] of tensors) found.set(name, { shard, shape });
    total += dataBytes;
  }
  assert.deepEqual(
    Object.fromEntries([...found].map(([name, { shard }]) => [name, shard])),
    index.weight_map,
  );
  assert.equal(index.metadata.total_size, total);
  assert.ok(total > 2_000_000);
  assert.deepEqual(found.get('model.embed_tokens.weight')?.shape, [config.vocab_size, config.hidden_size]);
  const layers = [...found.keys()].filter(name => name.endsWith('q_proj.weight'));
  assert.equal(layers.length, config.num_hidden_layers);
});

test('the sample is the same each time, and another with another seed', async () => {
  const [first, again, other] = [
    await sampleModelFiles(),
    await sampleModelFiles(),
    await sampleModelFiles({ seed: 2 }),
  ];
  assert.deepEqual(first, again);
  assert.deepEqual(Object.keys(first), Object.keys(other));
  const shard = 'model-00001-of-00003.safetensors';
  assert.notDeepEqual(first[shard], other[shard]);
});

test('a generated safetensors file has just the size that was asked for', async () => {
  for (const sizeBytes of [4096, 5000, 1_000_001]) {
    const bytes = await readContent(generatedContent(generatedSafetensors(sizeBytes, 1)));
    assert.equal(bytes.length, sizeBytes);
    assert.equal(readSafetensors(bytes).tensors.size, 1);
  }
});

test('the base image’s layers are what its config and manifest say', async () => {
  for (const format of ['oci', 'docker'] as const) {
    const layers = [{ 'usr/bin/tool': { content: '#!/bin/sh\n', mode: 0o755 } }];
    const { blobs, manifests } = buildBaseImage({ format, layers });
    const byDigest = new Map(blobs.map(blob => [digestOf(blob), Buffer.from(blob)]));
    const manifest = JSON.parse(Buffer.from(manifests[0]?.bytes ?? []).toString());
    const config = JSON.parse(String(byDigest.get(manifest.config.digest)));
    const tars = manifest.layers.map(({ digest }: { digest: `sha256:${string}` }) =>
      gunzipSync(byDigest.get(digest) ?? Buffer.alloc(0)),
    );
    assert.deepEqual(config.rootfs.diff_ids, tars.map(digestOf));
    assert.equal(manifest.config.size, byDigest.get(manifest.config.digest)?.length);
    const names = [...(await entriesOf(tars[0])), ...(await entriesOf(tars[1]))];
    assert.ok(names.includes('etc/os-release 644'));
    assert.ok(names.includes('usr/bin/tool 755'));
  }
});

test('several platforms make an index, pushed over HTTP as well as put in', async () => {
  await using registry = await startRegistry();
  const platforms = [
    { os: 'linux', architecture: 'amd64' },
    { os: 'linux', architecture: 'arm64' },
  ];
  const put = await makeBaseImage(registry, 'acme/a', 'v1', { platforms });
  const pushed = await makeBaseImage(registry.url, 'acme/b', 'v1', { platforms });
  assert.equal(put, pushed);
  const index = registry.manifest('acme/b', 'v1');
  assert.equal(index?.mediaType, MediaType.ociIndex);
  const entries = JSON.parse(String(index?.bytes)).manifests;
  assert.deepEqual(
    entries.map(({ platform }: { platform: unknown }) => platform),
    platforms,
  );
});

function readSafetensors(bytes: Buffer): { tensors: Map<string, number[]>; dataBytes: number } {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const dataBytes = bytes.length - 8 - length;
  const tensors = new Map<string, number[]>();
  let end = 0;
  for (const [name, tensor] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { shape, data_offsets, dtype } = tensor as {
      shape: number[];
      data_offsets: [number, number];
      dtype: string;
    };
    assert.equal(dtype, 'BF16');
    assert.equal(data_offsets[0], end, 'no hole between tensors');
    assert.equal(
      data_offsets[1] - data_offsets[0],
      shape.reduce((a, b) => a * b, 2),
    );
    end = data_offsets[1];
    tensors.set(name, shape);
  }
  assert.equal(end, dataBytes);
  return { tensors, dataBytes };
}

async function entriesOf(bytes: Buffer): Promise<string[]> {
  const names: string[] = [];
  const extract = tar.extract();
  extract.on('entry', (header, stream, next) => {
    names.push(`${header.name} ${header.mode?.toString(8)}`);
    stream.resume();
    stream.on('end', next);
  });
  await new Promise<void>((resolve, reject) => {
    extract.on('finish', () => resolve());
    extract.on('error', reject);
    extract.end(bytes);
  });
  return names;
}
