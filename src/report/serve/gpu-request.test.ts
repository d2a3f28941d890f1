import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { gpuRequest, maxModelLen } from './gpu-request.ts';
import { type ManifestKind, manifestText } from './manifest.ts';
import type { ServedImage } from './served-image.ts';

/** Llama 3.3 70B in 16 bits: 80 layers of 8 key-value heads of 128. */
const LARGE = {
  weightBytes: 141e9,
  heads: 64,
  contextLength: 131_072,
  cache: {
    bytesPerToken: 327_680,
    windowBytesPerToken: 0,
    windowTokens: 0,
    isReplicated: false,
    kvHeads: 8,
  },
};

const image = (changes: Partial<ServedImage> = {}): ServedImage => ({
  reference: `ghcr.io/acme/hf-x@sha256:${'a'.repeat(64)}`,
  name: 'hf-x',
  modelId: 'acme/X',
  variant: 'fat',
  dir: '/models/x',
  port: 8000,
  serveArgs: [],
  gpus: 1,
  modelBytes: 141e9,
  server: 'vllm/vllm-openai:v0.11.0',
  need: LARGE,
  ...changes,
});

test('as many GPUs of a size as have room for the weights and the longest request', () => {
  const counts = ([180, 141, 80, 48] as const).map(size => gpuRequest(image(), size).gpus);
  assert.deepEqual(counts, [2, 2, 4, 8]);
  assert.deepEqual(gpuRequest(image(), 80).addedArgs, ['--tensor-parallel-size', '4']);
  assert.match(
    gpuRequest(image(), 80).comment.join('\n'),
    /^GPU memory: 131 GiB of weights, and 40 GiB of KV cache for a request of 131072 tokens\.\nThat takes 4 GPUs of 80 GB\./,
  );
});

test('a shorter context needs fewer', () => {
  const short = image({ serveArgs: ['--max-model-len', '8K'] });
  assert.equal(gpuRequest(short, 80).gpus, 4);
  assert.equal(gpuRequest(short, 96).gpus, 2);
  assert.deepEqual(
    ['8k', '8K', '4096', '1m', 'auto', '-1'].map(text => maxModelLen([`--max-model-len=${text}`])),
    [8000, 8192, 4096, 1_000_000, undefined, undefined],
  );
});

test('what does not fit is said, with the context that would', () => {
  const { gpus, addedArgs, comment } = gpuRequest(image(), 24);
  assert.deepEqual([gpus, addedArgs], [1, []]);
  assert.match(comment[1] ?? '', /^8 GPUs of 24 GB have room for 60416 tokens: set `--max-model-len 60416`/);
  assert.equal(gpuRequest(image(), 16).comment[1], 'Not even 8 GPUs of 16 GB have room for it.');
});

test('flags that divide the model decide, and are said to be too few', () => {
  const flags = ['--tensor-parallel-size=2', '-pp', '1'];
  const two = image({ serveArgs: flags, gpus: 2 });
  assert.equal(gpuRequest(two, 141).comment.length, 1);
  const { gpus, addedArgs, comment } = gpuRequest(two, 80);
  assert.deepEqual([gpus, addedArgs], [2, []]);
  assert.match(comment[1] ?? '', /^The 2 GPUs of 80 GB .* have no room for it/);
});

test('without a size: what the flags say, and a comment on what it takes', () => {
  const { gpus, comment } = gpuRequest(image());
  assert.equal(gpus, 1);
  assert.match(
    comment[1] ?? '',
    /^GPUs with room for it: 2 of 141 GB, or 4 of 80 GB, or 8 of 40 GB; for more than one set `--tensor-parallel-size`/,
  );
  assert.deepEqual(gpuRequest(image({ need: undefined })), { gpus: 1, addedArgs: [], comment: [] });
});

const KINDS: readonly (readonly [ManifestKind, string])[] = [
  ['kubernetes', 'fat'],
  ['kubernetes', 'slim'],
  ['image-volume', 'weights'],
  ['kserve', 'fat'],
  ['kserve', 'weights'],
  ['kubeai', 'fat'],
  ['compose', 'fat'],
  ['compose', 'slim'],
  ['compose', 'weights'],
];

for (const [kind, variant] of KINDS) {
  test(`--for ${kind} of a ${variant} image asks for the same GPUs and adds the flag`, () => {
    const text = manifestText(kind, image({ variant }), {
      gpuMemoryGB: 80,
      server: 'vllm/vllm-openai:v0.11.0',
    });
    const [first, ...more] = parseAllDocuments(text);
    const body = [first, ...more].map(document => JSON.stringify(document?.toJS())).join();
    assert.match(body, /"--tensor-parallel-size","4"/);
    assert.match(body, /"nvidia\.com\/gpu":"4"|nvidia-gpu-a100-80gb:4|"count":4/);
    assert.match(text, /^# GPU memory: 131 GiB/);
  });
}
