import { toShortName } from '../config/field-checks.ts';
import type { NewModel } from '../config/yaml/append-model.ts';
import { weightKindOf } from '../core/model-files.ts';
import { formatBytes } from '../core/text.ts';
import { fileFindings } from '../hub/file-findings.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import { chooseFiles } from './choose-files.ts';

export interface Suggestion {
  readonly model: NewModel;
  /** What a user should know or decide, each a sentence or two. */
  readonly notes: readonly string[];
}

const DEFAULT_ARGS = ['--host', '0.0.0.0', '--port', '8000'];
const GB = 1e9;
/** What a GPU has for weights: the rest is the cache's and the runtime's. */
const SHARE_FOR_WEIGHTS = 0.75;
const GPU_SIZES_GB = [16, 24, 48, 80] as const;
const MOST_GPUS = 16;
const LONG_CONTEXT_TOKENS = 32_768;

/**
 * How a model is best written into `models.yaml`: a name that nobody has yet, and arguments that vLLM does not find out by
 * itself. `config` is the repository's config.json, undefined where it has none or may not be read.
 */
export function suggestModel(
  snapshot: ModelSnapshot,
  config: unknown,
  takenShorts: ReadonlySet<string>,
): Suggestion {
  const facts = readFacts(snapshot, config);
  const added = [...quantisationArgs(facts), ...formatArgs(facts), ...parallelArgs(facts)];
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
  readonly weightBytes: number;
  readonly files: readonly string[];
  readonly findings: readonly string[];
  readonly hasConfig: boolean;
  readonly quantisation: string | undefined;
  readonly heads: number | undefined;
  readonly contextTokens: number | undefined;
  readonly architecture: string | undefined;
  readonly hasOwnCode: boolean;
}

function readFacts(snapshot: ModelSnapshot, value: unknown): Facts {
  const config = recordOf(value);
  // Models that see or hear keep their language part in a map of its own.
  const text = { ...recordOf(config.text_config), ...config };
  const files = { include: null, exclude: null, allowPickle: false };
  const chosen = chooseFiles(snapshot, { files, serveArgs: [] }).files;
  const architectures = Array.isArray(config.architectures) ? config.architectures : [];
  return {
    weightBytes: chosen
      .filter(file => weightKindOf(file.path) !== undefined)
      .reduce((sum, file) => sum + file.sizeBytes, 0),
    files: snapshot.files.map(file => file.path),
    findings: fileFindings({ files: chosen, all: snapshot.files, serveArgs: [], disguised: [] }).map(
      ({ message }) => message,
    ),
    hasConfig: value !== undefined,
    quantisation: textOf(recordOf(config.quantization_config).quant_method),
    heads: countOf(text.num_attention_heads),
    contextTokens: countOf(text.max_position_embeddings),
    architecture: textOf(architectures[0]),
    hasOwnCode: config.auto_map !== undefined,
  };
}

/** vLLM reads the other methods from config.json; older versions want this one named. */
function quantisationArgs({ quantisation }: Facts): string[] {
  return quantisation === 'bitsandbytes'
    ? ['--quantization', 'bitsandbytes', '--load-format', 'bitsandbytes']
    : [];
}

/** Mistral's own format, without the files that Transformers wants. */
function formatArgs({ files }: Facts): string[] {
  const isNative = files.includes('params.json') && !files.includes('config.json');
  return isNative
    ? ['tokenizer-mode', 'config-format', 'load-format'].flatMap(flag => [`--${flag}`, 'mistral'])
    : [];
}

function parallelArgs(facts: Facts): string[] {
  const largest = GPU_SIZES_GB.at(-1) ?? 80;
  if (facts.weightBytes <= largest * GB * SHARE_FOR_WEIGHTS) return [];
  const count = gpuCount(facts, largest);
  return count === undefined ? [] : ['--tensor-parallel-size', String(count)];
}

/** The power of two of GPUs that the weights fit on and that the attention heads can be shared out to. */
function gpuCount({ weightBytes, heads }: Facts, gpuGb: number): number | undefined {
  for (let count = 1; count <= MOST_GPUS; count *= 2) {
    const fits = weightBytes / count <= gpuGb * GB * SHARE_FOR_WEIGHTS;
    if (fits && (heads === undefined || heads % count === 0)) return count;
  }
  return undefined;
}

function notes(facts: Facts): string[] {
  const { weightBytes, quantisation, hasOwnCode, architecture, contextTokens, hasConfig, files } = facts;
  const gpu = GPU_SIZES_GB.find(size => weightBytes <= size * GB * SHARE_FOR_WEIGHTS);
  const largest = GPU_SIZES_GB.at(-1) ?? 80;
  const size = formatBytes(weightBytes);
  const count = gpuCount(facts, largest);
  return [
    ...facts.findings,
    ...(weightBytes === 0
      ? []
      : gpu !== undefined
        ? [`${size} of weights: a GPU with ${gpu} GB, or several with --tensor-parallel-size.`]
        : count !== undefined
          ? [`${size} of weights: ${count} GPUs with ${largest} GB, hence --tensor-parallel-size ${count}.`]
          : [
              `${size} of weights: more than ${MOST_GPUS} GPUs with ${largest} GB hold; it takes several machines.`,
            ]),
    ...(quantisation === undefined || quantisation === 'bitsandbytes'
      ? []
      : [`Quantised (${quantisation}): vLLM sees that in config.json, no argument is needed.`]),
    ...(contextTokens !== undefined && contextTokens > LONG_CONTEXT_TOKENS
      ? [`A context of ${contextTokens} tokens: where its cache does not fit, limit it with --max-model-len.`]
      : []),
    ...(hasOwnCode
      ? [
          `It brings code of its own${architecture === undefined ? '' : ` (${architecture})`}: where vLLM does not know the architecture, it asks for --trust-remote-code. Read that code before you add the argument; it is not added for you.`,
        ]
      : []),
    ...(hasConfig || files.includes('params.json')
      ? []
      : files.includes('config.json')
        ? [
            'Its config.json may not be read without access to the model (HF_TOKEN): the arguments are the default ones.',
          ]
        : ['It has no config.json: vLLM may not know what to do with it.']),
  ];
}

function renamedNote({ id, requestedId }: ModelSnapshot): string[] {
  return id === requestedId ? [] : [`The Hub calls it ${id} now; that name is written.`];
}

function freeShort(short: string, taken: ReadonlySet<string>): string {
  if (!taken.has(short)) return short;
  for (let number = 2; ; number++) if (!taken.has(`${short}-${number}`)) return `${short}-${number}`;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}
