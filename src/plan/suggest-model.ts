import { toShortName } from '../config/field-checks.ts';
import type { NewModel } from '../config/yaml/append-model.ts';
import { isModelId } from '../core/hub-names.ts';
import { weightKindOf } from '../core/model-files.ts';
import { formatBytes } from '../core/text.ts';
import { GPU_SIZES_GB, type GpuNeed, gpuSentence, leastGpus } from '../fit/gpu-need.ts';
import { recordOf } from '../fit/json-value.ts';
import { factsOf, type ModelFacts } from '../fit/model-facts.ts';
import { fileFindings } from '../hub/file-findings.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import { chooseFiles } from './choose-files.ts';
import type { WeightsLook } from './look-at-weights.ts';

/** An entry for `models.yaml` that `add` suggests. */
export interface Suggestion {
  readonly model: NewModel;
  /** What a user should know or decide, each a sentence or two. */
  readonly notes: readonly string[];
}

const DEFAULT_ARGS = ['--host', '0.0.0.0', '--port', '8000'];
/** Of the GPUs that a number of them is suggested for: A100 and H100, which most clouds have. */
const USUAL_GPU_GB = 80;
const LONG_CONTEXT_TOKENS = 32_768;

/** What of a repository was read besides its list of files and config.json. */
export interface SuggestionHelp {
  readonly adapterConfig?: unknown;
  readonly look?: WeightsLook;
}

/** Returns the files that images of a model get if nothing is configured. */
export function usualFiles(snapshot: ModelSnapshot): readonly HubFile[] {
  const files = { include: null, exclude: null, allowPickle: false };
  return chooseFiles(snapshot, { files, serveArgs: [] }).files;
}

/**
 * Returns how a model is best written into `models.yaml`: a name that is not taken, and arguments that vLLM does not find
 * out automatically. `config` is the repository's config.json, undefined if it has none or it may not be read.
 */
export function suggestModel(
  snapshot: ModelSnapshot,
  config: unknown,
  takenShorts: ReadonlySet<string>,
  { adapterConfig, look = { disguised: [], indexes: [] } }: SuggestionHelp = {},
): Suggestion {
  const facts = readFacts(snapshot, config, { adapterConfig, look });
  const added = [...quantizationArgs(facts), ...formatArgs(facts), ...parallelArgs(facts)];
  return {
    model: {
      id: snapshot.id,
      short: freeShort(toShortName(snapshot.id), takenShorts),
      ...(added.length === 0 ? {} : { serveArgs: [...DEFAULT_ARGS, ...added] }),
    },
    notes: [...renamedNote(snapshot), ...notes(facts)],
  };
}

interface Facts {
  readonly model: ModelFacts;
  /** The fewest GPUs of each size that it runs on. */
  readonly gpus: readonly GpuNeed[];
  /** How many of the usual ones. */
  readonly usualCount: number;
  readonly files: readonly string[];
  readonly findings: readonly string[];
  readonly hasConfig: boolean;
  /** Whether vLLM loads weights of Mistral's own format. */
  readonly isNative: boolean;
  readonly hasOwnCode: boolean;
}

function readFacts(
  snapshot: ModelSnapshot,
  config: unknown,
  { adapterConfig, look }: Required<SuggestionHelp>,
): Facts {
  const chosen = usualFiles(snapshot);
  const { tensors, languages } = snapshot;
  const model = factsOf({ files: chosen, documents: { config: recordOf(config) }, tensors, languages });
  const question = {
    weightBytes: model.weightBytes,
    cache: model.kvCache,
    heads: model.attentionHeads,
    contextLength: model.contextLength ?? undefined,
  };
  const gpus = GPU_SIZES_GB.flatMap(memoryGB => leastGpus(question, memoryGB) ?? []);
  return {
    model,
    gpus,
    usualCount: gpus.find(({ memoryGB }) => memoryGB === USUAL_GPU_GB)?.count ?? 1,
    files: snapshot.files.map(file => file.path),
    findings: fileFindings({
      files: chosen,
      all: snapshot.files,
      serveArgs: [],
      ...look,
      id: snapshot.id,
      bases: [...snapshot.baseModels, ...basesIn(adapterConfig)],
    }).map(({ message, remedy }) => (remedy === undefined ? message : `${message} ${remedy}`)),
    hasConfig: config !== undefined,
    isNative: chosen.some(({ path }) => !path.includes('/') && weightKindOf(path) === 'mistral'),
    hasOwnCode: recordOf(config).auto_map !== undefined,
  };
}

/** vLLM reads the other methods from config.json; older versions want this one named. */
function quantizationArgs({ model: { quantization } }: Facts): string[] {
  return quantization === 'bitsandbytes'
    ? ['--quantization', 'bitsandbytes', '--load-format', 'bitsandbytes']
    : [];
}

/** Mistral's own format, without the weights or the configuration that Transformers wants. */
function formatArgs({ files, isNative }: Facts): string[] {
  if (!isNative || !files.includes('params.json')) return [];
  return ['tokenizer-mode', 'config-format', 'load-format'].flatMap(flag => [`--${flag}`, 'mistral']);
}

function parallelArgs({ usualCount }: Facts): string[] {
  return usualCount === 1 ? [] : ['--tensor-parallel-size', String(usualCount)];
}

function notes(facts: Facts): string[] {
  const { model, hasOwnCode, hasConfig, files } = facts;
  const { quantization, contextLength, architecture } = model;
  return [
    ...facts.findings,
    ...gpuNote(facts),
    ...(quantization === null || quantization === 'bitsandbytes'
      ? []
      : [`Quantized (${quantization}): vLLM sees that in config.json; no argument is needed.`]),
    ...(contextLength !== null && contextLength > LONG_CONTEXT_TOKENS
      ? [`A context of ${contextLength} tokens: if its cache does not fit, limit it with --max-model-len.`]
      : []),
    ...(hasOwnCode
      ? [
          `It brings code of its own${architecture === undefined ? '' : ` (${architecture})`}: if vLLM does not know the architecture, it needs --trust-remote-code. Read that code before you add the argument; it is not added for you.`,
        ]
      : []),
    ...(hasConfig || (facts.isNative && files.includes('params.json'))
      ? []
      : files.includes('config.json')
        ? [
            'Its config.json may not be read without access to the model (HF_TOKEN): the arguments are the default ones.',
          ]
        : ['It has no config.json: vLLM may not know what to do with it.']),
  ];
}

function gpuNote({ model: { weightBytes }, gpus, usualCount }: Facts): string[] {
  if (weightBytes === 0) return [];
  const size = `${formatBytes(weightBytes)} of weights`;
  if (gpus.length === 0)
    return [`${size}: more than the GPUs of one machine hold; it takes several machines.`];
  const parallel =
    usualCount === 1 ? '' : ` --tensor-parallel-size ${usualCount} is for GPUs of ${USUAL_GPU_GB} GB.`;
  return [`${size}: ${gpuSentence(gpus)}.${parallel}`];
}

function renamedNote({ id, requestedId }: ModelSnapshot): string[] {
  return id === requestedId ? [] : [`The Hub calls it ${id} now; that name is written.`];
}

function freeShort(short: string, taken: ReadonlySet<string>): string {
  if (!taken.has(short)) return short;
  for (let number = 2; ; number++) if (!taken.has(`${short}-${number}`)) return `${short}-${number}`;
}

function basesIn(adapterConfig: unknown): readonly string[] {
  const { base_model_name_or_path: base } = recordOf(adapterConfig);
  return typeof base === 'string' && isModelId(base) ? [base] : [];
}
