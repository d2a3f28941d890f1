import {
  type AdaptedModel,
  type AdapterBase,
  type AdapterFacts,
  rankChoices,
  rankOf,
} from './adapter-facts.ts';
import { isKnown } from './check-architecture.ts';
import type { FitContext } from './fit-context.ts';
import { recordOf, textOf, textsOf } from './json-value.ts';
import { type ModelShape, shapeOf } from './model-shape.ts';
import { definitionAt, RELEASES, type Release } from './releases.ts';
import type { FitFinding, FitInput } from './types.ts';

/** Whether adapters belong to the model: what no release of vLLM changes. */
export function adapterBaseFindings({ adapters = [], adapted, documents }: FitInput): FitFinding[] {
  if (adapted === undefined) return [];
  const shape = shapeOf(documents.config);
  return adapters.flatMap(adapter => shapeFinding(adapter, shape) ?? baseFinding(adapter, adapted) ?? []);
}

/** Whether the release serves these adapters on this architecture. */
export function adapterFindings(context: FitContext): FitFinding[] {
  const { adapters = [] } = context.input;
  if (adapters.length === 0) return [];
  return [...supportFindings(context), ...adapters.flatMap(adapter => featureFindings(adapter, context))];
}

function baseFinding(adapter: AdapterFacts, model: AdaptedModel): FitFinding | undefined {
  const { bases } = adapter;
  const own = model.ids[0] ?? '';
  const [first] = bases;
  if (first === undefined) {
    // Of a gated adapter nothing can be read.
    if (adapter.config === undefined) return undefined;
    return unsure(adapter, `does not say which model it was trained on.`, 'base_model_name_or_path is empty');
  }
  const relations = bases.map(base => relationOf(base, model));
  if (relations.includes('same')) return undefined;
  const evidence = `adapter_config.json, base_model_name_or_path, and the card: ${bases.map(({ written }) => written).join(', ')}`;
  const named = first.id ?? first.written;
  if (relations.includes('ancestor'))
    return unsure(
      adapter,
      `was trained on ${named}, which ${own} was made from: its answers may be off.`,
      evidence,
    );
  if (relations.includes('relative'))
    return unsure(
      adapter,
      `was trained on ${named}, a relative of ${own}: its answers may be off.`,
      evidence,
    );
  if (relations.every(relation => relation === 'unknown'))
    return unsure(
      adapter,
      `was trained on ${named}, which cannot be looked up: check that it is ${own}.`,
      evidence,
    );
  return {
    rule: 'adapter-mismatch',
    message: `The adapter ${adapter.name} (${adapter.id}) was trained on ${named}, not on ${own}.`,
    evidence,
    remedy: `Add it to an entry of ${named}, or set \`fit: off\` if you know that the two belong together.`,
  };
}

function unsure({ name, id }: AdapterFacts, what: string, evidence: string): FitFinding {
  return { rule: 'adapter-base', message: `The adapter ${name} (${id}) ${what}`, evidence };
}

type Relation = 'same' | 'ancestor' | 'relative' | 'unknown' | 'other';

function relationOf({ written, id, madeFrom = [] }: AdapterBase, model: AdaptedModel): Relation {
  const has = (list: readonly string[], wanted: string): boolean =>
    list.some(one => one.toLowerCase() === wanted.toLowerCase());
  const names = [written, ...(id === undefined ? [] : [id])];
  if (names.some(name => has(model.ids, name))) return 'same';
  // Copies in another precision: those of other makers are named after the model.
  const stems = names.map(modelStem);
  if (model.ids.some(own => stems.includes(modelStem(own)))) return 'same';
  if (names.some(name => has(model.madeFrom, name)))
    return model.relation === 'quantized' ? 'same' : 'ancestor';
  if (madeFrom.some(one => has([...model.ids, ...model.madeFrom], one))) return 'relative';
  return id === undefined ? 'unknown' : 'other';
}

const PRECISION =
  /[-_.](awq|gptq|marlin|int[48]|[48]-?bits?|fp8|fp16|bf16|nf4|bnb|bitsandbytes|unsloth|quantized|w\d+a\d+(?:-g\d+)?|nvfp4|mxfp4|dynamic|autoround|hf|g128)$/;

/**
 * Returns an id without its organization and quantization, in lower case: `qwen2.5-7b-instruct` for
 * `unsloth/Qwen2.5-7B-Instruct-bnb-4bit`.
 */
export function modelStem(name: string): string {
  let stem = name.toLowerCase().replace(/\/+$/, '').replace(/^.*\//, '');
  for (let before = ''; before !== stem; ) {
    before = stem;
    stem = stem.replace(PRECISION, '');
  }
  return stem;
}

const LAYER = /\.(?:layers|h|blocks)\.(\d+)\./;
/** Parts of a model that have layers of their own. */
const OTHER_PARTS = /vision|visual|audio|encoder|mtp|speech|image/i;
/** Projections from the hidden state, and those back to it. */
const FROM_HIDDEN = /\.(q_proj|k_proj|v_proj|qkv_proj|gate_proj|up_proj|gate_up_proj|c_attn)\.lora_A\./;
const TO_HIDDEN = /\.(o_proj|down_proj)\.lora_B\./;

/** Tensors for which the model has no place. */
function shapeFinding(adapter: AdapterFacts, { layers, hiddenSize }: ModelShape): FitFinding | undefined {
  const wrong = (what: string, evidence: string): FitFinding => ({
    rule: 'adapter-mismatch',
    message: `The adapter ${adapter.name} (${adapter.id}) does not fit the model: ${what}`,
    evidence,
    remedy: 'Add it to an entry of the model that it was trained on.',
  });
  for (const { name, shape } of adapter.tensors ?? []) {
    if (OTHER_PARTS.test(name)) continue;
    const evidence = `adapter_model.safetensors, ${name}: [${shape.join(', ')}]; config.json`;
    const layer = Number(LAYER.exec(name)?.[1] ?? 0);
    if (layers !== undefined && layer >= layers)
      return wrong(`it changes layer ${layer + 1}, and the model has ${layers}.`, evidence);
    const width = FROM_HIDDEN.test(name) ? shape[1] : TO_HIDDEN.test(name) ? shape[0] : undefined;
    if (width !== undefined && hiddenSize !== undefined && shape.length === 2 && width !== hiddenSize)
      return wrong(`it is for a hidden size of ${width}, and the model has ${hiddenSize}.`, evidence);
  }
  return undefined;
}

function supportFindings({ shape, release, args, input }: FitContext): FitFinding[] {
  const enabled = args.given.get('--enable-lora');
  if (enabled?.isNegated) {
    const message = `The model has adapters, and ${enabled.spelling} in serve_args turns them off.`;
    const evidence = `serve_args: ${input.serveArgs.join(' ')}`;
    return [
      { rule: 'lora-unsupported', message, evidence, remedy: `Remove ${enabled.spelling}, or the adapters.` },
    ];
  }
  const [name] = shape.architectures;
  // What is not known at all has been said, or is left to Transformers.
  if (name === undefined || !isKnown(name, release)) return [];
  if (servesLora(name, release) !== false) return [];
  const first = RELEASES.find(({ rank }) => rank > release.rank && servesLora(name, RELEASES[rank]) === true);
  return [
    {
      rule: 'lora-unsupported',
      message: `vLLM ${release.version} does not serve adapters (LoRA) of the architecture ${name}${first === undefined ? '' : `; ${first.version} is the first that does`}.`,
      evidence: `config.json, architectures: ${name}; base image ${input.baseImage}`,
      remedy:
        first === undefined
          ? 'Merge the adapter into the weights, or leave it out.'
          : `Set base_image to vLLM ${first.version} or newer.`,
    },
  ];
}

/** Undefined if the table does not have the architecture by this name. */
function servesLora(name: string, release: Release | undefined): boolean | undefined {
  const definition = release && definitionAt('architectures', name, release);
  return definition?.split(' ').includes('lora');
}

/** What PEFT can do and vLLM cannot; vllm/lora/peft_helper.py. */
const UNSUPPORTED: readonly [key: string, what: string][] = [
  ['use_dora', 'DoRA'],
  ['lora_bias', 'biases in its matrices'],
  ['use_qalora', 'QALoRA'],
  ['use_bdlora', 'block-diagonal LoRA'],
  ['alora_invocation_tokens', 'Activated LoRA'],
  ['layer_replication', 'replicated layers'],
];
/** Ways to begin that change the model's weights too. */
const CHANGING_INITS = /^(pissa|olora|corda|loftq)/i;

function featureFindings(adapter: AdapterFacts, { release, args, input }: FitContext): FitFinding[] {
  if (adapter.config === undefined) return [];
  const config = recordOf(adapter.config);
  const who = `The adapter ${adapter.name} (${adapter.id})`;
  const vllm = `vLLM ${release.version}`;
  const finding = (message: string, evidence: string, remedy?: string): FitFinding => ({
    rule: 'adapter-unsupported',
    message,
    evidence: `adapter_config.json, ${evidence}`,
    ...(remedy !== undefined && { remedy }),
  });
  const type = textOf(config.peft_type) ?? 'LORA';
  if (type !== 'LORA')
    return [finding(`${who} is of the type ${type}: vLLM serves LoRA only.`, `peft_type: ${type}`)];
  const findings: FitFinding[] = [];
  for (const [key, what] of UNSUPPORTED) {
    const value = config[key];
    const isSet = Array.isArray(value) ? value.length > 0 : Boolean(value);
    if (isSet) findings.push(finding(`${who} uses ${what}, which vLLM does not serve.`, key));
  }
  const init = textOf(config.init_lora_weights);
  if (init !== undefined && CHANGING_INITS.test(init))
    findings.push(
      finding(
        `${who} began as ${init}, which changed the model's own weights: vLLM would serve it on others.`,
        `init_lora_weights: ${init}`,
        "Convert it with PEFT's path_initial_model_for_weight_conversion.",
      ),
    );
  const saved = textsOf(config.modules_to_save).filter(name => !['classifier', 'score'].includes(name));
  if (saved.length > 0)
    findings.push(
      finding(
        `${who} brings whole modules (${saved.join(', ')}): vLLM serves low-rank matrices only.`,
        'modules_to_save',
        'Merge it into the weights.',
      ),
    );
  const bias = textOf(config.bias) ?? 'none';
  if (bias !== 'none' && !args.given.has('--enable-lora-bias'))
    findings.push(finding(`${who} has biases, which ${vllm} does not serve.`, `bias: ${bias}`));
  return [...findings, ...rankFindings(adapter, who, { release, args, input })];
}

function rankFindings(
  { config }: AdapterFacts,
  who: string,
  { release, args, input }: Pick<FitContext, 'release' | 'args' | 'input'>,
): FitFinding[] {
  const rank = rankOf(config);
  if (rank === undefined) {
    const evidence = 'adapter_config.json, r';
    return [
      {
        rule: 'adapter-unsupported',
        message: `${who} does not say its rank: vLLM does not load it.`,
        evidence,
      },
    ];
  }
  const [given] = args.given.get('--max-lora-rank')?.values ?? [];
  const most = given === undefined ? (rankChoices(release).at(-1) ?? 0) : Number(given);
  if (!(rank > most)) return [];
  const evidence = `adapter_config.json, r: ${rank}`;
  return [
    given === undefined
      ? {
          rule: 'adapter-unsupported',
          message: `${who} has rank ${rank}, and vLLM ${release.version} serves ${most} at most.`,
          evidence,
        }
      : {
          rule: 'adapter-unsupported',
          message: `${who} has rank ${rank}, more than --max-lora-rank ${given}.`,
          evidence: `${evidence}; serve_args: ${input.serveArgs.join(' ')}`,
          remedy: 'Remove --max-lora-rank: the rank that the adapters need is set.',
        },
  ];
}
