import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesSource } from '../../core/byte-source.ts';
import type { Hub, HubFile, ModelSnapshot } from '../../hub/types.ts';
import { safetensorsOf } from '../../layer/safetensors.fixtures.ts';
import type { PolicyOutcome } from '../../policy/types.ts';
import { refusalAt } from '../targets.ts';
import { fitLayers, withFit } from './fit-layers.ts';

const SHARD = safetensorsOf(
  Array.from({ length: 10 }, (_, index) => ({ name: `t${index}`, dtype: 'U8', shape: [3000] })),
).file;
const TARGETS = ['low', 'middle', 'high', 'open'].map(registry => ({
  registry,
  repository: `${registry}.example/acme/hf-x`,
}));
const LIMITS = { low: 20_000, middle: 30_000, high: 1_000_000 };

async function fit(file: string, bytes: Buffer, targets = TARGETS, layerTargetBytes: number | null = null) {
  const files: HubFile[] = [{ path: file, sizeBytes: bytes.length, gitOid: '0'.repeat(40) }];
  const hub = {
    openFile: (_: unknown, { path }: { path: string }, span?: { start: number; end: number }) =>
      bytesSource(path, bytes.subarray(span?.start, span?.end)),
  } as unknown as Hub;
  const context = { hub, snapshot: { files } as unknown as ModelSnapshot };
  return await fitLayers(files, targets, { layerLimits: LIMITS, model: { layerTargetBytes } }, context);
}

test('the lowest limit decides for all registries', async () => {
  const { limit, resharding, refusals } = await fit('model.safetensors', SHARD);
  assert.equal(limit?.maxLayerBytes, LIMITS.low);
  for (const part of resharding?.files[0]?.parts ?? []) assert.ok(part.sizeBytes < LIMITS.low);
  assert.deepEqual(refusals, []);
});

test('a registry that cannot have the file is left out, and the others decide', async () => {
  const { resharding, refusals, isRefusedByAll } = await fit('model.gguf', Buffer.alloc(50_000));
  assert.equal(resharding, undefined);
  assert.deepEqual(
    refusals.map(one => one.registry),
    ['low', 'middle'],
  );
  assert.equal(isRefusedByAll, false);
  // Of what a layer may have, the tar takes 16 KiB: a tensor of 7,000 bytes fits the next limit alone.
  const large = safetensorsOf(
    Array.from({ length: 6 }, (_, index) => ({ name: `t${index}`, dtype: 'U8', shape: [7000] })),
  ).file;
  const next = await fit('model.safetensors', large);
  assert.deepEqual(
    next.refusals.map(one => one.registry),
    ['low'],
  );
  assert.equal(next.limit?.maxLayerBytes, LIMITS.middle);
});

test('where no registry can have it the fat image is not built, and a line would change that', async () => {
  const outcome = {
    decisions: { slim: { build: true }, fat: { build: true } },
    findings: [],
    remedies: [],
  } as unknown as PolicyOutcome;
  const none = withFit(outcome, await fit('a b.gguf', Buffer.alloc(50_000), TARGETS.slice(0, 2)));
  assert.equal(none.decisions.fat.build, false);
  assert.deepEqual(
    none.remedies.map(remedy => remedy.setting),
    ['files: {exclude: ["a b.gguf"]}'],
  );
  assert.equal(none.findings[0]?.verdict, 'stop');

  const some = await fit('model.gguf', Buffer.alloc(50_000));
  const planned = { outcome: withFit(outcome, some), fatRefusals: some.refusals };
  assert.equal(planned.outcome.decisions.fat.build, true);
  assert.match(planned.outcome.findings[0]?.says ?? '', /^low does not get the fat image: model\.gguf has/);
  assert.equal(refusalAt(planned, 'fat', 'low')?.rule, 'layer-too-large');
  assert.equal(refusalAt(planned, 'fat', 'open'), undefined);
  assert.equal(refusalAt(planned, 'slim', 'low'), undefined);
});

test('a target below every limit divides what could stay whole, and leaves other files alone', async () => {
  const { limit, resharding } = await fit('model.safetensors', SHARD, TARGETS.slice(-1), 20_000);
  assert.equal(limit?.maxLayerBytes, 20_000);
  assert.ok((resharding?.files[0]?.parts.length ?? 0) > 1);
  assert.equal(
    (await fit('model.gguf', Buffer.alloc(50_000), TARGETS.slice(-1), 20_000)).resharding,
    undefined,
  );
});

test('a target below the largest tensor is an error that says so', async () => {
  await assert.rejects(fit('model.safetensors', SHARD, TARGETS.slice(-1), 16_500), {
    code: 'CONFIG_INVALID',
    message:
      /model\.safetensors cannot be divided to `layer_target` \(0 MB\): one of its tensors alone is larger/,
  });
});
