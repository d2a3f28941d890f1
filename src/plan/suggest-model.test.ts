import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gpuSentence } from '../fit/gpu-need.ts';
import { factsOf } from '../fit/model-facts.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import { suggestModel } from './suggest-model.ts';

const GB = 1e9;

test('a small model needs no arguments; its name is made from its id, and differs from those that are taken', () => {
  const snapshot = snapshotOf({ 'config.json': 700, 'model.safetensors': GB });
  assert.deepEqual(suggestModel(snapshot, {}, new Set()).model, {
    id: 'acme/Model-1.5B',
    short: 'model-15b',
  });
  assert.equal(suggestModel(snapshot, {}, new Set(['model-15b', 'model-15b-2'])).model.short, 'model-15b-3');
});

test('weights that one GPU does not hold are shared out to as many as the attention heads allow', () => {
  const shards = { 'config.json': 1, 'a.safetensors': 80 * GB, 'b.safetensors': 60 * GB };
  const argsFor = (heads: number) =>
    suggestModel(snapshotOf(shards), { text_config: { num_attention_heads: heads } }, new Set()).model
      .serveArgs;
  assert.deepEqual(argsFor(64), ['--host', '0.0.0.0', '--port', '8000', '--tensor-parallel-size', '4']);
  assert.equal(argsFor(9), undefined);
});

test('what it needs is what the facts of the plan say, to the same figure', () => {
  const config = {
    architectures: ['LlamaForCausalLM'],
    hidden_size: 8192,
    num_hidden_layers: 80,
    num_attention_heads: 64,
    num_key_value_heads: 8,
    max_position_embeddings: 131_072,
  };
  const snapshot = snapshotOf({ 'config.json': 1, 'a.safetensors': 141 * GB });
  const { notes, model } = suggestModel(snapshot, config, new Set());
  const { gpus } = factsOf({ files: snapshot.files, documents: { config } });
  assert.equal(
    notes[0],
    `131 GiB of weights: ${gpuSentence(gpus)}. --tensor-parallel-size 4 is for GPUs of 80 GB.`,
  );
  assert.deepEqual(model.serveArgs?.slice(4), ['--tensor-parallel-size', '4']);
});

test("second copies of the weights do not count, and Mistral's own format is named", () => {
  const files = { 'params.json': 1, 'consolidated.safetensors': 2 * GB, 'tekken.json': 1 };
  const { model, notes } = suggestModel(snapshotOf(files), undefined, new Set());
  assert.deepEqual(model.serveArgs?.slice(4), [
    '--tokenizer-mode',
    'mistral',
    '--config-format',
    'mistral',
    '--load-format',
    'mistral',
  ]);
  assert.match(notes[0] ?? '', /^1\.9 GiB of weights: 1 GPU of 16 GB\.$/);
});

test("Mistral's own format is named where only its weights are there, and for no other weights", () => {
  const argsFor = (...paths: string[]) =>
    suggestModel(snapshotOf(Object.fromEntries(paths.map(path => [path, 1]))), undefined, new Set()).model
      .serveArgs;
  const own = ['consolidated.safetensors', 'params.json', 'tekken.json'];
  assert.equal(argsFor(...own, 'config.json')?.at(-1), 'mistral');
  assert.equal(argsFor(...own, 'config.json', 'model.safetensors'), undefined);
  // Llama's original files
  assert.equal(argsFor('consolidated.00.pth', 'params.json', 'tokenizer.model'), undefined);
});

test('what a look at the files shows is said', () => {
  const snapshot = snapshotOf({ 'model.safetensors': 130, 'pytorch_model.bin': GB });
  const look = { disguised: [{ path: 'model.safetensors', is: 'lfs-pointer' as const }], indexes: [] };
  assert.match(
    suggestModel(snapshot, {}, new Set(), { look }).notes[0] ?? '',
    /^model\.safetensors is not the weights but a Git LFS pointer .* Leave it out with `files\.exclude`: pytorch_model\.bin counts then/,
  );
});

test('what a user has to know is said', () => {
  const config = {
    quantization_config: { quant_method: 'gptq' },
    auto_map: {},
    max_position_embeddings: 1_000_000,
  };
  const { notes, model } = suggestModel(
    snapshotOf({ 'config.json': 1, 'm.safetensors': 30 * GB }),
    config,
    new Set(),
  );
  assert.equal(model.serveArgs, undefined);
  assert.match(
    notes.join('\n'),
    /2 of 24 GB \(976k\), or 1 of 40 GB[\s\S]*Quantized \(gptq\)[\s\S]*1000000 tokens[\s\S]*--trust-remote-code[\s\S]*not added/,
  );
  const odd = suggestModel(snapshotOf({ 'x.gguf': GB }, 'acme/Renamed'), undefined, new Set());
  assert.match(
    odd.notes.join('\n'),
    /calls it acme\/Model-1\.5B now[\s\S]*GGUF files only[\s\S]*no config\.json/,
  );
  assert.match(suggestModel(snapshotOf({}), undefined, new Set()).notes[0] ?? '', /no weights/);
});

function snapshotOf(sizes: Record<string, number>, requestedId = 'acme/Model-1.5B'): ModelSnapshot {
  return {
    id: 'acme/Model-1.5B',
    requestedId,
    revision: 'ab'.repeat(20),
    gated: false,
    isPrivate: false,
    license: { license: 'mit', licenseName: null, licenseLink: null },
    tags: [],
    baseModels: [],
    files: Object.entries(sizes).map(([path, sizeBytes]) => ({ path, sizeBytes, gitOid: 'cd'.repeat(20) })),
  };
}

test('an adapter alone names the model that it belongs to, and how it is added there', () => {
  const snapshot = snapshotOf({ 'adapter_config.json': 1, 'adapter_model.safetensors': 1000 });
  const config = { base_model_name_or_path: 'acme/base' };
  const { notes } = suggestModel(snapshot, undefined, new Set(), { adapterConfig: config });
  assert.match(
    notes[0] ?? '',
    /adapter \(LoRA\).*Publish its base model acme\/base, .*`adapters: \[\{id: acme\/Model-1\.5B, name: Model-1\.5B\}\]`\.$/,
  );
});
