import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileFindings } from '../hub/file-findings.ts';
import type { HubFile } from '../hub/types.ts';
import { chooseFiles, type LeftOutRule } from './choose-files.ts';

/** A repository as the Hub lists it, and what of it goes into an image. */
interface Listing {
  /** The repository, or the kind of it. */
  readonly of: string;
  /** Its files, in words. A name with `*3` is a series of three numbered files. */
  readonly files: string;
  readonly args?: string;
  readonly exclude?: string;
  readonly include?: string;
  readonly allowPickle?: boolean;
  /** What is left out, by rule; the same words. */
  readonly left?: Partial<Record<LeftOutRule, string>>;
  /** What `plan`, `publish` and `add` say about the files: rules. */
  readonly says?: string;
}

const HF = 'config.json tokenizer.json tokenizer_config.json special_tokens_map.json generation_config.json';
const SHARDS = 'model*3.safetensors model.safetensors.index.json';
const BINS = 'pytorch_model*3.bin pytorch_model.bin.index.json';
const TEKKEN = 'params.json tekken.json';
const NATIVE = '--tokenizer-mode mistral --config-format mistral --load-format mistral';
const SENTENCE =
  'modules.json sentence_bert_config.json config_sentence_transformers.json 1_Pooling/config.json vocab.txt';
const TRAINING = 'optimizer.pt scheduler.pt rng_state.pth training_args.bin';

const LISTINGS: readonly Listing[] = [
  // Mistral
  {
    of: 'mistralai/Mistral-7B-Instruct-v0.3',
    files: `${HF} ${SHARDS} consolidated.safetensors params.json tokenizer.model tokenizer.model.v3`,
    left: { 'second-copy': 'consolidated.safetensors' },
  },
  ...[
    NATIVE,
    '--load_format=mistral',
    '--load-format=MISTRAL',
    '--load mistral',
    '--config_format mistral',
  ].map(
    (args): Listing => ({
      of: 'mistralai/Mistral-7B-Instruct-v0.3 in its own format',
      files: `${HF} ${SHARDS} consolidated.safetensors params.json tokenizer.model.v3`,
      args,
      left: { 'second-copy': SHARDS },
    }),
  ),
  {
    of: 'mistralai/Mistral-Small-3.1-24B-Instruct-2503, the tokenizer alone in its own format',
    files: `${HF} ${TEKKEN} ${SHARDS} consolidated.safetensors preprocessor_config.json processor_config.json`,
    args: '--tokenizer-mode mistral',
    left: { 'second-copy': 'consolidated.safetensors' },
  },
  { of: 'mistralai/Pixtral-12B-2409', files: `${TEKKEN} consolidated.safetensors`, args: NATIVE },
  { of: 'mistralai/Pixtral-12B-2409 without flags', files: `${TEKKEN} consolidated.safetensors` },
  {
    of: 'two sets of numbered files with two indexes',
    files: `${HF} ${TEKKEN} ${SHARDS} consolidated*2.safetensors consolidated.safetensors.index.json`,
    args: NATIVE,
    left: { 'second-copy': SHARDS },
  },
  {
    of: "Mistral's own format asked for, and not there",
    files: `${HF} ${SHARDS}`,
    args: '--load-format mistral',
    says: 'no-weights',
  },
  {
    of: "Mistral's own configuration asked for, and only the other weights are there",
    files: `${HF} ${SHARDS} params.json`,
    args: '--config-format mistral',
  },
  {
    of: "Mistral's own format in one piece and in numbered files",
    files: `${TEKKEN} consolidated.safetensors consolidated*2.safetensors consolidated.safetensors.index.json`,
    left: { 'second-copy': 'consolidated.safetensors' },
  },
  // Llama
  {
    of: 'meta-llama/Llama-3.1-8B-Instruct',
    files: `${HF} ${SHARDS} original/consolidated.00.pth original/params.json original/tokenizer.model LICENSE`,
    left: { 'second-copy': 'original/consolidated.00.pth original/params.json original/tokenizer.model' },
  },
  {
    of: 'meta-llama/Llama-2-7b-hf',
    files: `${HF} ${SHARDS} ${BINS} tokenizer.model LICENSE.txt`,
    left: { 'second-copy': BINS },
  },
  {
    of: 'meta-llama/Llama-2-7b',
    files: 'consolidated.00.pth params.json checklist.chk tokenizer.model',
    says: 'no-weights',
  },
  {
    of: 'a conversion beside the original files',
    files: `${HF} ${BINS} consolidated.00.pth consolidated.01.pth`,
    left: { 'second-copy': 'consolidated.00.pth consolidated.01.pth' },
  },
  {
    of: 'openai/gpt-oss-20b',
    files: `${HF} model-00000-of-00002.safetensors model-00001-of-00002.safetensors model-00002-of-00002.safetensors
      model.safetensors.index.json original/model.safetensors original/dtypes.json metal/model.bin chat_template.jinja`,
    left: {
      'second-copy': 'original/model.safetensors original/dtypes.json',
      'other-framework': 'metal/model.bin',
    },
  },
  // GGUF
  {
    of: 'Qwen/Qwen2.5-7B-Instruct-GGUF',
    files: `LICENSE README.md qwen-q2_k.gguf qwen-q4_k_m-00001-of-00002.gguf qwen-q4_k_m-00002-of-00002.gguf`,
    says: 'gguf-alone',
  },
  {
    of: 'a GGUF in numbered files of which one is missing',
    files: 'x-q8_0-00001-of-00003.gguf x-q8_0-00003-of-00003.gguf',
    says: 'weights-incomplete gguf-alone',
  },
  {
    of: 'unsloth/Qwen3-VL-8B-Instruct-GGUF',
    files: 'config.json Qwen3-VL-Q4_K_M.gguf BF16/Qwen3-VL*2.gguf mmproj-F16.gguf',
    says: 'gguf-alone',
  },
  {
    of: 'google/gemma-2b',
    files: `${HF} ${SHARDS} gemma-2b.gguf tokenizer.model`,
    left: { 'other-format': 'gemma-2b.gguf' },
  },
  ...['--load-format gguf', '--quantization gguf', '-q gguf', '-qgguf', '--load_format=gguf'].map(
    (args): Listing => ({
      of: 'google/gemma-2b as GGUF',
      files: `${HF} ${SHARDS} gemma-2b.gguf`,
      args,
      left: { 'second-copy': SHARDS },
      says: 'gguf-alone',
    }),
  ),
  {
    of: 'GGUF asked for, and not there',
    files: `${HF} model.safetensors`,
    args: '--load-format gguf',
    says: 'no-weights',
  },
  { of: 'TheBloke/Llama-2-7B-GGML', files: 'config.json llama-2-7b.ggmlv3.q4_0.bin', says: 'no-weights' },
  {
    of: 'llama.cpp files before GGUF beside safetensors',
    files: `${HF} model.safetensors llama-2-7b.ggmlv3.q4_K_M.bin ggml-model-f16.bin`,
    left: { 'other-framework': 'llama-2-7b.ggmlv3.q4_K_M.bin ggml-model-f16.bin' },
  },
  // PyTorch
  { of: 'facebook/opt-125m', files: `config.json pytorch_model.bin vocab.json merges.txt` },
  { of: 'bigscience/bloom-7b1 as it was', files: `${HF} ${BINS}` },
  {
    of: 'a file of numbered ones is missing, and vLLM would serve what is left',
    files: `${HF} pytorch_model-00001-of-00003.bin pytorch_model-00003-of-00003.bin`,
    says: 'weights-incomplete',
  },
  {
    of: 'PyTorch asked for: vLLM looks for *.pt alone',
    files: `${HF} model.safetensors pytorch_model.bin`,
    args: '--load-format pt',
    left: { 'second-copy': 'model.safetensors' },
    says: 'no-weights',
  },
  {
    of: '.pt asked for, with .bin beside it',
    files: `${HF} pytorch_model.bin model.pt`,
    args: '--load-format pt',
    left: { 'second-copy': 'pytorch_model.bin' },
  },
  {
    of: '.bin, .pt and .pth of the same weights',
    files: `${HF} pytorch_model.bin model.pt model.pth model.ckpt`,
    left: { 'second-copy': 'model.pt model.pth model.ckpt' },
  },
  {
    of: 'npcache reads .bin',
    files: `${HF} model.safetensors pytorch_model.bin`,
    args: '--load-format npcache',
    left: { 'second-copy': 'model.safetensors' },
  },
  {
    of: 'safetensors asked for, and not there',
    files: `${HF} pytorch_model.bin`,
    args: '--load-format safetensors',
    says: 'no-weights',
  },
  {
    of: 'a checkpoint of Lightning alone',
    files: 'config.json tokenizer.json epoch.ckpt',
    says: 'no-weights',
  },
  {
    of: 'coqui/XTTS-v2',
    files: 'config.json vocab.json model.pth dvae.pth mel_stats.pth speakers_xtts.pth',
    says: 'no-weights',
  },
  {
    of: 'hexgrad/Kokoro-82M',
    files: 'config.json kokoro-v1_0.pth voices/af.pt voices/am.pt',
    says: 'no-weights',
  },
  { of: 'other files of a model of .bin', files: `${HF} pytorch_model.bin dvae.pth spk_dict.pt` },
  { of: 'Qwen/Qwen2.5-Omni-7B', files: `${HF} ${SHARDS} spk_dict.pt preprocessor_config.json` },
  // Two precisions, or in one piece and in many
  {
    of: 'openai/whisper-large-v3',
    files: `${HF} model.safetensors model.fp32-00001-of-00002.safetensors model.fp32-00002-of-00002.safetensors
      model.safetensors.index.fp32.json pytorch_model.bin pytorch_model.fp32-00001-of-00002.bin
      pytorch_model.fp32-00002-of-00002.bin pytorch_model.bin.index.fp32.json flax_model.msgpack normalizer.json`,
    left: {
      'second-copy': `model.fp32*2.safetensors model.safetensors.index.fp32.json pytorch_model.bin pytorch_model.fp32*2.bin
        pytorch_model.bin.index.fp32.json`,
      'other-framework': 'flax_model.msgpack',
    },
  },
  { of: 'fp16 alone', files: `${HF} model.fp16*2.safetensors model.safetensors.index.fp16.json` },
  {
    of: 'fp16 beside the others',
    files: `${HF} model.safetensors model.fp16.safetensors`,
    left: { 'second-copy': 'model.fp16.safetensors' },
  },
  {
    of: 'fp16 beside the others, as .bin',
    files: `${HF} pytorch_model.bin pytorch_model.fp16.bin`,
    left: { 'second-copy': 'pytorch_model.fp16.bin' },
  },
  {
    of: 'numbered files with the precision behind the number',
    files: `${HF} ${SHARDS} model-00001-of-00002.bf16.safetensors model-00002-of-00002.bf16.safetensors`,
    left: { 'second-copy': 'model-00001-of-00002.bf16.safetensors model-00002-of-00002.bf16.safetensors' },
  },
  {
    of: 'the same in one piece and in numbered files: vLLM loads what the index names',
    files: `${HF} ${SHARDS} model.safetensors`,
    left: { 'second-copy': 'model.safetensors' },
  },
  { of: 'the same without an index: vLLM loads all', files: `${HF} model*2.safetensors model.safetensors` },
  {
    of: 'in one piece beside numbered files that are not all there',
    files: `${HF} model.safetensors model-00002-of-00002.safetensors model.safetensors.index.json`,
  },
  // Quantized
  {
    of: 'TheBloke/Llama-2-7B-GPTQ, as it was',
    files: `${HF} gptq_model-4bit-128g.safetensors quantize_config.json`,
  },
  {
    of: 'GPTQ as .pt beside safetensors',
    files: `${HF} llama7b-4bit-128g.safetensors llama7b-4bit-128g.pt quantize_config.json`,
    left: { 'second-copy': 'llama7b-4bit-128g.pt' },
  },
  {
    of: 'GPTQ as .pt beside safetensors, and .pt is asked for',
    files: `${HF} llama7b-4bit-128g.safetensors llama7b-4bit-128g.pt quantize_config.json`,
    args: '--load-format pt',
    left: { 'second-copy': 'llama7b-4bit-128g.safetensors' },
  },
  { of: 'several of GPTQ', files: `${HF} gptq_model-4bit-128g.safetensors gptq_model-4bit-32g.safetensors` },
  { of: 'AWQ', files: `${HF} ${SHARDS} quant_config.json` },
  {
    of: 'unsloth/…-bnb-4bit',
    files: `${HF} model.safetensors`,
    args: '--load-format bitsandbytes -q bitsandbytes',
  },
  { of: 'nvidia/…-FP8', files: `${HF} ${SHARDS} hf_quant_config.json` },
  { of: 'another precision in a folder', files: `${HF} ${SHARDS} fp8/config.json fp8/model.safetensors` },
  {
    of: 'only precisions in folders',
    files: 'config.json fp8/model.safetensors nf4/model.safetensors',
    says: 'no-weights',
  },
  {
    of: 'weights that vLLM wrote for each GPU',
    files: `${HF} model-rank-0-part-0.safetensors model-rank-1-part-0.safetensors`,
    args: '--load-format sharded_state',
  },
  // Embeddings
  {
    of: 'sentence-transformers/all-MiniLM-L6-v2',
    files: `${HF} ${SENTENCE} model.safetensors pytorch_model.bin rust_model.ot tf_model.h5 train_script.py
      onnx/model.onnx onnx/model_O1.onnx onnx/model_qint8_arm64.onnx openvino/openvino_model.bin openvino/openvino_model.xml`,
    left: {
      'second-copy': 'pytorch_model.bin',
      'other-framework': `rust_model.ot tf_model.h5 onnx/model.onnx onnx/model_O1.onnx onnx/model_qint8_arm64.onnx
        openvino/openvino_model.bin openvino/openvino_model.xml`,
    },
  },
  {
    of: 'sentence-transformers/LaBSE',
    files: `${HF} ${SENTENCE} model.safetensors pytorch_model.bin flax_model.msgpack 2_Dense/config.json
      2_Dense/model.safetensors 2_Dense/pytorch_model.bin`,
    left: {
      'second-copy': 'pytorch_model.bin 2_Dense/pytorch_model.bin',
      'other-framework': 'flax_model.msgpack',
    },
  },
  {
    of: 'a Dense layer as a pickle alone',
    files: `${HF} ${SENTENCE} model.safetensors 2_Dense/config.json 2_Dense/pytorch_model.bin`,
  },
  {
    of: 'BAAI/bge-m3',
    files: `${HF} ${SENTENCE} pytorch_model.bin colbert_linear.pt sparse_linear.pt onnx/model.onnx onnx/model.onnx_data imgs/a.jpg`,
    left: { 'other-framework': 'onnx/model.onnx onnx/model.onnx_data', 'not-for-serving': 'imgs/a.jpg' },
  },
  {
    of: 'an old one of Sentence Transformers',
    files: 'modules.json 0_Transformer/config.json 0_Transformer/pytorch_model.bin 1_Pooling/config.json',
    says: 'no-weights',
  },
  {
    of: 'laion/CLIP-ViT-H-14-laion2B-s32B-b79K',
    files: `${HF} model.safetensors pytorch_model.bin open_clip_config.json open_clip_pytorch_model.bin open_clip_model.safetensors`,
    left: {
      'second-copy': 'pytorch_model.bin',
      'other-framework': 'open_clip_pytorch_model.bin open_clip_model.safetensors',
    },
  },
  { of: 'OpenCLIP alone', files: 'open_clip_config.json open_clip_model.safetensors', says: 'no-weights' },
  {
    of: 'google-bert/bert-base-uncased',
    files: `${HF} vocab.txt model.safetensors pytorch_model.bin tf_model.h5 flax_model.msgpack rust_model.ot model.onnx
      coreml/fill-mask/float32_model.mlpackage/Manifest.json coreml/fill-mask/float32_model.mlpackage/Data/weights/weight.bin`,
    left: {
      'second-copy': 'pytorch_model.bin',
      'other-framework': `tf_model.h5 flax_model.msgpack rust_model.ot model.onnx coreml/fill-mask/float32_model.mlpackage/Manifest.json
        coreml/fill-mask/float32_model.mlpackage/Data/weights/weight.bin`,
    },
  },
  // Multimodal, code, templates
  {
    of: 'Qwen/Qwen2.5-VL-7B-Instruct',
    files: `${HF} ${SHARDS} preprocessor_config.json video_preprocessor_config.json chat_template.json merges.txt vocab.json`,
  },
  {
    of: 'templates in files',
    files: `${HF} model.safetensors chat_template.jinja additional_chat_templates/tool_use.jinja`,
  },
  {
    of: 'code in folders',
    files: `${HF} model.safetensors modeling_x.py utils/helper.py inference/kernel.py figures/a.png`,
    left: { 'not-for-serving': 'figures/a.png' },
  },
  {
    of: 'a text encoder as .bin, the rest as safetensors',
    files:
      'model_index.json text_encoder/pytorch_model.bin unet/diffusion_pytorch_model.safetensors vae/diffusion_pytorch_model.safetensors',
    says: 'no-weights',
  },
  // Adapters
  {
    of: 'an adapter',
    files: 'adapter_config.json adapter_model.safetensors README.md',
    says: 'adapter-alone',
  },
  { of: 'an adapter of MLX', files: 'adapter_config.json adapters.safetensors', says: 'adapter-alone' },
  {
    of: 'an adapter twice, with what training left',
    files: `adapter_config.json adapter_model.safetensors adapter_model.bin ${TRAINING} checkpoint-500/adapter_config.json
      checkpoint-500/adapter_model.safetensors checkpoint-500/optimizer.pt`,
    left: {
      'second-copy': 'adapter_model.bin',
      training: `${TRAINING} checkpoint-500/adapter_config.json checkpoint-500/adapter_model.safetensors checkpoint-500/optimizer.pt`,
    },
    says: 'adapter-alone',
  },
  {
    of: 'microsoft/Phi-4-multimodal-instruct',
    files: `${HF} ${SHARDS} speech-lora/adapter_model.safetensors vision-lora/adapter_model.safetensors modeling_phi4mm.py`,
  },
  {
    of: 'ibm-granite/granite-speech-3.3-8b: the index says what the model is',
    files: `${HF} ${SHARDS} adapter_config.json adapter_model.safetensors`,
  },
  {
    of: "an adapter beside Mistral's own format: vLLM looks for all safetensors",
    files: `${TEKKEN} consolidated.safetensors lora.safetensors`,
    left: { adapter: 'lora.safetensors' },
  },
  {
    of: "an adapter beside Mistral's own format: vLLM looks for that alone",
    files: `${TEKKEN} consolidated.safetensors lora.safetensors`,
    args: NATIVE,
  },
  {
    of: 'an adapter beside the model, and no index',
    files: `${HF} model.safetensors adapter_config.json adapter_model.safetensors`,
    left: { adapter: 'adapter_model.safetensors' },
  },
  {
    of: 'an adapter beside a model of .bin: vLLM would load the adapter alone',
    files: `${HF} ${BINS} adapter_config.json adapter_model.safetensors`,
    left: { adapter: 'adapter_model.safetensors' },
  },
  // Training
  {
    of: 'what training left',
    files: `${HF} model.safetensors ${TRAINING} optimizer_0/__0_0.distcp pytorch_model_fsdp_0/__0_0.distcp zero_to_fp32.py
      global_step500/mp_rank_00_model_states.pt runs/events.out.tfevents.1 trainer_state.json`,
    left: {
      training: `${TRAINING} optimizer_0/__0_0.distcp pytorch_model_fsdp_0/__0_0.distcp zero_to_fp32.py
        global_step500/mp_rank_00_model_states.pt runs/events.out.tfevents.1`,
    },
  },
  {
    of: 'earlier steps in folders',
    files: `${HF} model.safetensors checkpoint-500/config.json checkpoint-500/model.safetensors checkpoint-500/trainer_state.json
      step_10/model.safetensors`,
    left: {
      training: `checkpoint-500/config.json checkpoint-500/model.safetensors checkpoint-500/trainer_state.json step_10/model.safetensors`,
    },
  },
  {
    of: 'only earlier steps',
    files: 'config.json checkpoint-500/model.safetensors checkpoint-500/optimizer.pt',
    left: { training: 'checkpoint-500/optimizer.pt' },
    says: 'no-weights',
  },
  {
    of: 'earlier steps beside a part of the model',
    files: 'config.json head.pt checkpoint-500/pytorch_model.bin',
  },
  // Other programs
  { of: 'nvidia/canary-1b', files: 'canary-1b.nemo README.md', says: 'no-weights' },
  { of: 'mlx of old', files: 'config.json weights.npz tokenizer.model', says: 'no-weights' },
  { of: 'mlx-community/…', files: `${HF} model.safetensors model.safetensors.index.json` },
  {
    of: 'engines of TensorRT',
    files: `${HF} model.safetensors rank0.engine trt/model.plan`,
    left: { 'other-framework': 'rank0.engine trt/model.plan' },
  },
  { of: 'ONNX alone', files: 'config.json onnx/model.onnx onnx/model_q4.onnx_data_1', says: 'no-weights' },
  {
    of: 'openai-community/gpt2',
    files: `${HF} model.safetensors pytorch_model.bin 64.tflite 64-fp16.tflite onnx/decoder_model.onnx rust_model.ot`,
    left: {
      'second-copy': 'pytorch_model.bin',
      'other-framework': '64.tflite 64-fp16.tflite onnx/decoder_model.onnx rust_model.ot',
    },
  },
  // Names
  {
    of: 'endings in capitals: vLLM does not see them, so the others are the model',
    files: `${HF} MODEL.SAFETENSORS pytorch_model.bin`,
    left: { 'second-copy': 'MODEL.SAFETENSORS' },
  },
  { of: 'endings in capitals alone', files: `${HF} model.SAFETENSORS`, says: 'no-weights' },
  {
    of: 'what machines leave',
    files: `${HF} model.safetensors .DS_Store __MACOSX/._model.safetensors __pycache__/modeling.cpython-311.pyc
      .cache/huggingface/download/model.safetensors.metadata .ipynb_checkpoints/config-checkpoint.json`,
    left: {
      'not-for-serving': `.DS_Store __MACOSX/._model.safetensors __pycache__/modeling.cpython-311.pyc
        .cache/huggingface/download/model.safetensors.metadata .ipynb_checkpoints/config-checkpoint.json`,
    },
  },
  { of: 'other scripts', files: '模型/config.json 模型.safetensors tokenizer.json' },
  { of: 'numbers without zeros', files: `${HF} model-1-of-2.safetensors model-2-of-2.safetensors` },
  {
    of: 'numbers of other lengths',
    files: `${HF} model-00001-of-000002.safetensors model-00002-of-000002.safetensors`,
  },
  { of: 'no weights', files: 'README.md config.json', says: 'no-weights' },
  // models.yaml
  {
    of: 'the .bin wanted',
    files: `${HF} model.safetensors model.safetensors.index.json pytorch_model.bin`,
    exclude: '*.safetensors *.index.json',
    left: { excluded: 'model.safetensors model.safetensors.index.json' },
  },
  {
    of: 'a folder by its name, wherever it is',
    files: `${HF} model.safetensors a/extra/x.safetensors extra/y.safetensors extra.json`,
    exclude: 'extra/',
    left: { excluded: 'a/extra/x.safetensors extra/y.safetensors' },
  },
  {
    of: 'a name at the top alone',
    files: `${HF} pytorch_model.bin 2_Dense/pytorch_model.bin model.safetensors`,
    exclude: '/pytorch_model.bin ./config.json',
    left: { excluded: 'pytorch_model.bin config.json' },
  },
  {
    of: 'a part of a series left out',
    files: `${HF} model*3.safetensors`,
    exclude: '*-00003-of-*',
    left: { excluded: 'model-00003-of-00003.safetensors' },
    says: 'weights-incomplete',
  },
  {
    of: 'all weights left out',
    files: `${HF} model.safetensors`,
    include: '*.json',
    left: { 'not-included': 'model.safetensors' },
    says: 'no-weights',
  },
  {
    of: 'pickles beside a model in its own format',
    files: 'params.json consolidated.safetensors head.pkl',
    left: { pickle: 'head.pkl' },
  },
  {
    of: 'pickles beside a model in its own format that are allowed',
    files: 'params.json consolidated.safetensors head.pkl',
    allowPickle: true,
  },
];

for (const [index, listing] of LISTINGS.entries()) {
  test(`listing ${index + 1}: ${listing.of}`, () => {
    const { left = {}, says = '', args = '', include, exclude, allowPickle = false } = listing;
    const all = pathsIn(listing.files).map(
      (path): HubFile => ({ path, sizeBytes: 1, gitOid: '0'.repeat(40) }),
    );
    const serveArgs = args === '' ? [] : args.split(' ');
    const globs = { include: include?.split(' ') ?? null, exclude: exclude?.split(' ') ?? null, allowPickle };
    const { files, leftOut } = chooseFiles({ files: all }, { serveArgs, files: globs });
    const expected = Object.entries(left).flatMap(([rule, words]) =>
      pathsIn(words).map(path => `${rule} ${path}`),
    );
    assert.deepEqual(leftOut.map(({ rule, path }) => `${rule} ${path}`).sort(), expected.sort());
    assert.equal(files.length + leftOut.length, all.length);
    const findings = fileFindings({ files, all, serveArgs, disguised: [] });
    assert.deepEqual(
      findings.map(({ rule }) => rule),
      says === '' ? [] : says.split(' '),
      JSON.stringify(findings),
    );
  });
}

function pathsIn(words: string): string[] {
  return words.split(/\s+/).flatMap(word => {
    const [, stem, count, end] = /^(.*)\*(\d+)(\..*)$/.exec(word) ?? [];
    if (stem === undefined) return [word];
    const total = Number(count);
    const digits = (number: number): string => String(number).padStart(5, '0');
    return Array.from(
      { length: total },
      (_, index) => `${stem}-${digits(index + 1)}-of-${digits(total)}${end}`,
    );
  });
}
