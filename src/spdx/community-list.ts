/** A license, or terms, of models that SPDX has no id for. None of them is on any whitelist. */
export interface CommunityLicense {
  /** The Hub's id, or the `license_name` that its models use. */
  readonly id: string;
  readonly name: string;
  /** A word that all of its expressions need, so that most texts are spared them. */
  readonly hint: string;
  /** Words of its title, which texts of others may mention further down. */
  readonly title?: RegExp;
  /** Words that are in its own text, in its notices and in its policies alone, and count wherever they are. */
  readonly anywhere?: RegExp;
}

/** As `readWords` gives them, the most particular of a family first. */
export const COMMUNITY_LICENSES: readonly CommunityLicense[] = [
  ...['4', '3.3', '3.2', '3.1', '3', '2'].map(llama),
  {
    id: 'llama2',
    name: 'Llama 2 Community License',
    hint: 'llama',
    anywhere: /\bcode llama (?:community license|acceptable use policy)\b/,
  },
  {
    id: 'llama',
    name: 'LLaMA License (2023)',
    hint: 'llama',
    anywhere: /\bllama license agreement\b|\bllama is licensed under the llama license\b/,
  },
  {
    id: 'llama-unversioned',
    name: 'a Llama Community License',
    hint: 'llama',
    anywhere:
      /\b(?:built with (?:meta )?llama(?! (?:cpp|factory|file|index|board|hub))|llama materials|llama community license|llama acceptable use policy)\b/,
  },
  {
    id: 'gemma',
    name: 'Gemma Terms of Use',
    hint: 'gemma',
    anywhere:
      /\bgemma (?:[1-35-9] (?:\d )?)?(?:terms of use|prohibited use policy|license)\b|\bai google dev gemma (?:terms|prohibited)\b|\bgemma is provided under\b|\bgemma model derivatives?\b/,
  },
  {
    id: 'health-ai-developer-foundations',
    name: 'Health AI Developer Foundations Terms',
    hint: 'health',
    anywhere: /\bhealth ai developer foundations terms\b/,
  },
  {
    id: 'databricks-open-model-license',
    name: 'Databricks Open Model License',
    hint: 'databricks',
    anywhere: /\bdatabricks open (?:model|source) (?:license|acceptable use)\b|\bdbrx is provided under\b/,
  },
  {
    id: 'bigscience-bloom-rail-1.0',
    name: 'BigScience RAIL License v1.0',
    hint: 'bigscience',
    anywhere: /\bbigscience (?:bloom )?rail (?:license|1 0)\b/,
  },
  {
    id: 'bigscience-openrail-m',
    name: 'BigScience OpenRAIL-M',
    hint: 'bigscience',
    anywhere: /\bbigscience open ?rail m\b/,
  },
  {
    id: 'bigcode-openrail-m',
    name: 'BigCode OpenRAIL-M',
    hint: 'bigcode',
    anywhere: /\bbigcode open ?rail m\b/,
  },
  {
    id: 'openrail++',
    name: 'CreativeML OpenRAIL++-M',
    hint: 'rail',
    anywhere: /\bcreativeml open ?rail\+* ?m license dated november 24 2022\b|\bopen ?rail\+\+ m\b/,
  },
  {
    id: 'creativeml-openrail-m',
    name: 'CreativeML OpenRAIL-M',
    hint: 'creativeml',
    anywhere: /\bcreativeml open ?rail m\b/,
  },
  {
    id: 'openrail',
    name: 'a license of the OpenRAIL family',
    hint: 'r',
    anywhere: /\b(?:open ?rail(?: [smd])?|responsible ai (?:source code )?license|use based restrictions)\b/,
  },
  {
    id: 'deepfloyd-if-license',
    name: 'DeepFloyd IF License',
    hint: 'deepfloyd',
    anywhere: /\bdeepfloyd if license\b/,
  },
  {
    id: 'deepseek',
    name: 'DeepSeek License Agreement',
    hint: 'deepseek',
    anywhere: /\bdeepseek (?:model )?license(?: agreement)?\b/,
  },
  {
    id: 'qwen-research',
    name: 'Qwen Research License Agreement',
    hint: 'qwen',
    anywhere: /\bqwen research license\b/,
  },
  {
    id: 'tongyi-qianwen',
    name: 'Tongyi Qianwen License Agreement',
    hint: 'tongyi',
    anywhere: /\btongyi qianwen (?:research )?license\b|通义千问(?:研究)?许可/,
  },
  {
    id: 'qwen',
    name: 'Qwen License Agreement',
    hint: 'qwen',
    anywhere: /\bqwen (?:is licensed under|license agreement)\b|\b(?:built with|improved using) qwen\b/,
  },
  {
    id: 'falcon-llm-license',
    name: 'a license of TII for Falcon models',
    hint: 'falcon',
    anywhere:
      /\bfalcon\b[a-z0-9 ]{0,40}\btii\b[a-z0-9 ]{0,20}\blicense\b|\btii falcon\b[a-z0-9 ]{0,40}\blicense\b|\bfalcon (?:180b )?tii license\b|\bfalcon llm (?:license|technology from)\b|\bfalconllm tii ae\b/,
  },
  {
    id: 'exaone',
    name: 'EXAONE AI Model License Agreement',
    hint: 'exaone',
    anywhere: /\bexaone (?:ai )?model license\b|\bexaone (?:\d )*(?:is|are) licensed\b/,
  },
  {
    id: 'flux-1-dev-non-commercial-license',
    name: 'FLUX [dev] Non-Commercial License',
    hint: 'flux',
    anywhere: /\bflux (?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,4}non commercial license\b/,
  },
  {
    id: 'stabilityai-ai-community',
    name: 'Stability AI Community License',
    hint: 'stability',
    anywhere: /\bstability ai community license\b|\bpowered by stability ai\b/,
  },
  {
    id: 'stabilityai-nc',
    name: 'Stability AI Non-Commercial License',
    hint: 'stab',
    anywhere: /\bstab(?:ility ai|le) (?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,3}non commercial\b/,
  },
  {
    id: 'stabilityai',
    name: 'a license of Stability AI',
    hint: 'stability',
    title: /\bstability ai (?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,4}license\b/,
    anywhere: /\bstability ai acceptable use policy\b|\bthis stability ai model is licensed\b/,
  },
  {
    id: 'nvidia-open-model-license',
    name: 'NVIDIA Open Model License',
    hint: 'nvidia',
    anywhere: /\bnvidia (?:\w+ )?open model license\b/,
  },
  {
    id: 'nvidia-license',
    name: 'a license of NVIDIA',
    hint: 'nvidia',
    title: /\bnvidia (?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,4}(?:license|agreement)\b/,
    anywhere:
      /\bnvidia (?:community model|model training|one way non commercial|source code license nc|ai foundation models community|internal scientific research)\b/,
  },
  {
    id: 'hunyuan-community',
    name: 'Tencent Hunyuan Community License',
    hint: 'hunyuan',
    anywhere:
      /\bhunyuan (?:[\w.]+ ){0,4}(?:community license|non commercial license|works|license agreement)\b/,
  },
  {
    id: 'mrl',
    name: 'Mistral AI Research License',
    hint: 'mistral',
    anywhere: /\bmistral (?:ai )?research license\b/,
  },
  {
    id: 'mnpl',
    name: 'Mistral AI Non-Production License',
    hint: 'mistral',
    anywhere: /\bmistral (?:ai )?non production license\b/,
  },
  {
    id: 'cohere',
    name: "terms of Cohere's models",
    hint: 'c',
    anywhere:
      /\b(?:c4ai|cohere(?: for ai| labs)?) (?:s )?(?:acceptable use (?:policy|addendum)|terms of use)\b/,
  },
  {
    id: 'yi-license',
    name: 'Yi Series Models Community License',
    hint: 'yi',
    anywhere: /\byi series models? (?:community )?license\b/,
  },
  {
    id: 'baichuan',
    name: 'a license of Baichuan',
    hint: 'b',
    anywhere:
      /\bbaichuan ?\d*(?: (?!(?:apache|bsd|cc|creative|mit|under)\b)\w+){0,3} (?:community )?license\b|baichuan ?\d* ?模型(?:社区)?许可/,
  },
  {
    id: 'glm',
    name: 'a license of GLM models',
    hint: 'glm',
    anywhere:
      /\b(?:chat)?glm ?\d*(?: (?!(?:apache|bsd|cc|creative|mit|under)\b)\w+){0,3} license\b|\bglm ?\d* ?(?:\w+ )?(?:模型|许可)/,
  },
  {
    id: 'cogvlm',
    name: 'a license of Zhipu AI',
    hint: 'co',
    anywhere:
      /\b(?:cogvlm|cogvideo ?x?|cogagent|codegeex ?\d*)(?: (?!(?:apache|bsd|cc|creative|mit|under)\b)\w+){0,3} license\b/,
  },
  {
    id: 'internlm',
    name: 'a license of InternLM weights',
    hint: 'intern',
    anywhere:
      /\bintern(?:lm|vl)\w*(?: (?!(?:apache|bsd|cc|creative|mit|under)\b)\w+){0,4} (?:commercial|community) license\b|internlm.{0,40}商用(?:许可|授权)/,
  },
  {
    id: 'jamba-open-model-license',
    name: 'Jamba Open Model License',
    hint: 'jamba',
    anywhere: /\bjamba (?:\d \d )?open model license\b/,
  },
  {
    id: 'apple-amlr',
    name: 'Apple Machine Learning Research Model License',
    hint: 'apple',
    anywhere: /\bapple (?:machine learning research model|amlr)\b|\bapple research model\b/,
  },
  {
    id: 'apple-ascl',
    name: 'Apple Sample Code License',
    hint: 'apple',
    anywhere: /\bapple grants you a personal non exclusive license\b/,
  },
  {
    id: 'ltx-video-open-weights',
    name: 'LTX Video Open Weights License',
    hint: 'ltx',
    anywhere:
      /\bltxv?(?: (?!(?:apache|bsd|cc|creative|mit|under)\b)\w+){0,3} (?:open weights|community) license\b|\blightricks\b[a-z0-9 ]{0,60}\bopen weights license\b/,
  },
  {
    id: 'chameleon-research',
    name: 'Chameleon Research License',
    hint: 'chameleon',
    anywhere: /\bchameleon (?:research license|materials|acceptable use policy)\b/,
  },
  {
    id: 'fair-noncommercial-research-license',
    name: 'FAIR Noncommercial Research License',
    hint: 'fair',
    anywhere: /\bfair non commercial research license\b/,
  },
  {
    id: 'fair-ai-public-license-1.0-sd',
    name: 'Fair AI Public License 1.0-SD',
    hint: 'fair',
    anywhere: /\bfair ai public license 1 0 sd\b/,
  },
  {
    id: 'fair-ai-public-license-1.0',
    name: 'Fair AI Public License 1.0',
    hint: 'fair',
    anywhere: /\bfair ai public license 1 0\b/,
  },
  {
    id: 'opt-license',
    name: 'a research license of Meta',
    hint: 'licensed',
    anywhere:
      /\b(?:opt(?: iml)? 175b|seamless|sam 3|dinov3|esm|segment anything) (?:is licensed under|license agreement|materials)\b/,
  },
  { id: 'ai2-impact', name: 'AI2 ImpACT License', hint: 'impact', anywhere: /\bai2 impact license\b/ },
  {
    id: 'coqui-public-model-license',
    name: 'Coqui Public Model License',
    hint: 'coqui',
    anywhere: /\bcoqui public model license\b/,
  },
  {
    id: 'grok-2',
    name: 'Grok Community License',
    hint: 'grok',
    anywhere: /\bgrok (?:\d )+(?:\w+ )?(?:community )?license\b/,
  },
  { id: 'lfm1.0', name: 'LFM Open License v1.0', hint: 'lfm', anywhere: /\blfm (?:\d )*open license\b/ },
  {
    id: 'intel-research',
    name: 'Intel Research Use License',
    hint: 'intel',
    anywhere: /\bintel (?:\w+ )?research use license\b/,
  },
  {
    id: 'h-research',
    name: 'H Company Non-Commercial License',
    hint: 'company',
    title: /\bh company\b[a-z0-9 ]{0,40}\bnon commercial\b/,
  },
  {
    id: 'hyperclova-x-seed',
    name: 'HyperCLOVA X SEED Model License',
    hint: 'hyperclova',
    anywhere:
      /\bhyperclova x (?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,3}license\b|\bpowered by hyperclova\b/,
  },
  {
    id: 'kanana',
    name: 'Kanana License Agreement',
    hint: 'kanana',
    anywhere: /\bkanana (?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,2}license\b/,
  },
  {
    id: 'bilibili-model',
    name: 'a model license of Bilibili',
    hint: 'bilibili',
    anywhere:
      /\bbilibili (?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,4}(?:license|agreement)\b|bilibili.{0,20}许可/,
  },
  {
    id: 'playground-v2-community',
    name: 'Playground Community License',
    hint: 'playground',
    anywhere:
      /\bplayground (?:v ?\d )?(?:(?!(?:apache|bsd|cc|creative|mit|under)\b)\w+ ){0,4}community license\b/,
  },
  {
    id: 'commons-clause',
    name: 'the Commons Clause',
    hint: 'commons',
    anywhere: /\bcommons clause\b/,
  },
  {
    id: 'modified-mit',
    name: 'a modified MIT license',
    hint: 'modified',
    title: /\bmodified mit\b/,
  },
  {
    id: 'model-community-license',
    name: 'a community license of its maker',
    hint: 'license',
    title:
      /\b(?:aquila|exaone|kolors|minimax|orion|skywork|solar|step|telechat|xverse|zamba)\w*(?: (?!(?:apache|bsd|cc|creative|mit|under)\b)\w+){0,5} (?:community )?license\b/,
  },
  {
    id: 'lgpl-lr',
    name: 'LGPL for Linguistic Resources',
    hint: 'linguistic',
    title: /\blesser general public license for linguistic resources\b/,
  },
];

function llama(version: string): CommunityLicense {
  const words = version.replace('.', ' ');
  const isLater = version === '3' || version === '2' || version === '4' ? '(?! \\d\\b)' : '';
  return {
    id: `llama${version}`,
    name: `Llama ${version} Community License`,
    hint: 'llama',
    anywhere: new RegExp(
      `\\bllama ${words}${isLater} (?:community license|acceptable use policy|version release date|license agreement|is licensed under)\\b|\\bbuilt with (?:meta )?llama ${words}${isLater}(?: |$)`,
    ),
  };
}
