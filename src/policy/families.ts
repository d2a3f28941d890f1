/** A family of models whose maker's license is not permissive, told by marks that no other family has. */
export interface ModelFamily {
  /** `Gemma`, for a sentence. */
  readonly family: string;
  /** `the Gemma Terms of Use` */
  readonly license: string;
}

/** Where a mark was found, and what it said. */
export interface FamilyMark extends ModelFamily {
  /** `config.json, model_type`, `the name` */
  readonly field: string;
  readonly value: string;
  /** The shape of a network does not change when it is tuned and renamed; a name is only a name. */
  readonly isArchitecture: boolean;
}

interface FamilyRule extends ModelFamily {
  /** Values of `model_type`, or the beginnings of `architectures`, that it alone has. */
  readonly types?: RegExp;
  /** In names of repositories and of files: lower case, with `-` between words. */
  readonly names?: RegExp;
}

/**
 * Permissive releases of the same makers (Gemma 4, gpt-oss, Qwen 2.5 7B, Falcon 40B, granite on the StarCoder shape,
 * `TinyLlama`) are why some expressions are narrow: a mark that any of them has is not in the table.
 */
const FAMILIES: readonly FamilyRule[] = [
  {
    family: 'Llama',
    license: 'a Llama Community License of Meta',
    types: /^(?:mllama|llama4)/,
    names:
      /(?:^|-)(?:meta-?)?(?:code-?)?llama-?(?:[234](?:\.\d)?(?![\d])|\d+(?:\.\d+)?b(?:-|$))|(?:^|-)(?:code-?llama|meta-llama|vicuna|llama-?guard|prompt-guard|orca-2-(?:7|13)b|l2-(?:7|13|70)b|l3(?:\.[1-3])?-(?:8|70)b)(?:-|$)/,
  },
  {
    family: 'Gemma',
    license: 'the Gemma Terms of Use',
    types:
      /^(?:gemma|gemma2|gemma3|gemma3n|gemma3_?text|gemma3n_?text|recurrent_?gemma|paligemma|t5_?gemma|shieldgemma2?|vault_?gemma)(?:_|$)/,
    names:
      /(?:^|-)(?:code|pali|med|shield|recurrent-?|tx|data|vault|embedding-?|function-?|t5-?|translate-?|col)?gemma(?!-?4(?:-|$))(?:-|[123]|$)/,
  },
  {
    family: 'Command and Aya',
    license: "Cohere's CC-BY-NC license",
    types: /^(?:cohere2?(?:_?vision|_?moe)?|aya_?vision)$/,
    names: /(?:^|-)(?:c4ai|command-(?:r|a)|tiny-aya|aya-(?:23|expanse|vision))(?:-|$)/,
  },
  {
    family: 'DBRX',
    license: 'the Databricks Open Model License',
    types: /^dbrx/,
    names: /(?:^|-)dbrx(?:-|$)/,
  },
  {
    family: 'EXAONE',
    license: 'an EXAONE AI Model License',
    types: /^exaone/,
    names: /(?:^|-)exaone(?:-|$)/,
  },
  {
    family: 'Falcon',
    license: 'a TII Falcon license',
    types: /^falcon_?(?:h1|mamba)/,
    names: /(?:^|-)falcon-?(?:180b|h1|mamba|2-11b|11b|3)(?:-|$)/,
  },
  {
    family: 'Hunyuan',
    license: 'a Tencent Hunyuan license',
    types: /^hunyuan/,
    names: /(?:^|-)hunyuan(?:-|$)/,
  },
  {
    family: 'HyperCLOVA X',
    license: 'the HyperCLOVA X SEED license',
    types: /^hyperclovax/,
    names: /(?:^|-)hyperclova-?x?(?:-|$)/,
  },
  {
    family: 'Chameleon',
    license: 'the Chameleon Research License',
    types: /^chameleon/,
    names: /(?:^|-)chameleon-(?:7|30)b(?:-|$)/,
  },
  {
    family: 'OPT',
    license: 'the OPT license or CC-BY-NC of Meta',
    types: /^opt(?:_|$)/,
    names: /(?:^|-)(?:opt-(?:\d+m|[\d.]+b)|galactica)(?:-|$)/,
  },
  { family: 'BLOOM', license: 'a BigScience RAIL license', names: /(?:^|-)bloomz?(?:-|$)/ },
  {
    family: 'StarCoder',
    license: 'a BigCode OpenRAIL-M license',
    types: /^starcoder2/,
    names: /(?:^|-)(?:star-?coder(?:base|plus|2)?|santacoder|starchat)(?:-|$)/,
  },
  {
    family: 'StableLM',
    license: 'a license of Stability AI',
    types: /^stablelm/,
    names: /(?:^|-)(?:stable-?lm|stable-?code)(?:-|$)/,
  },
  {
    family: 'Tongyi Qianwen',
    license: 'the Tongyi Qianwen license',
    types: /^(?:qwen|qwenlmheadmodel)$/,
    names:
      /^qwen-(?:vl|audio|1-8b|1\.8b|1_8b|7b|14b|72b)(?:-|$)|(?:^|-)qwen(?:1\.5-(?:32|72|110)b|2-(?:(?:math|vl)-)?72b|2\.5-(?:(?:coder|math|vl|omni)-)?(?:3|72)b)(?:-|$)/,
  },
  {
    family: 'DeepSeek',
    license: 'the DeepSeek License Agreement',
    names:
      /(?:^|-)deepseek-(?:llm|coder|moe|math(?!-v2)|vl2?|v2(?:\.5)?)(?:-|$)|(?:^|-)janus(?:-pro|flow)?-(?:1|1\.3|7)b(?:-|$)/,
  },
  {
    family: 'ChatGLM',
    license: 'a ChatGLM or GLM-4 license',
    types: /^chatglm/,
    names: /(?:^|-)(?:chatglm\d?|glm-4v?-9b(?!-0414)|codegeex\d?|cogvlm\d?|cogagent)(?:-|$)/,
  },
  {
    family: 'Baichuan',
    license: 'the Baichuan Community License',
    types: /^baichuan/,
    names: /(?:^|-)baichuan\d?(?:-|$)/,
  },
  { family: 'XVERSE', license: 'the XVERSE license', types: /^xverse/, names: /(?:^|-)xverse(?:-|$)/ },
  {
    family: 'Aquila',
    license: 'the BAAI Aquila license',
    types: /^aquila/,
    names: /(?:^|-)aquila(?:chat)?\d?(?:-|$)/,
  },
  {
    family: 'TeleChat',
    license: 'the TeleChat license',
    types: /^telechat/,
    names: /(?:^|-)telechat\d?(?:-|$)/,
  },
  {
    family: 'Orion',
    license: 'the Orion license',
    types: /^orion/,
    names: /(?:^|-)orion-(?:moe8x7b|14b)(?:-|$)/,
  },
  { family: 'Skywork', license: 'the Skywork Community License', names: /(?:^|-)skywork-13b(?:-|$)/ },
  {
    family: 'MiniMax-01',
    license: 'the MiniMax model license',
    names: /(?:^|-)minimax-(?:text|vl)-01(?:-|$)/,
  },
  {
    family: 'Palmyra',
    license: 'the Writer Open Model License',
    names: /(?:^|-)palmyra-(?:fin|med|creative)(?:-|$)/,
  },
  {
    family: 'Nemotron',
    license: 'an NVIDIA model license',
    types: /^nemotron(?:_h|h)?(?:[_-]|$)/,
    names: /(?:^|-)(?:minitron|nemotron-(?:h|mini|nano|super|ultra|[34]-\w+))(?:-|$)/,
  },
  { family: 'LFM', license: 'the LFM Open License', types: /^lfm2?(?:_|$)/, names: /(?:^|-)lfm2?(?:-|$)/ },
  { family: 'Fuyu', license: 'CC-BY-NC', types: /^fuyu/, names: /(?:^|-)fuyu(?:-|$)/ },
  { family: 'OpenELM', license: "Apple's license", types: /^openelm/, names: /(?:^|-)openelm(?:-|$)/ },
  {
    family: 'Mistral',
    license: 'the Mistral AI Research or Non-Production License',
    names:
      /(?:^|-)(?:codestral-(?:22b|25)|(?:mistral|pixtral)-large(?:-instruct)?-2[45]|ministral-8b|mistral-small-(?:instruct-)?2409)/,
  },
  {
    family: 'Jamba',
    license: 'the Jamba Open Model License',
    names: /(?:^|-)jamba-(?:1\.[5-9]|large|mini)(?:-|$)/,
  },
  {
    family: 'Kimi K2',
    license: 'the modified MIT license of Moonshot AI',
    types: /^kimi_k2/,
    names: /(?:^|-)kimi-k2(?:-|$)/,
  },
  { family: 'Grok 2', license: 'the Grok 2 Community License', names: /(?:^|-)grok-?2(?:-|$)/ },
];

/** Names that only begin like Llama's: they were trained from scratch, by others. */
const NOT_LLAMA = /(?:open|tiny|baby|nano|micro|super-?tiny)[-_]?llama/g;

/** Returns the family that a name tells of: of a repository, a file, a folder that weights were loaded from. */
export function familyOfName(name: string, field: string): FamilyMark | undefined {
  const plain = name
    .slice(0, MAX_NAME_CHARACTERS)
    .toLowerCase()
    .replace(/[\s_/\\]+/g, '-')
    .replace(NOT_LLAMA, '-');
  const found = FAMILIES.find(({ names }) => names?.test(plain));
  return found && { family: found.family, license: found.license, field, value: name, isArchitecture: false };
}

const MAX_NAME_CHARACTERS = 300;

/** Returns the family that a config.json tells of, by its shape; parts of it (`text_config`) count too. */
export function familyOfConfig(config: unknown): FamilyMark | undefined {
  for (const [field, part] of configParts(config)) {
    const mark = familyOfPart(part, field);
    if (mark !== undefined) return mark;
  }
  return undefined;
}

type ConfigPart = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 5;
const MAX_PARTS = 1000;

/** Returns the config and whatever is inside it, nearest first, with the names of their fields: `text_config`, `llm_cfg`, `thinker`. */
export function configParts(config: unknown): readonly (readonly [string, ConfigPart])[] {
  const parts: [string, ConfigPart][] = [];
  let open: [string, unknown][] = [['', config]];
  for (let depth = 0; depth <= MAX_DEPTH && open.length > 0; depth++) {
    const inside: [string, unknown][] = [];
    for (const [field, value] of open) {
      if (typeof value !== 'object' || value === null) continue;
      if (!Array.isArray(value) && parts.length < MAX_PARTS) parts.push([field, value as ConfigPart]);
      for (const [key, inner] of Object.entries(value)) inside.push([`${field}${key}.`, inner]);
    }
    open = inside;
  }
  return parts;
}

function familyOfPart(part: ConfigPart, field: string): FamilyMark | undefined {
  const mark = (family: ModelFamily, key: string, value: string): FamilyMark => ({
    family: family.family,
    license: family.license,
    field: `config.json, ${field}${key}`,
    value,
    isArchitecture: true,
  });
  const type = typeof part.model_type === 'string' ? part.model_type : undefined;
  const byType =
    type === undefined ? undefined : FAMILIES.find(({ types }) => types?.test(type.toLowerCase()));
  if (byType !== undefined && type !== undefined) return mark(byType, 'model_type', type);
  for (const architecture of Array.isArray(part.architectures) ? part.architectures : []) {
    if (typeof architecture !== 'string') continue;
    const stem = architecture
      .slice(0, MAX_NAME_CHARACTERS)
      .toLowerCase()
      .replace(/(?:for[a-z]+|model)$/, '');
    const found = FAMILIES.find(({ types }) => types?.test(stem) || types?.test(architecture.toLowerCase()));
    if (found !== undefined) return mark(found, 'architectures', architecture);
  }
  return llama3Mark(part, mark);
}

/** Many permissive models have Llama's shape; its third generation has a vocabulary and a scaling of its own. */
function llama3Mark(
  part: ConfigPart,
  mark: (family: ModelFamily, key: string, value: string) => FamilyMark,
): FamilyMark | undefined {
  const isLlama =
    part.model_type === 'llama' ||
    (part.model_type === undefined &&
      Array.isArray(part.architectures) &&
      part.architectures.includes('LlamaForCausalLM'));
  if (!isLlama) return undefined;
  const llama = { family: 'Llama 3', license: 'a Llama 3 Community License of Meta' };
  const scaling = part.rope_scaling ?? part.rope_parameters;
  const kind =
    typeof scaling === 'object' &&
    scaling !== null &&
    ('rope_type' in scaling ? scaling.rope_type : 'type' in scaling ? scaling.type : undefined);
  if (kind === 'llama3') return mark(llama, 'rope_scaling.rope_type', 'llama3');
  const size = part.vocab_size;
  return typeof size === 'number' && size >= 128_256 && size <= 128_384
    ? mark(llama, 'vocab_size', String(size))
    : undefined;
}
