import type { JsonRecord } from '../core/json-shape.ts';
import { countOf, firstCount, nameOf, recordOf, textOf, textsOf } from './json-value.ts';

/** What config.json says of a model, in one spelling; each is undefined if it does not say. */
export interface ModelShape {
  readonly architectures: readonly string[];
  readonly modelType: string | undefined;
  readonly hasOwnCode: boolean;
  /** `quantization_config`, as it is. */
  readonly quantization: JsonRecord | undefined;
  readonly dtype: string | undefined;
  readonly contextLength: number | undefined;
  readonly layers: number | undefined;
  readonly hiddenSize: number | undefined;
  readonly heads: number | undefined;
  readonly kvHeads: number | undefined;
  readonly headSize: number | undefined;
  /** Of multi-head latent attention: what is kept for a token in place of keys and values. */
  readonly latentSize: number | undefined;
  /** Layers whose cache grows with each token. */
  readonly fullAttentionLayers: number | undefined;
  /** Layers whose cache ends at a window. */
  readonly windowLayers: number;
  readonly windowTokens: number | undefined;
  readonly experts: Experts | undefined;
}

/** Of a mixture of experts. */
export interface Experts {
  readonly count: number;
  readonly perToken: number;
  /** In all layers together. */
  readonly parameters: number;
  /** Of layers that predict further tokens (`num_nextn_predict_layers`). */
  readonly predictorParameters: number;
}

/** Where models that see or hear keep the part that writes. */
const TEXT_PARTS = ['text_config', 'llm_config', 'language_config', 'thinker_config', 'decoder'];

/**
 * Reads a config.json of Transformers, or a params.json of Mistral. Returns the shape; fields that are not there are
 * undefined.
 */
export function shapeOf(value: unknown): ModelShape {
  const whole = recordOf(value);
  const text = textPart(whole);
  const layers = firstCount(text, 'num_hidden_layers', 'n_layer', 'n_layers', 'num_layers', 'decoder_layers');
  const hiddenSize = firstCount(text, 'hidden_size', 'n_embd', 'd_model', 'dim');
  const heads = firstCount(text, 'num_attention_heads', 'n_head', 'n_heads', 'decoder_attention_heads');
  const headSize =
    firstCount(text, 'head_dim', 'v_head_dim') ??
    (hiddenSize === undefined || heads === undefined ? undefined : Math.floor(hiddenSize / heads));
  const architectures = textsOf(whole.architectures);
  return {
    architectures: architectures.length === 0 ? textsOf(text.architectures) : architectures,
    modelType: textOf(whole.model_type),
    hasOwnCode: whole.auto_map !== undefined,
    quantization: quantizationOf(whole, text),
    dtype: nameOf(whole.dtype) ?? nameOf(whole.torch_dtype) ?? nameOf(text.dtype) ?? nameOf(text.torch_dtype),
    contextLength: contextOf(text) ?? contextOf(whole),
    layers,
    hiddenSize,
    heads,
    kvHeads: kvHeadsOf(text) ?? heads,
    headSize,
    latentSize: latentSizeOf(text),
    ...attentionLayers(text, layers),
    experts: expertsOf(text, layers, hiddenSize),
  };
}

function textPart(whole: JsonRecord): JsonRecord {
  for (const name of TEXT_PARTS) {
    if (whole[name] === undefined) continue;
    const part = recordOf(whole[name]);
    // A thinker has its own text part.
    return name === 'thinker_config' ? textPart(part) : { ...whole, ...part };
  }
  return whole;
}

function quantizationOf(whole: JsonRecord, text: JsonRecord): JsonRecord | undefined {
  // The second is an older name of compressed-tensors'.
  const found = whole.quantization_config ?? text.quantization_config ?? whole.compression_config;
  if (typeof found === 'object' && found !== null) return recordOf(found);
  const mistral = recordOf(whole.quantization);
  return Object.keys(mistral).length === 0 ? undefined : mistral;
}

/** As vLLM derives it: the least of what is said, lengthened by what `rope_scaling` says. */
function contextOf(text: JsonRecord): number | undefined {
  const said = [
    'max_position_embeddings',
    'n_positions',
    'max_seq_len',
    'seq_length',
    'model_max_length',
    'max_target_positions',
    'max_sequence_length',
    'max_seq_length',
    'seq_len',
  ].flatMap(name => countOf(text[name]) ?? []);
  if (said.length === 0) return undefined;
  const least = Math.min(...said);
  const scaling = recordOf(text.rope_scaling ?? text.rope_parameters);
  const kind = textOf(scaling.rope_type) ?? textOf(scaling.type);
  const factor = typeof scaling.factor === 'number' ? scaling.factor : 1;
  // These state the length that they reach.
  if (kind === undefined || ['default', 'su', 'longrope', 'llama3', 'mrope', 'proportional'].includes(kind))
    return least;
  const original = countOf(scaling.original_max_position_embeddings);
  const scaled =
    kind === 'yarn' && original !== undefined ? Math.max(least, original * factor) : least * factor;
  // A factor of 1e300, of nothing, or below it is not to be believed; nor is there a context without an end.
  return countOf(Math.floor(scaled)) ?? least;
}

function kvHeadsOf(text: JsonRecord): number | undefined {
  if (text.multi_query === true && text.new_decoder_architecture !== true) return 1;
  return firstCount(
    text,
    'num_key_value_heads',
    'n_kv_heads',
    'num_kv_heads',
    'n_head_kv',
    'multi_query_group_num',
    'decoder_attention_heads',
  );
}

/** https://arxiv.org/abs/2405.04434: one compressed vector and one rotary key for all heads. */
function latentSizeOf(text: JsonRecord): number | undefined {
  const rank = countOf(text.kv_lora_rank);
  return rank === undefined ? undefined : rank + (countOf(text.qk_rope_head_dim) ?? 0);
}

type AttentionLayers = Pick<ModelShape, 'fullAttentionLayers' | 'windowLayers' | 'windowTokens'>;

function attentionLayers(text: JsonRecord, layers: number | undefined): AttentionLayers {
  const windowTokens = firstCount(text, 'sliding_window', 'window_size', 'attention_chunk_size');
  const named = layerKinds(text);
  if (named !== undefined) {
    const windowLayers = named.filter(kind => /sliding|chunked|local/.test(kind)).length;
    const full = named.filter(kind => /^(full_attention|attention|hybrid|full|\*)$/.test(kind)).length;
    return { fullAttentionLayers: full, windowLayers, windowTokens };
  }
  if (layers === undefined) return { fullAttentionLayers: undefined, windowLayers: 0, windowTokens };
  const every = firstCount(text, 'sliding_window_pattern', 'global_attn_every_n_layers');
  if (every !== undefined && windowTokens !== undefined) {
    const full = Math.floor(layers / every);
    return { fullAttentionLayers: full, windowLayers: layers - full, windowTokens };
  }
  const period = firstCount(text, 'attn_layer_period', 'full_attention_interval');
  if (period !== undefined) {
    return {
      fullAttentionLayers: Math.ceil((layers - (countOf(text.attn_layer_offset) ?? 0)) / period),
      windowLayers: 0,
      windowTokens,
    };
  }
  // Qwen2 has a window that it does not use.
  if (windowTokens !== undefined && text.use_sliding_window !== false) {
    return { fullAttentionLayers: 0, windowLayers: layers, windowTokens };
  }
  return { fullAttentionLayers: layers, windowLayers: 0, windowTokens };
}

/** The kind of each layer; Nemotron-H has a letter for each: M for Mamba, - for a perceptron, * for attention. */
function layerKinds(text: JsonRecord): readonly string[] | undefined {
  for (const name of ['layer_types', 'layers_block_type']) {
    const kinds = textsOf(text[name]);
    if (kinds.length > 0) return kinds;
  }
  const pattern = textOf(text.hybrid_override_pattern);
  return pattern === undefined ? undefined : [...pattern];
}

function expertsOf(
  text: JsonRecord,
  layers: number | undefined,
  hiddenSize: number | undefined,
): Experts | undefined {
  const count = firstCount(text, 'num_local_experts', 'num_experts', 'n_routed_experts', 'moe_num_experts');
  const perToken = firstCount(
    text,
    'num_experts_per_tok',
    'num_experts_per_token',
    'moe_topk',
    'moe_k',
    'experts_per_token',
  );
  const width = firstCount(
    text,
    'moe_intermediate_size',
    'intermediate_size',
    'expert_ffn_hidden_size',
    'ffn_hidden_size',
  );
  if (count === undefined || perToken === undefined || width === undefined || count === 1) return undefined;
  if (layers === undefined || hiddenSize === undefined) return undefined;
  const parameters = mixtureLayers(text, layers) * count * 3 * hiddenSize * width;
  const predictors = countOf(text.num_nextn_predict_layers) ?? 0;
  // Each has a mixture of its own, and an embedding and a head.
  const onePredictor = count * 3 * hiddenSize * width + 2 * hiddenSize * (countOf(text.vocab_size) ?? 0);
  return { count, perToken, parameters, predictorParameters: predictors * onePredictor };
}

function mixtureLayers(text: JsonRecord, layers: number): number {
  const dense = firstCount(text, 'first_k_dense_replace', 'num_dense_layers') ?? 0;
  const listed = Array.isArray(text.mlp_only_layers) ? text.mlp_only_layers.length : 0;
  const step =
    firstCount(
      text,
      'interleave_moe_layer_step',
      'decoder_sparse_step',
      'expert_layer_period',
      'moe_layer_freq',
    ) ?? 1;
  return Math.floor((layers - dense - listed) / step);
}
