/** Licences of models that SPDX has no id for, told by their titles. None of them is on any whitelist. */
interface CommunityLicense {
  /** The Hub's id, or the `license_name` that its models use. */
  readonly id: string;
  readonly name: string;
  /** Words of the title, as `licenseLines` gives them. */
  readonly title: RegExp;
}

/** Where a title may stand: licences that name others do so further down. */
const HEAD_WORDS = 60;

const LICENSES: readonly CommunityLicense[] = [
  {
    id: 'llama4',
    name: 'Llama 4 Community License',
    title: /\bllama 4 (?:community license|acceptable use policy)/,
  },
  {
    id: 'llama3.3',
    name: 'Llama 3.3 Community License',
    title: /\bllama 3 3 (?:community license|acceptable use policy)/,
  },
  {
    id: 'llama3.2',
    name: 'Llama 3.2 Community License',
    title: /\bllama 3 2 (?:community license|acceptable use policy)/,
  },
  {
    id: 'llama3.1',
    name: 'Llama 3.1 Community License',
    title: /\bllama 3 1 (?:community license|acceptable use policy)/,
  },
  {
    id: 'llama3',
    name: 'Meta Llama 3 Community License',
    title: /\bllama 3 (?:community license|acceptable use policy)/,
  },
  {
    id: 'llama2',
    name: 'Llama 2 Community License',
    title:
      /\bllama (?:code )?2 (?:community license|acceptable use policy)|\bcode llama (?:community license|acceptable use policy)/,
  },
  { id: 'llama', name: 'LLaMA License (2023)', title: /^llama license agreement\b/ },
  { id: 'gemma', name: 'Gemma Terms of Use', title: /\bgemma (?:terms of use|prohibited use policy)\b/ },
  {
    id: 'bigscience-bloom-rail-1.0',
    name: 'BigScience RAIL License v1.0',
    title: /\bbigscience (?:bloom )?rail license v ?1 0\b/,
  },
  { id: 'bigscience-openrail-m', name: 'BigScience OpenRAIL-M', title: /\bbigscience open ?rail m\b/ },
  { id: 'bigcode-openrail-m', name: 'BigCode OpenRAIL-M', title: /\bbigcode open ?rail m\b/ },
  {
    id: 'openrail++',
    name: 'CreativeML OpenRAIL++-M',
    title: /\bcreativeml open ?rail\+* ?m license dated november 24 2022\b|\bopen ?rail\+\+ m\b/,
  },
  { id: 'creativeml-openrail-m', name: 'CreativeML OpenRAIL-M', title: /\bcreativeml open ?rail m\b/ },
  {
    id: 'openrail',
    name: 'a licence of the OpenRAIL family',
    title: /\b(?:open ?rail|responsible ai license)\b/,
  },
  { id: 'deepfloyd-if-license', name: 'DeepFloyd IF License', title: /\bdeepfloyd if license\b/ },
  { id: 'deepseek', name: 'DeepSeek License Agreement', title: /\bdeepseek license agreement\b/ },
  {
    id: 'qwen-research',
    name: 'Qwen Research License Agreement',
    title: /\bqwen research license agreement\b/,
  },
  { id: 'qwen', name: 'Qwen License Agreement', title: /\bqwen license agreement\b/ },
  {
    id: 'tongyi-qianwen',
    name: 'Tongyi Qianwen License Agreement',
    title: /\btongyi qianwen (?:research )?license agreement\b/,
  },
  {
    id: 'falcon-llm-license',
    name: 'a licence of TII for Falcon models',
    title:
      /\bfalcon\b.{0,40}\btii\b.{0,20}\blicense\b|\btii falcon\b.{0,40}\blicense\b|\bfalcon (?:180b )?tii license\b/,
  },
  { id: 'exaone', name: 'EXAONE AI Model License Agreement', title: /\bexaone ai model license agreement\b/ },
  {
    id: 'flux-1-dev-non-commercial-license',
    name: 'FLUX.1 [dev] Non-Commercial License',
    title: /\bflux 1 (?:\w+ )?dev non commercial license\b/,
  },
  {
    id: 'stabilityai-ai-community',
    name: 'Stability AI Community License',
    title: /\bstability ai community license\b/,
  },
  {
    id: 'stabilityai-nc',
    name: 'Stability AI Non-Commercial License',
    title: /\bstab(?:ility ai|le) non commercial\b/,
  },
  {
    id: 'nvidia-open-model-license',
    name: 'NVIDIA Open Model License',
    title: /\bnvidia open model license\b/,
  },
  { id: 'nvidia-license', name: 'a licence of NVIDIA', title: /\bnvidia (?:\w+ ){0,4}license\b/ },
  {
    id: 'hunyuan-community',
    name: 'Tencent Hunyuan Community License',
    title: /\b(?:tencent )?hunyuan (?:\w+ ){0,4}community license\b/,
  },
  { id: 'mrl', name: 'Mistral AI Research License', title: /\bmistral (?:ai )?research license\b/ },
  {
    id: 'mnpl',
    name: 'Mistral AI Non-Production License',
    title: /\bmistral (?:ai )?non production license\b/,
  },
  {
    id: 'yi-license',
    name: 'Yi Series Models Community License',
    title: /\byi series models (?:community )?license\b/,
  },
  {
    id: 'apple-amlr',
    name: 'Apple Machine Learning Research Model License',
    title: /\bapple machine learning research model\b/,
  },
  {
    id: 'apple-ascl',
    name: 'Apple Sample Code License',
    title: /\bapple grants you a personal non exclusive license\b/,
  },
  {
    id: 'databricks-open-model-license',
    name: 'Databricks Open Model License',
    title: /\bdatabricks open model license\b/,
  },
  {
    id: 'fair-noncommercial-research-license',
    name: 'FAIR Noncommercial Research License',
    title: /\bfair non commercial research license\b/,
  },
  {
    id: 'fair-ai-public-license-1.0-sd',
    name: 'Fair AI Public License 1.0-SD',
    title: /\bfair ai public license 1 0 sd\b/,
  },
  {
    id: 'fair-ai-public-license-1.0',
    name: 'Fair AI Public License 1.0',
    title: /\bfair ai public license 1 0\b/,
  },
  { id: 'ai2-impact', name: 'AI2 ImpACT License', title: /\bai2 impact license\b/ },
  {
    id: 'coqui-public-model-license',
    name: 'Coqui Public Model License',
    title: /\bcoqui public model license\b/,
  },
  { id: 'grok-2', name: 'Grok 2 Community License', title: /\bgrok 2 community license\b/ },
  {
    id: 'health-ai-developer-foundations',
    name: 'Health AI Developer Foundations Terms',
    title: /\bhealth ai developer foundations terms\b/,
  },
  { id: 'jamba-open-model-license', name: 'Jamba Open Model License', title: /\bjamba open model license\b/ },
  { id: 'lfm1.0', name: 'LFM Open License v1.0', title: /\blfm open license\b/ },
  { id: 'intel-research', name: 'Intel Research Use License', title: /\bintel research use license\b/ },
  {
    id: 'h-research',
    name: 'H Company Non-Commercial License',
    title: /\bh company\b.{0,40}\bnon commercial\b/,
  },
  {
    id: 'lgpl-lr',
    name: 'LGPL for Linguistic Resources',
    title: /\blesser general public license for linguistic resources\b/,
  },
];

/** The license whose title is at the head of the text. */
export function communityLicense(words: string): { id: string; name: string } | undefined {
  const head = words.split(' ', HEAD_WORDS).join(' ');
  const found = LICENSES.find(({ title }) => title.test(head));
  return found && { id: found.id, name: found.name };
}
