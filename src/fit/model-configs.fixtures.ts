/** The shapes of config.json of well-known models, written by hand: what the check and the facts read of them. */
export interface KnownModel {
  readonly id: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Of its safetensors files. */
  readonly weightBytes: number;
  /** The files of its tokenizer; one of Transformers if absent. */
  readonly tokenizer?: readonly string[];
}

const bf16 = { torch_dtype: 'bfloat16' };
const model = (
  id: string,
  architecture: string,
  weightGB: number,
  config: Record<string, unknown>,
): KnownModel => ({
  id,
  weightBytes: Math.round(weightGB * 1e9),
  config: { architectures: [architecture], ...bf16, ...config },
});
const shape = (
  layers: number,
  hidden: number,
  heads: number,
  kvHeads: number,
  context: number,
): Record<string, unknown> => ({
  num_hidden_layers: layers,
  hidden_size: hidden,
  num_attention_heads: heads,
  num_key_value_heads: kvHeads,
  max_position_embeddings: context,
});
const awq = { quantization_config: { quant_method: 'awq', bits: 4, group_size: 128 } };
const gptq = { quantization_config: { quant_method: 'gptq', bits: 4, group_size: 128 } };
const fp8 = { quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] } };
const deepseekV3 = {
  ...shape(61, 7168, 128, 128, 163840),
  kv_lora_rank: 512,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
  n_routed_experts: 256,
  num_experts_per_tok: 8,
  moe_intermediate_size: 2048,
  first_k_dense_replace: 3,
  moe_layer_freq: 1,
  model_type: 'deepseek_v3',
  auto_map: { AutoConfig: 'configuration_deepseek.DeepseekV3Config' },
};
const layerTypes = (count: number, every: number, other: string): string[] =>
  Array.from({ length: count }, (_, index) => ((index + 1) % every === 0 ? 'full_attention' : other));

export const KNOWN_MODELS: readonly KnownModel[] = [
  model('Qwen/Qwen3-0.6B', 'Qwen3ForCausalLM', 1.503, { ...shape(28, 1024, 16, 8, 40960), head_dim: 128 }),
  model('Qwen/Qwen3-8B', 'Qwen3ForCausalLM', 16.381, { ...shape(36, 4096, 32, 8, 40960), head_dim: 128 }),
  model('Qwen/Qwen3-30B-A3B', 'Qwen3MoeForCausalLM', 61.067, {
    ...shape(48, 2048, 32, 4, 40960),
    head_dim: 128,
    num_experts: 128,
    num_experts_per_tok: 8,
    moe_intermediate_size: 768,
    intermediate_size: 6144,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
  }),
  model('Qwen/Qwen3-Next-80B-A3B-Instruct', 'Qwen3NextForCausalLM', 162.6, {
    ...shape(48, 2048, 16, 2, 262144),
    head_dim: 256,
    num_experts: 512,
    num_experts_per_tok: 10,
    moe_intermediate_size: 512,
    full_attention_interval: 4,
  }),
  model('Qwen/Qwen2.5-7B-Instruct', 'Qwen2ForCausalLM', 15.231, {
    ...shape(28, 3584, 28, 4, 32768),
    sliding_window: 131072,
    use_sliding_window: false,
  }),
  model('Qwen/Qwen2.5-VL-7B-Instruct', 'Qwen2_5_VLForConditionalGeneration', 16.584, {
    ...shape(28, 3584, 28, 4, 128000),
    vision_config: { hidden_size: 1280 },
  }),
  model('Qwen/Qwen3-Embedding-0.6B', 'Qwen3ForCausalLM', 1.192, {
    ...shape(28, 1024, 16, 8, 32768),
    head_dim: 128,
  }),
  model('meta-llama/Llama-3.1-8B-Instruct', 'LlamaForCausalLM', 16.061, {
    ...shape(32, 4096, 32, 8, 131072),
    rope_scaling: { rope_type: 'llama3', factor: 8, original_max_position_embeddings: 8192 },
  }),
  model('meta-llama/Llama-3.3-70B-Instruct', 'LlamaForCausalLM', 141.107, shape(80, 8192, 64, 8, 131072)),
  model('meta-llama/Llama-4-Scout-17B-16E-Instruct', 'Llama4ForConditionalGeneration', 217.3, {
    text_config: {
      ...shape(48, 5120, 40, 8, 10485760),
      head_dim: 128,
      num_local_experts: 16,
      num_experts_per_tok: 1,
      intermediate_size: 8192,
      interleave_moe_layer_step: 1,
      attention_chunk_size: 8192,
      layer_types: layerTypes(48, 4, 'chunked_attention'),
    },
  }),
  model('openai/gpt-oss-20b', 'GptOssForCausalLM', 13.761, {
    ...shape(24, 2880, 64, 8, 131072),
    head_dim: 64,
    num_local_experts: 32,
    num_experts_per_tok: 4,
    intermediate_size: 2880,
    sliding_window: 128,
    layer_types: layerTypes(24, 2, 'sliding_attention'),
    quantization_config: { quant_method: 'mxfp4' },
  }),
  model('openai/gpt-oss-120b', 'GptOssForCausalLM', 65.248, {
    ...shape(36, 2880, 64, 8, 131072),
    head_dim: 64,
    num_local_experts: 128,
    num_experts_per_tok: 4,
    intermediate_size: 2880,
    sliding_window: 128,
    layer_types: layerTypes(36, 2, 'sliding_attention'),
    quantization_config: { quant_method: 'mxfp4' },
  }),
  model('mistralai/Mistral-7B-Instruct-v0.3', 'MistralForCausalLM', 14.496, shape(32, 4096, 32, 8, 32768)),
  model('mistralai/Mistral-Small-3.2-24B-Instruct-2506', 'Mistral3ForConditionalGeneration', 48.022, {
    text_config: { ...shape(40, 5120, 32, 8, 131072), head_dim: 128 },
  }),
  model('mistralai/Mixtral-8x7B-Instruct-v0.1', 'MixtralForCausalLM', 93.405, {
    ...shape(32, 4096, 32, 8, 32768),
    num_local_experts: 8,
    num_experts_per_tok: 2,
    intermediate_size: 14336,
  }),
  model('TheBloke/Mixtral-8x7B-Instruct-v0.1-AWQ', 'MixtralForCausalLM', 24.65, {
    ...shape(32, 4096, 32, 8, 32768),
    num_local_experts: 8,
    num_experts_per_tok: 2,
    intermediate_size: 14336,
    ...awq,
  }),
  model('deepseek-ai/DeepSeek-V3', 'DeepseekV3ForCausalLM', 688.6, { ...deepseekV3, ...fp8 }),
  model('deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B', 'Qwen2ForCausalLM', 3.554, {
    ...shape(28, 1536, 12, 2, 131072),
    sliding_window: 4096,
    use_sliding_window: false,
  }),
  model('google/gemma-2-9b-it', 'Gemma2ForCausalLM', 18.483, {
    ...shape(42, 3584, 16, 8, 8192),
    head_dim: 256,
    sliding_window: 4096,
    layer_types: layerTypes(42, 2, 'sliding_attention'),
  }),
  model('google/gemma-3-27b-it', 'Gemma3ForConditionalGeneration', 54.864, {
    text_config: {
      ...shape(62, 5376, 32, 16, 131072),
      head_dim: 128,
      sliding_window: 1024,
      sliding_window_pattern: 6,
    },
  }),
  model('zai-org/GLM-4.5-Air', 'Glm4MoeForCausalLM', 220.9, {
    ...shape(46, 4096, 96, 8, 131072),
    head_dim: 128,
    n_routed_experts: 128,
    num_experts_per_tok: 8,
    moe_intermediate_size: 1408,
    first_k_dense_replace: 1,
  }),
  {
    ...model('THUDM/glm-4-9b-chat', 'ChatGLMModel', 18.799, {
      num_layers: 40,
      hidden_size: 4096,
      num_attention_heads: 32,
      multi_query_attention: true,
      multi_query_group_num: 2,
      seq_length: 131072,
      model_type: 'chatglm',
      auto_map: { AutoConfig: 'configuration_chatglm.ChatGLMConfig' },
    }),
    tokenizer: ['tokenizer.model', 'tokenization_chatglm.py'],
  },
  model('openai/whisper-large-v3', 'WhisperForConditionalGeneration', 3.087, {
    torch_dtype: 'float16',
    d_model: 1280,
    decoder_layers: 32,
    decoder_attention_heads: 20,
    num_hidden_layers: 32,
    max_target_positions: 448,
  }),
  model('BAAI/bge-m3', 'XLMRobertaModel', 2.271, {
    torch_dtype: 'float32',
    ...shape(24, 1024, 16, 16, 8194),
  }),
  model('BAAI/bge-reranker-v2-m3', 'XLMRobertaForSequenceClassification', 2.271, {
    torch_dtype: 'float32',
    ...shape(24, 1024, 16, 16, 8194),
  }),
  model('microsoft/phi-4', 'Phi3ForCausalLM', 29.32, shape(40, 5120, 40, 10, 16384)),
  model('microsoft/Phi-4-multimodal-instruct', 'Phi4MMForCausalLM', 11.148, {
    ...shape(32, 3072, 24, 8, 131072),
    model_type: 'phi4mm',
    auto_map: { AutoConfig: 'configuration_phi4mm.Phi4MMConfig' },
  }),
  model('ai21labs/AI21-Jamba-1.5-Mini', 'JambaForCausalLM', 103.2, {
    ...shape(32, 4096, 32, 8, 262144),
    attn_layer_period: 8,
    attn_layer_offset: 4,
    expert_layer_period: 2,
    num_experts: 16,
    num_experts_per_tok: 2,
    intermediate_size: 14336,
  }),
  model('Qwen/Qwen2.5-7B-Instruct-GPTQ-Int4', 'Qwen2ForCausalLM', 5.574, {
    torch_dtype: 'float16',
    ...shape(28, 3584, 28, 4, 32768),
    ...gptq,
  }),
  model('neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8', 'LlamaForCausalLM', 9.083, {
    ...shape(32, 4096, 32, 8, 131072),
    quantization_config: {
      quant_method: 'compressed-tensors',
      config_groups: { group_0: { weights: { num_bits: 8, type: 'float' } } },
    },
  }),
  model('nvidia/Llama-3.1-8B-Instruct-NVFP4', 'LlamaForCausalLM', 6.05, {
    ...shape(32, 4096, 32, 8, 131072),
    quantization_config: { quant_method: 'modelopt', quant_algo: 'NVFP4' },
  }),
];
