import path from 'node:path';
import { compatibilityForm } from '../core/compatibility-form.ts';
import { isWeights } from '../core/model-files.ts';

/**
 * What a legal text is, by its name: the terms themselves, a notice that they ask for, what they allow the use for, or a
 * statement beside them (whose it is, what it is not liable for).
 */
export type LegalKind = 'license' | 'notice' | 'policy' | 'statement';

/** Names that are about licenses but are programs or tokenizers. */
const PROGRAM =
  /\.(?:py|pyi|ipynb|js|mjs|cjs|ts|tsx|jsx|sh|bash|bat|ps1|c|cc|cpp|cxx|cu|h|hpp|go|rs|java|rb|pl|lua|swift|npy|model)$/i;
/** Data; a legal text only if its name says no more than that. */
export const DATA = /\.(?:json|jsonl|ya?ml|toml|xml|csv|tsv|parquet|arrow|lock|cfg|ini|log|map)$/i;
/** What a person has to open in another program. */
const DOCUMENT = /\.(?:pdf|docx?|odt|rtf|pages|epub|pptx?)$/i;
/** The same, and mostly something else than a text. */
const PACKAGE = /\.(?:xlsx?|png|jpe?g|gif|webp|tiff?|svg|zip|gz|tgz|tar|7z|rar|xz|bz2|zst)$/i;

const NOTICE = /^(?:third[-_ ]?party[-_ ]?)?notices?(?:[^a-z]|$)/i;

/** In any place of a name: words that are long enough to mean nothing else. */
const LICENSE_PART =
  /licen[cs]|licença|lizenz|lisans|lisensi|licentie|лиценз|ліценз|许可|許可|授权|授權|协议|協議|契約|ライセンス|라이선스|라이센스|ترخيص|رخصة|רישיון|άδεια|αδεια|ใบอนุญาต|लाइसेंस|giấy phép|noncommercial/u;
const LICENSE_WORD =
  /^(?:copying|copyleft|eula|agreements?|openrail\w*|rail|legal|rights|permissions?|contract|vertrag|acuerdo|accord|accordo|contrato|umowa|договор|соглашение)$/u;
const POLICY_PART =
  /条款|條款|使用规则|使用規則|政策|規約|約款|약관|nutzungsbedingung|nutzungsrichtlini|условия|правила/u;
const POLICY_WORD =
  /^(?:policy|policies|aup|terms|tos|tou|conditions?|restrictions?|guidelines?|bedingungen|condiciones|términos|terminos|condizioni|termini|termos|condições|voorwaarden|warunki|koşullar|politique|política|richtlinien)$/u;
const STATEMENT_PART = /免责|免責|声明|聲明|版权|版權|著作権|저작권|haftungsausschluss|отказ от/u;
const STATEMENT_WORD = /^(?:disclaimers?|copyrights?|patents?|attributions?|urheberrecht|avertissement)$/u;
/** Policies about something else than what a model is used for. */
const OTHER_POLICY =
  /^(?:privacy|security|cookie|contribut\w*|conduct|style|support|retention|versioning|release)$/u;

/** Whether the file is a program or holds weights, whatever else its name says. */
export function isProgramName(file: string): boolean {
  return PROGRAM.test(file) || isWeights(file);
}

/** Whether the file is not a text that can be read as it is. */
export function isDocumentName(file: string): boolean {
  return DOCUMENT.test(file) || PACKAGE.test(file);
}

/** Returns what kind of legal text a file's name promises; undefined if none. */
export function kindOfName(file: string): LegalKind | undefined {
  const name = path.posix.basename(file);
  const words = [...new Set([...wordsOf(name), ...wordsOf(name.toLowerCase())])];
  // Data and pictures with `license` among other words list or show something.
  if ((DATA.test(name) || PACKAGE.test(name)) && !isPlainName(words)) return undefined;
  if (NOTICE.test(name)) return 'notice';
  if (/^(?:third|3rd)[-_ ]?part(?:y|ies)/i.test(name)) return 'statement';
  const text = compatibilityForm(name).toLowerCase();
  const kind = kindOfWords(words, text);
  if (kind !== undefined) return kind;
  // https://reuse.software keeps its texts as `LICENSES/<id>.txt`.
  const [folder = ''] = file.split('/');
  const isText = /^[^.]+$|\.(?:txt|md|rst)$/i.test(name) || /^[\w+-]+(?:\.\d+)*$/.test(name);
  const isInFolder = file.includes('/') && LEGAL_FOLDER.test(folder) && isText;
  return isInFolder && !/^(?:read[-_ ]?me|index)\b/i.test(name) ? 'license' : undefined;
}

/** Folders for nothing but legal texts. */
const LEGAL_FOLDER =
  /^(?:licen[cs]es?|legal|terms|polic(?:y|ies)|eula|agreements?|lizenz(?:en)?|許可|许可)$/i;

function kindOfWords(words: readonly string[], text: string): LegalKind | undefined {
  const has = (word: RegExp): boolean => words.some(one => word.test(one));
  if (LICENSE_PART.test(text) || has(LICENSE_WORD)) return 'license';
  if (has(/^non$/) && has(/^commercial$/)) return 'license';
  if (ID_WORD.test(words[0] ?? '') && words.every(word => ID_WORDS.test(word))) return 'license';
  const isPolicy = POLICY_PART.test(text) || has(POLICY_WORD) || (has(/^(?:use|usage|uses)$/) && has(USE_OF));
  if (isPolicy && !has(OTHER_POLICY)) return 'policy';
  if (STATEMENT_PART.test(text) || has(STATEMENT_WORD)) return 'statement';
  return undefined;
}

/** `CC-BY-NC-4.0.txt`, `gpl-3.0.txt`, `MIT.md` */
const ID_WORD = /^(?:cc|cc0|[al]?gpl\w*|mit|apache\d*|bsd|mpl|epl|eupl|odbl|isc)$/;
const ID_WORDS =
  /^(?:cc|cc0|by|nc|nd|sa|[al]?gpl\w*|mit|apache\d*|bsd|mpl|epl|eupl|odbl|isc|v?\d+|only|or|later|clause|international|txt|md|rst)$/;
const USE_OF = /^(?:acceptable|allowed|ethical|forbidden|permitted|prohibited|responsible|restricted|fair)$/u;

/** `LICENSE.json`, `MODEL_LICENSE.docx`, `Terms of Use.pdf`: nothing but what it is. */
function isPlainName(words: readonly string[]): boolean {
  const known = words.slice(0, -1);
  return (
    known.some(word => kindOfWords([word], word) !== undefined) &&
    known.every(
      word => kindOfWords([word], word) !== undefined || PLAIN_WORDS.has(word) || /^v?\d+$/.test(word),
    )
  );
}

const PLAIN_WORDS: ReadonlySet<string> = new Set(
  'model models weight weights of the for and use usage acceptable prohibited community research commercial non software user end en de zh ja ko fr es'.split(
    ' ',
  ),
);

/** Whether a name says that the text is about code or others' work, in words: `LICENSE-CODE`, not `CodeLlama-LICENSE`. */
export function partWords(name: string): boolean {
  const words = wordsOf(name);
  return (
    words.some(word => /^(?:code|source|software|third|3rd|thirdparty|dataset|datasets|data)$/.test(word)) &&
    words.every(word => PART_WORDS.has(word) || /licen[cs]/.test(word) || /^v?\d+$/.test(word))
  );
}

const PART_WORDS: ReadonlySet<string> = new Set(
  (
    'code source software third 3rd party parties thirdparty dataset datasets data for of the and a in terms notice notices copyright copyrights ' +
    'attribution attributions txt md rst html htm mit apache bsd isc clause gpl agpl lgpl mpl copying training inference'
  ).split(' '),
);

/** `ModelLicenseAgreement.txt` as `model license agreement txt`. */
function wordsOf(name: string): string[] {
  return compatibilityForm(name)
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(word => word !== '');
}
