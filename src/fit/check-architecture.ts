import type { FitContext } from './fit-context.ts';
import { definitionAt, firstReleaseWith, lastReleaseWith, type Release } from './releases.ts';
import type { FitFinding } from './types.ts';

/**
 * Suffixes that vLLM takes for one another: it adapts `Qwen3ForSequenceClassification` from `Qwen3ForCausalLM`, since it
 * has --convert.
 */
const SUFFIXES = [
  'ForCausalLM',
  'ForConditionalGeneration',
  'ChatModel',
  'LMHeadModel',
  'ForTextEncoding',
  'EmbeddingModel',
  'ForSequenceClassification',
  'ForAudioClassification',
  'ForImageClassification',
  'ForVideoClassification',
  'ForTokenClassification',
  'ClassificationModel',
  'ForRewardModeling',
  'RewardModel',
  'Model',
];
/** Names of the table under which a release falls back to the implementation in Transformers. */
const FALLBACKS = [
  'TransformersModel',
  'TransformersForCausalLM',
  'TransformersForMultimodalLM',
  'TransformersMultiModalForCausalLM',
];

/** Returns findings about an architecture that the release of vLLM does not have. */
export function architectureFindings(context: FitContext): FitFinding[] {
  const { release, shape, input } = context;
  const { architectures } = shape;
  if (architectures.length === 0 || isMistralNative(context)) return [];
  if (architectures.some(name => isKnown(name, release))) return remoteCodeFindings(context);
  const [name = ''] = architectures;
  const evidence = `config.json, architectures: ${architectures.join(', ')}; base image ${input.baseImage}`;
  const removed = lastReleaseWith('architectures', name, release);
  const first = firstReleaseWith('architectures', name, release);
  if (removed !== undefined) {
    return [
      {
        rule: 'architecture-unknown',
        message: `vLLM ${release.version} no longer has the architecture ${name}; ${removed.version} was the last that had it.`,
        evidence,
        remedy: `Set base_image to vLLM ${removed.version}.`,
      },
    ];
  }
  if (first !== undefined) {
    return [
      {
        rule: 'architecture-unknown',
        message: `vLLM ${release.version} does not know the architecture ${name}; ${first.version} is the first that does.`,
        evidence,
        remedy: `Set base_image to vLLM ${first.version} or newer.`,
      },
    ];
  }
  // The implementation in Transformers, or the repository's own, may do: which ones, the data does not say.
  if (hasFallback(release)) return remoteCodeFindings(context);
  return [
    {
      rule: 'architecture-unknown',
      message: `No release of vLLM that is known has the architecture ${name}, and ${release.version} does not fall back to Transformers.`,
      evidence,
    },
  ];
}

/** vLLM maps Mistral's own format to an architecture of its own. */
function isMistralNative({ input: { files }, args }: FitContext): boolean {
  const format = args.given.get('--config-format')?.values[0];
  return format === 'mistral' || !files.some(({ path }) => path === 'config.json');
}

/** Returns whether a release of vLLM has an architecture. */
export function isKnown(name: string, release: Release): boolean {
  if (definitionAt('architectures', name, release) !== undefined) return true;
  if (release.rank < (firstConverting?.rank ?? Infinity)) return false;
  const suffix = SUFFIXES.find(one => name.endsWith(one));
  if (suffix === undefined) return false;
  const stem = name.slice(0, -suffix.length);
  return SUFFIXES.some(other => definitionAt('architectures', stem + other, release) !== undefined);
}

/** The release that brought `--convert`. */
const firstConverting = firstReleaseWith('flags', '--convert');

function hasFallback(release: Release): boolean {
  return FALLBACKS.some(name => definitionAt('architectures', name, release) !== undefined);
}

/**
 * Code of the repository's own runs only if it is trusted. It is needed for the model if vLLM does not have the
 * architecture, and for its configuration if neither vLLM nor Transformers has that type.
 */
function remoteCodeFindings({ shape, args, release, input }: FitContext): FitFinding[] {
  const trust = args.given.get('--trust-remote-code');
  if (!shape.hasOwnCode || (trust !== undefined && !trust.isNegated)) return [];
  const [name = 'the model'] = shape.architectures;
  const type = shape.modelType;
  const isOwn = shape.architectures.some(one => isKnown(one, release));
  const hasConfig = type === undefined || definitionAt('configTypes', type, release) !== undefined;
  // The tokenizer's class is code, and there is no file that does without it.
  const names = input.files.map(({ path }) => path);
  const hasOwnTokenizer =
    names.some(name => /^tokenization_\w+\.py$/.test(name)) && !names.includes('tokenizer.json');
  if (isOwn && hasConfig && !hasOwnTokenizer) return [];
  return [
    {
      rule: 'remote-code-needed',
      message: isOwn
        ? `vLLM ${release.version} knows ${name}, but ${hasConfig ? 'the tokenizer' : `the configuration (${type})`} is code in the repository, which runs only with --trust-remote-code.`
        : `vLLM ${release.version} does not have ${name}; the repository's own code for it runs only with --trust-remote-code.`,
      evidence: `config.json, auto_map and model_type; serve_args: ${input.serveArgs.join(' ')}`,
      remedy: 'Read that code, and add --trust-remote-code to serve_args if you trust it.',
    },
  ];
}
