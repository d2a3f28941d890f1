import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { putModel, type SampleModel } from './catalog-world.ts';
import { GALLERY, type GalleryModel, PERMISSIVE } from './gallery-models.ts';

export interface Gallery extends AsyncDisposable {
  readonly hub: EmbeddedHub;
  readonly registry: EmbeddedRegistry;
  readonly models: readonly SampleModel[];
}

/** Starts a Hub and a registry that have the gallery's models. */
export async function startGallery(prefix = 'acme'): Promise<Gallery> {
  const hub = await startHub();
  const registry = await startRegistry();
  for (const [seed, model] of GALLERY.entries()) {
    const { id, short, license, size, valueBytes = 2, vllm = ['v0.10.2', 'v0.11.2'] } = model;
    const revision = await hub.addModel({
      id,
      isPrivate: model.access === 'private',
      gated: model.access === 'gated' ? 'manual' : false,
      files: filesOf(model),
    });
    putModel(registry, `${prefix}/hf-${short}`, {
      ...{ id, short, license, size, valueBytes, seed, revision },
      isFat: model.variants === undefined,
      variants: model.variants ?? PERMISSIVE,
      versions: vllm,
      labels: labelsOf(model),
      isSigned: model.isSigned === true,
      ...(model.serveArgs && { serveArgs: model.serveArgs }),
    });
  }
  return {
    hub,
    registry,
    models: GALLERY.map(({ id, short }) => ({ id, short })),
    async [Symbol.asyncDispose]() {
      await Promise.all([hub[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()]);
    },
  };
}

function labelsOf(model: GalleryModel): Record<string, string> {
  const { attention, refusal, languages, quantization, access } = model;
  const [layers, kvHeads, headSize, heads] = attention ?? [];
  const cache = attention && {
    bytesPerToken: 2 * (layers ?? 0) * (kvHeads ?? 0) * (headSize ?? 0) * 2,
    kvHeads,
  };
  return {
    'io.weighbridge.model.parameters': String(Math.round(model.size * 1e9)),
    'io.weighbridge.model.precision': model.precision ?? 'bf16',
    'io.weighbridge.model.context-length': String(model.context),
    'io.weighbridge.model.task': model.task,
    'io.weighbridge.model.architecture': model.architecture,
    ...(quantization && { 'io.weighbridge.model.quantization': quantization }),
    ...(languages && { 'io.weighbridge.model.languages': languages }),
    ...(heads && { 'io.weighbridge.model.attention-heads': String(heads) }),
    ...(cache && { 'io.weighbridge.model.kv-cache': JSON.stringify(cache) }),
    ...(access && { 'io.weighbridge.model.access': access }),
    ...(refusal && {
      'io.weighbridge.fat.refused': refusal[0],
      'io.weighbridge.fat.reason': refusal[1],
    }),
  };
}

function filesOf(model: GalleryModel): Record<string, string> {
  const { id, license, languages, card, attention, quantization } = model;
  const [layers, kvHeads, headSize, heads] = attention ?? [24, 16, 64, 16];
  const config = {
    architectures: [model.architecture],
    max_position_embeddings: model.context,
    num_hidden_layers: layers,
    num_key_value_heads: kvHeads,
    head_dim: headSize,
    num_attention_heads: heads,
    hidden_size: heads * headSize,
    torch_dtype: 'bfloat16',
    ...(quantization && { quantization_config: { quant_method: quantization } }),
  };
  const name = id.slice(id.indexOf('/') + 1);
  const body = card?.replaceAll('{name}', name).replaceAll('{size}', `${model.size} B`);
  const head = [`license: ${license.replace('LicenseRef-', '').toLowerCase() || 'other'}`];
  if (languages !== undefined) head.push(`language: [${languages}]`);
  return {
    'config.json': JSON.stringify(config),
    ...(body === undefined ? {} : { 'README.md': `---\n${head.join('\n')}\n---\n${body}` }),
  };
}
