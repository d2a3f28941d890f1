import type { TensorSpec } from './safetensors.ts';

/** A Qwen2 small enough for a demonstration; the tensors below are exactly the ones it names. */
export const TINY_QWEN2 = {
  architectures: ['Qwen2ForCausalLM'],
  attention_dropout: 0.0,
  bos_token_id: 256,
  eos_token_id: 258,
  hidden_act: 'silu',
  hidden_size: 256,
  initializer_range: 0.02,
  intermediate_size: 704,
  max_position_embeddings: 2048,
  max_window_layers: 2,
  model_type: 'qwen2',
  num_attention_heads: 4,
  num_hidden_layers: 2,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 10000.0,
  sliding_window: null,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  transformers_version: '4.57.1',
  use_cache: true,
  use_sliding_window: false,
  vocab_size: 512,
} as const;

/** The `generation_config.json` of the sample model. */
export const GENERATION_CONFIG = {
  bos_token_id: TINY_QWEN2.bos_token_id,
  do_sample: true,
  eos_token_id: [TINY_QWEN2.eos_token_id, TINY_QWEN2.bos_token_id],
  pad_token_id: TINY_QWEN2.bos_token_id,
  temperature: 0.7,
  top_p: 0.8,
  transformers_version: TINY_QWEN2.transformers_version,
};

/** Returns the tensors of each shard: the embedding, then each layer. */
export function tensorGroups(): TensorSpec[][] {
  const { hidden_size: hidden, vocab_size: vocab, num_hidden_layers: layers } = TINY_QWEN2;
  const groups = Array.from({ length: layers }, (_, index) => layerTensors(`model.layers.${index}`));
  groups.at(-1)?.push({ name: 'model.norm.weight', shape: [hidden] });
  return [[{ name: 'model.embed_tokens.weight', shape: [vocab, hidden] }], ...groups];
}

function layerTensors(layer: string): TensorSpec[] {
  const { hidden_size: hidden, intermediate_size: inner } = TINY_QWEN2;
  const { num_attention_heads: heads, num_key_value_heads: keyHeads } = TINY_QWEN2;
  const keys = (hidden / heads) * keyHeads;
  return [
    { name: `${layer}.input_layernorm.weight`, shape: [hidden] },
    { name: `${layer}.mlp.down_proj.weight`, shape: [hidden, inner] },
    { name: `${layer}.mlp.gate_proj.weight`, shape: [inner, hidden] },
    { name: `${layer}.mlp.up_proj.weight`, shape: [inner, hidden] },
    { name: `${layer}.post_attention_layernorm.weight`, shape: [hidden] },
    { name: `${layer}.self_attn.k_proj.bias`, shape: [keys] },
    { name: `${layer}.self_attn.k_proj.weight`, shape: [keys, hidden] },
    { name: `${layer}.self_attn.o_proj.weight`, shape: [hidden, hidden] },
    { name: `${layer}.self_attn.q_proj.bias`, shape: [hidden] },
    { name: `${layer}.self_attn.q_proj.weight`, shape: [hidden, hidden] },
    { name: `${layer}.self_attn.v_proj.bias`, shape: [keys] },
    { name: `${layer}.self_attn.v_proj.weight`, shape: [keys, hidden] },
  ];
}
