import { table } from './table.ts';
import { SHARD, VARIANT } from './weight-series.ts';

/**
 * What the files of a model repository are, by their paths. Every decision about files asks here: which go into an image,
 * which are pickles, which get their own layer, what is missing. The slim image's bootstrap gets the
 * same table as JSON (`npm run bootstrap-data`), for models that it looks up at run time.
 */

/** What a file holds. */
export type FileKind =
  /** Weights that vLLM loads: Hugging Face's safetensors, Mistral's own, PyTorch's, GGUF, Tensorizer's. */
  | 'safetensors'
  | 'mistral'
  | 'torch'
  | 'gguf'
  | 'tensorizer'
  /** Weights that other programs load. */
  | 'other-framework'
  /** What training wrote beside the weights: optimizer, scheduler, random states. */
  | 'training'
  /** Pickled objects that are no tensors of a model. */
  | 'pickle'
  /** The list of which tensor is in which file. */
  | 'index'
  | 'tokenizer'
  | 'config'
  | 'code'
  /** Of no use to a server: pictures, git's own files. */
  | 'extra'
  | 'other';

/** llama.cpp's files before GGUF: `ggml-base.bin`, `llama-2-7b.ggmlv3.q4_0.bin`. */
const GGML = String.raw`(^|[/._-])gg(ml|mf|jt)(v\d+)?([._-][^/]*)?\.bin$`;

/** In an expression that JavaScript and Python read alike; upper and lower case count the same. */
interface KindRule {
  readonly kind: FileKind;
  readonly path: string;
}

/** The first rule that matches a path says what it is. */
const KINDS: readonly KindRule[] = [
  { kind: 'extra', path: String.raw`(^|/)\.git(attributes|ignore|keep)$` },
  { kind: 'extra', path: String.raw`\.(png|jpe?g|gif|svg|webp|ico|mp4|pdf)$` },
  // What programs keep for themselves and people upload with the rest.
  {
    kind: 'extra',
    path: String.raw`(^|/)(\.cache|\.huggingface|\.ipynb_checkpoints|__pycache__|__MACOSX)/|(^|/)\.DS_Store$`,
  },
  // transformers, accelerate, DeepSpeed (`global_step500/`), torch.distributed
  {
    kind: 'training',
    path: String.raw`(^|/)(optimizer|optim|scheduler|lr_scheduler|scaler|sampler|dl_state_dict|(rng|random)_states?|training_(args|state)|trainer_state)([._-][^/]*)?\.(bin|pt|pth|ckpt|pkl|safetensors)$`,
  },
  { kind: 'training', path: String.raw`(^|/)global_step\d*/|(^|/)zero_to_fp32\.py$` },
  {
    kind: 'training',
    path: String.raw`(^|/)(bf16_)?zero_pp_rank_|_(optim|model)_states\.pt$|\.distcp$|(^|/)events\.out\.tfevents\.`,
  },
  { kind: 'index', path: String.raw`\.(safetensors|bin)\.index(\.[\w-]+)?\.json$` },
  { kind: 'mistral', path: String.raw`(^|/)consolidated[^/]*\.safetensors$` },
  // OpenCLIP's own copy, beside that of Transformers
  { kind: 'other-framework', path: String.raw`(^|/)open_clip_[^/]*\.(bin|safetensors)$` },
  // gpt-oss has `metal/model.bin`.
  { kind: 'other-framework', path: '(^|/)(metal|coreml)/' },
  { kind: 'safetensors', path: String.raw`\.safetensors$` },
  { kind: 'other-framework', path: String.raw`(^|/)openvino[^/]*\.(bin|xml)$|(^|/)openvino/` },
  { kind: 'other-framework', path: String.raw`\.onnx([._-]?data([._-]?\d+)?)?$|\.ort$` },
  // TensorFlow, Keras, TensorFlow Lite, Flax, Rust, MLX
  { kind: 'other-framework', path: String.raw`\.(h5|hdf5|keras|tflite|msgpack|ot)$` },
  // Others of these endings are data of a model's own code: `mel_filters.npz`.
  {
    kind: 'other-framework',
    path: String.raw`(^|/)(saved_model|frozen[^/]*|model[^/]*|weights[^/]*)\.(pb|npz)$`,
  },
  { kind: 'other-framework', path: String.raw`\.ckpt(-\d+)?\.(index|meta)$|\.data-\d{5}-of-\d{5}$` },
  // Core ML, TensorRT, NeMo, ExecuTorch, MediaPipe, LiteRT
  { kind: 'other-framework', path: String.raw`\.ml(package|modelc)/|\.mlmodel$` },
  { kind: 'other-framework', path: String.raw`\.(engine|plan|trt|nemo|pte|ptd|task|litertlm)$` },
  // TorchScript and AOTInductor, llama.cpp before GGUF, PaddlePaddle, MNN, Rockchip, Qualcomm, Hailo, Axera, Ambarella
  {
    kind: 'other-framework',
    path: String.raw`\.(torchscript|ptl|pt2|mar|llamafile|ggml|ggmf|ggjt)$|${GGML}`,
  },
  {
    kind: 'other-framework',
    path: String.raw`\.(pdparams|pdmodel|pdiparams|mnn|rknn|rkllm|dlc|hef|axmodel|cavalry)$`,
  },
  { kind: 'torch', path: String.raw`\.(bin|pt|pth|ckpt)$` },
  { kind: 'gguf', path: String.raw`\.gguf(-split-[a-z]+|\.part\d+of\d+)?$` },
  { kind: 'tensorizer', path: String.raw`\.tensors$` },
  { kind: 'pickle', path: String.raw`\.(pkl|pickle|joblib|dill)$` },
  {
    kind: 'tokenizer',
    path: String.raw`(^|/)(tokenizer[^/]*|tekken[^/]*|vocab[^/]*|merges\.txt|special_tokens_map\.json|added_tokens\.json|spiece\.model|sentencepiece[^/]*\.model|tiktoken[^/]*|[^/]*\.tiktoken)$`,
  },
  { kind: 'config', path: String.raw`(^|/)(config|params|modules|[\w-]*_config|config_[\w-]*)\.json$` },
  { kind: 'code', path: String.raw`\.py$` },
];

/** Formats that run code when they are loaded, whatever they are used for. */
const PICKLES = String.raw`\.(bin|pt|pth|ckpt|pkl|pickle|joblib|dill|nemo|distcp|pdparams|torchscript|ptl|pt2|mar)$`;
/** Bytes without any Python object in them, though they are called `.bin`. */
const NOT_PICKLES = String.raw`(^|/)openvino[^/]*\.bin$|${GGML}|(^|/)(metal|openvino)/`;

/** Weights that change a model's: they are not the model. */
const ADAPTERS = String.raw`(^|/)(adapters?|adapter_model[^/]*|pytorch_lora_weights|lora|[^/]*[_-]lora)\.(safetensors|bin|pt)$`;

/** Names under which PyTorch's files hold a whole model, or a part of one in a row. */
const WHOLE_MODELS = String.raw`(^|/)((pytorch_|diffusion_pytorch_|tf_)?model|consolidated|adapter_model|weights)[^/]*\.(bin|pt)$|-\d+-of-\d+\.(bin|pt)$|\.(pth|ckpt)$`;

/** The same for all of PyTorch's endings: a file of another name may hold anything. */
const NAMED_MODELS = String.raw`(^|/)((pytorch_|diffusion_pytorch_|tf_)?model|consolidated|weights)[^/]*\.(bin|pt|pth|ckpt)$|-\d+-of-\d+\.(bin|pt|pth|ckpt)$`;

/** Another maker's copy of what is in the folder above. */
const ORIGINALS = '(^|/)original/';

/** The model as it was in the middle of its training: transformers' `checkpoint-500/`, accelerate's `step_500/`. */
const CHECKPOINTS = String.raw`(^|/)(checkpoint|ckpt|epoch|step|iter)[-_]\d+[^/]*/`;

/** Endings as vLLM looks for them: on Linux, `*.safetensors` does not match `MODEL.SAFETENSORS`. */
const LOADABLE = String.raw`\.(safetensors|bin|pt|pth|ckpt|tensors)$|\.gguf(-split-[a-z]+|\.part\d+of\d+)?$`;

/** The formats in which repositories have weights. */
export type WeightKind = 'safetensors' | 'mistral' | 'torch' | 'gguf' | 'tensorizer';

/** What `--load-format` makes vLLM look for, the best first; all other values are as `auto`. */
const LOAD_FORMATS = table<readonly WeightKind[]>({
  auto: ['safetensors', 'mistral', 'torch', 'gguf', 'tensorizer'],
  mistral: ['mistral', 'safetensors', 'torch', 'gguf', 'tensorizer'],
  pt: ['torch', 'safetensors', 'mistral', 'gguf', 'tensorizer'],
  npcache: ['torch', 'safetensors', 'mistral', 'gguf', 'tensorizer'],
  gguf: ['gguf', 'safetensors', 'mistral', 'torch', 'tensorizer'],
  tensorizer: ['tensorizer', 'safetensors', 'mistral', 'torch', 'gguf'],
});

/** Of PyTorch's endings vLLM reads the first that is there; the last two only a repository's own code does. */
const TORCH_ENDINGS = table<readonly string[]>({
  auto: ['.bin', '.pt', '.pth', '.ckpt'],
  pt: ['.pt', '.bin', '.pth', '.ckpt'],
});

/** What the bootstrap reads, as JSON: enough to choose files. */
export const MODEL_FILES = {
  kinds: KINDS,
  adapters: ADAPTERS,
  wholeModels: WHOLE_MODELS,
  namedModels: NAMED_MODELS,
  originals: ORIGINALS,
  checkpoints: CHECKPOINTS,
  loadable: LOADABLE,
  shard: SHARD,
  variant: VARIANT,
  loadFormats: LOAD_FORMATS,
  torchEndings: TORCH_ENDINGS,
} as const;

const SAFETENSORS = ['*.safetensors'];
/**
 * The names that vLLM looks for at the top of the model's folder, by load format (`_prepare_weights` of its loaders). What
 * is not in this table is a plugin's, or looks elsewhere.
 */
const LOOKED_FOR = table<readonly string[]>({
  auto: ['*.safetensors', '*.bin', '*.pt'],
  hf: ['*.safetensors', '*.bin', '*.pt'],
  bitsandbytes: ['*.safetensors', '*.bin', '*.pt'],
  safetensors: SAFETENSORS,
  fastsafetensors: SAFETENSORS,
  instanttensor: SAFETENSORS,
  runai_streamer: SAFETENSORS,
  mistral: ['consolidated*.safetensors'],
  pt: ['*.pt'],
  npcache: ['*.bin', '*.pt'],
  gguf: ['*.gguf'],
});

const rules = KINDS.map(({ kind, path }) => ({ kind, path: new RegExp(path, 'i') }));
const pickles = new RegExp(PICKLES, 'i');
const notPickles = new RegExp(NOT_PICKLES, 'i');
const adapters = new RegExp(ADAPTERS, 'i');
const wholeModels = new RegExp(WHOLE_MODELS, 'i');
const namedModels = new RegExp(NAMED_MODELS, 'i');
const originals = new RegExp(ORIGINALS, 'i');
const checkpoints = new RegExp(CHECKPOINTS, 'i');
const loadable = new RegExp(LOADABLE);

/** Returns what a file of a repository is, by its path. */
export function kindOf(path: string): FileKind {
  return rules.find(rule => rule.path.test(path))?.kind ?? 'other';
}

/** Returns the kind of weights that vLLM could load from the file; undefined for everything else. */
export function weightKindOf(path: string): WeightKind | undefined {
  const kind = kindOf(path);
  return isWeightKind(kind) ? kind : undefined;
}

/** Whether the file holds weights, of whatever program. */
export function isWeights(path: string): boolean {
  const kind = kindOf(path);
  return isWeightKind(kind) || kind === 'other-framework';
}

/** Whether the file can run code when it is loaded. */
export function isPicklePath(path: string): boolean {
  return pickles.test(path) && !notPickles.test(path);
}

/** Whether the file changes the weights of another model and cannot be served alone: LoRA. */
export function isAdapter(path: string): boolean {
  return adapters.test(path);
}

/** Whether a PyTorch file is called like a whole model, rather than like a part that stands for itself. */
export function isWholeModel(path: string): boolean {
  return wholeModels.test(path);
}

/** Whether the file is in a folder with the maker's own copy of the model. */
export function isOriginal(path: string): boolean {
  return originals.test(path);
}

/** Whether a PyTorch file is called like a whole model, its ending aside. */
export function isNamedModel(path: string): boolean {
  return namedModels.test(path);
}

/** Returns the folder above one that training left on its way, `''` for the top; undefined for a path that is in none. */
export function aboveCheckpoint(path: string): string | undefined {
  const found = checkpoints.exec(path);
  return found === null ? undefined : path.slice(0, found.index);
}

/** Whether vLLM looks for files with this ending. */
export function isLoadable(path: string): boolean {
  return loadable.test(path);
}

/** Returns the globs of what vLLM looks for with a load format; undefined if that cannot be known. */
export function lookedFor(format: string): readonly string[] | undefined {
  return LOOKED_FOR[format];
}

/** Returns the endings of PyTorch's files, the one that vLLM reads first in front. */
export function torchEndings(format: string): readonly string[] {
  return TORCH_ENDINGS[format] ?? (TORCH_ENDINGS.auto as readonly string[]);
}

/** Returns the kinds of weights that vLLM looks for, the best first. */
export function loadOrder(format: string): readonly WeightKind[] {
  return LOAD_FORMATS[format] ?? (LOAD_FORMATS.auto as readonly WeightKind[]);
}

function isWeightKind(kind: FileKind): kind is WeightKind {
  return ['safetensors', 'mistral', 'torch', 'gguf', 'tensorizer'].includes(kind);
}
