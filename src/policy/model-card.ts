import { compatibilityForm } from '../core/compatibility-form.ts';
import { modelIdIn } from '../core/hub-names.ts';
import { NON_COMMERCIAL } from '../spdx/restricting-words.ts';
import {
  isPlainlyRestricting,
  isRestricting,
  namesRestrictingLicense,
  quote,
  type Sentence,
  sentences,
} from '../spdx/restrictions.ts';
import { type FamilyMark, familyOfName } from './families.ts';

/** What a model card's own text says about its license and about what the model was made from. */
export interface CardStatements {
  /** The sentence that restricts. A card may forbid; it never permits more than its `license`. */
  readonly restriction: string | undefined;
  /** Models that it says it was made from, as ids. */
  readonly bases: readonly string[];
  /** The family that it says it was made from, by name: `a fine-tuned version of Llama 3.1 8B`. */
  readonly family: FamilyMark | undefined;
}

/** Without the front matter, which can have the results of a thousand benchmarks. */
const MAX_CARD_CHARACTERS = 1024 * 1024;

/** Whether a model card has more words than are read. */
export function isLongCard(text: string): boolean {
  const parts = Object.values(withoutFrontMatter(text));
  return parts.reduce((sum, part) => sum + compatibilityForm(part).length, 0) > MAX_CARD_CHARACTERS;
}

/** Reads the text of a model card and returns its statements. `id` is the model's: a card may speak of its siblings too. */
export function readModelCard(text: string, id: string): CardStatements {
  const { head, fields, body } = withoutFrontMatter(text);
  const parts = sectionsOf(body);
  const section = sentences(
    parts
      .filter(({ heading }) => LICENSE_HEADING.test(heading))
      .map(({ heading, lines }) => `${heading}\n\n${lines.join('\n')}`)
      .join('\n\n'),
  ).filter(isAboutModel);
  const others = parts.filter(({ heading }) => !LICENSE_HEADING.test(heading));
  const elsewhere = sentences(
    others.map(({ title = '', lines }) => `${title}\n\n${lines.join('\n')}`).join('\n\n'),
  );
  const siblings = siblingsIn(body, id);
  const about = (found: readonly Sentence[]): readonly Sentence[] => aboutThis(found, id, siblings);
  const found =
    about(section).find(isRestrictionOfSection) ??
    about(elsewhere.filter(isAboutModel)).find(isPlainRestriction) ??
    sentences(head).find(isRestricting) ??
    sentences(fields).find(isPlainRestriction);
  const told = about([...section, ...elsewhere]);
  const bases = [...new Set([...basesIn(told), ...mergedIn(parts)])].slice(0, MAX_BASES);
  const marks = bases.map(base => familyOfName(nameOf(base), 'README.md'));
  return {
    restriction: found && quote(found),
    bases,
    family: familyIn(told) ?? marks.find(mark => mark !== undefined),
  };
}

/** In a license section: also names alone, and licenses that are others' to tell. */
function isRestrictionOfSection(sentence: Sentence): boolean {
  const { plain } = sentence;
  if (isRestricting(sentence) || COPYLEFT.test(plain) || isInherited(plain) || BARE.test(plain)) return true;
  const isName = plain.split(' ').length <= MAX_NAME_WORDS && !plain.includes('//');
  return isName && familyOfName(plain, 'README.md') !== undefined;
}

/** Nothing but whom it is for, or that it is not known. */
const BARE =
  /^(?:#+ )?(?:licen[cs]e )?(?:is )?(?:for )?(?:(?:research|academic|personal|educational|evaluation|non ?profit|internal)(?: (?:use|purposes?|licen[cs]e|only))*|other|custom|proprietary|unknown|undecided|tb[ad]|to be (?:decided|determined|announced|defined))(?: licen[cs]e)?$/;
const MAX_NAME_WORDS = 5;

/** `The license is the same as that of Llama 2`: what a family that is not permissive has. */
function isInherited(plain: string): boolean {
  return (
    /\blicen[cs]|\bterms\b/.test(plain) &&
    /\b(?:same|inherit\w*|follow\w*|respect\w*|identical|original|retain\w*|keeps?)\b/.test(plain) &&
    /\b(?:llama|gemma|vicuna|falcon|deepseek|codestral|command r|starcoder|bloom|stablelm)\b/.test(plain)
  );
}

/** Licenses that ask for more than notices; a permissive card beside them is another statement. */
const COPYLEFT = /\b[al]?gpl(?: ?v?\d|\b)|\bgnu (?:\w+ )?general public\b|\b(?:mpl|eupl|odbl|osl) ?v?\d/;

const LICENSE_HEADING =
  /licen[cszçțt]|\bterms\b|usage (?:rights|polic|restrict|agreement)|use polic|\blegal\b|copyright|commercial|redistribut|disclaimer|许可|許可|协议|協議|授权|授權|声明|聲明|条款|條款|ライセンス|利用規約|라이선스|라이센스|약관|lizenz|lisan[sz]|lisens|лиценз|ліценз|giấy phép|ترخيص|رخصة|مجوز|רישיון|άδεια|αδεια|लाइसेंस|ใบอนุญาต|nutzung|conditions d.utilisation|condiciones|condizioni|condições|warunki|условия/iu;

/** Keys of the front matter that hold terms in words: what a gate of the Hub asked to accept stays in copies. */
const TERMS_KEY =
  /^(?:extra_gated_(?:prompt|heading|description|button_content)|license_(?:details|terms|notice)|terms\w*):/;

/** What a form asked for, with boxes to tick. */
const FIELDS_KEY = /^extra_gated_fields:/;

function withoutFrontMatter(text: string): { head: string; fields: string; body: string } {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n?|\n/);
  if (lines[0]?.trim() !== '---') return { head: '', fields: '', body: text };
  const end = lines.findIndex((line, index) => index > 0 && line.trim() === '---');
  if (end === -1) return { head: '', fields: '', body: text };
  const front = lines.slice(1, end);
  return {
    head: linesUnder(TERMS_KEY, front).join('\n'),
    fields: linesUnder(FIELDS_KEY, front).join('\n\n'),
    body: lines.slice(end + 1).join('\n'),
  };
}

function linesUnder(key: RegExp, lines: readonly string[]): string[] {
  let isUnder = false;
  return lines.filter(line => {
    if (/^\S/.test(line)) isUnder = key.test(line);
    return isUnder;
  });
}

interface Section {
  /** With those that it is in, where these are about a license. */
  readonly heading: string;
  /** Its own. */
  readonly title?: string;
  readonly lines: string[];
  /** The lines of its blocks of code. */
  readonly code: string[];
}

/** The parts between headings; a part of a license section is in it. */
function sectionsOf(text: string): Section[] {
  const sections: Section[] = [{ heading: '', lines: [], code: [] }];
  let above: { level: number; heading: string } | undefined;
  let isCode = false;
  const lines = text.split(/\r\n?|\n/);
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:```|~~~)/.test(line)) isCode = !isCode;
    const found = isCode ? undefined : headingOf(line, lines[index + 1] ?? '');
    if (found === undefined) {
      // `License: MIT` among other facts is a section of one line.
      const { heading = '' } = sections.at(-1) ?? {};
      if (!isCode && LABEL.test(line))
        sections.push({ heading: 'license', lines: [line], code: [] }, { heading, lines: [], code: [] });
      else sections.at(-1)?.[isCode ? 'code' : 'lines'].push(line);
      continue;
    }
    if (above !== undefined && found.level <= above.level) above = undefined;
    if (above === undefined && LICENSE_HEADING.test(found.heading)) above = found;
    sections.push({
      heading: above === undefined ? found.heading : `${above.heading} / ${found.heading}`,
      title: found.heading,
      lines: [],
      code: [],
    });
  }
  return sections;
}

const LABEL = new RegExp(
  [
    /^[\s>|*+_-]{0,8}(?:\S{1,20} ){0,3}(?:licen[cs]e(?:\(s\)|s)?|terms(?: of use)?)(?: \S{1,20}){0,2}[\s*_]{0,4}[:：]/,
    /^[\s>|*+_-]{0,8}(?:(?:model|weights?|software)[ *_]{1,3})?(?:licen[cs]e(?:\(s\)|s)?|terms(?: of use)?)[\s*_]{0,4}\|/,
    /^\s*\|[\s*_]{0,4}(?:model )?(?:weights|checkpoints)[\s*_]{0,4}\|/,
    /^\s*\[[^\]\n]{0,40}(?:licen[cs]e|terms|policy)[^\]\n]{0,40}\]:/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

function headingOf(line: string, next: string): { level: number; heading: string } | undefined {
  const [, marks, heading] = /^\s{0,3}(#{1,6})\s*(.{1,200})$/.exec(line) ?? [];
  if (marks !== undefined && heading !== undefined) return { level: marks.length, heading };
  const [, level, title] =
    /^\s*(?:<details[^>]{0,100}>\s*)?<(?:h([1-6])|summary)[^>]{0,100}>(?:<[^<>]{1,20}>)?([^<]{1,200})/i.exec(
      line,
    ) ?? [];
  if (title !== undefined) return { level: Number(level ?? 6), heading: title };
  if (/^\s*(?:=+|-{3,})\s*$/.test(next) && /^\S.{0,100}$/.test(line) && !line.startsWith('|'))
    return { level: next.includes('=') ? 1 : 2, heading: line };
  const [, bold] = /^\s*(?:\*\*|__)([^*_]{1,80})(?:\*\*|__):?\s*$/.exec(line) ?? [];
  return bold === undefined ? undefined : { level: 6, heading: bold };
}

const MODEL =
  /\b(?:models?|release|weights?|checkpoints?|parameters|adapters?|derivatives?|software|everything|materials)\b/;
const BESIDE_MODEL =
  /\b(?:datasets?|data sets?|corpus|corpora|training data|annotations|codebase|code|scripts?|demo|notebooks?|paper|website|logos?|figures?|images?)\b/;

/** Whether a sentence is not about the data or the code alone. */
function isAboutModel({ plain }: Sentence): boolean {
  return MODEL.test(plain) || !BESIDE_MODEL.test(plain) || /\bprominently display\b/.test(plain);
}

const MAX_SIBLINGS = 200;

/**
 * Returns the other models of the same owner that a card of several has the addresses of, if the model's own is among them:
 * by name, in lower case.
 */
function siblingsIn(body: string, id: string): ReadonlySet<string> {
  const owner = id.slice(0, id.length - nameOf(id).length).toLowerCase();
  if (owner === '') return new Set();
  const names = new Set<string>();
  const text = body.toLowerCase();
  for (
    let at = text.indexOf(owner);
    at !== -1 && names.size < MAX_SIBLINGS;
    at = text.indexOf(owner, at + 1)
  ) {
    const name = /^[\w.-]{1,96}/.exec(text.slice(at + owner.length, at + owner.length + 96))?.[0];
    if (name !== undefined) names.add(name.replace(/[.]+$/, ''));
  }
  return names.delete(nameOf(id).toLowerCase()) ? names : new Set();
}

/**
 * Sentences about the model's siblings count only if none names the model itself, and the card does not tell them apart by
 * their addresses; those about models whose names go on where its own ends (`X-Distill-8B` for `X`) never do.
 */
function aboutThis(
  found: readonly Sentence[],
  id: string,
  siblings: ReadonlySet<string>,
): readonly Sentence[] {
  const own = nameOf(id).toLowerCase();
  const isIt = (name: string): boolean => own === name || name.endsWith(`-${own}`);
  const isOwn = (name: string): boolean => isIt(name) || own.startsWith(`${name}-`);
  const subjects = found.map(sentence => subjectsOf(sentence));
  const isNamed = subjects.some(names => names.some(isIt));
  return found.filter((_, index) => {
    const names = subjects[index] ?? [];
    if (names.length === 0) return true;
    if (names.every(name => name.startsWith(`${own}-`) || siblings.has(name))) return false;
    return !isNamed || names.some(isOwn);
  });
}

/** `DeepSeek-R1-Distill-Qwen-7B and … are derived from`: names before the verb. */
function subjectsOf({ written }: Sentence): string[] {
  const [before = ''] = written.split(/\b(?:is|are|was|were|has|have|under)\b/, 1);
  return (before.match(/\b[A-Za-z][\w.]*(?:-[\w.]+)+/g) ?? []).map(name => name.toLowerCase());
}

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

/** Outside of a license section: what can only be about the model's own terms. Rows of tables compare with other models. */
function isPlainRestriction(sentence: Sentence): boolean {
  const { written, plain } = sentence;
  if (written.startsWith('|')) return false;
  if (isInherited(plain) || (isRestricting(sentence) && PLAIN_TERMS.test(plain))) return true;
  if (!isPlainlyRestricting(sentence)) return false;
  return (
    namesRestrictingLicense(plain) ||
    /\bbuilt with/.test(plain) ||
    NON_COMMERCIAL.test(plain) ||
    /\b(?:research|academic)(?: \S+){0,3} only\b|\b(?:only|solely|exclusively) (?:\S+ ){0,3}?(?:for|in) (?:\S+ ){0,2}?(?:research|academic)\b/.test(
      plain,
    )
  );
}

/** What only terms say, whatever the sentence is about. */
const PLAIN_TERMS = new RegExp(
  [
    // What it may be used for.
    /\bcommercial(?:ly)? (?:use|usage|purposes?|deployment|applications?)\b(?: \S+){0,6} (?:requires?|contact|reach|prohibited|forbidden|not (?:allowed|permitted)|needs?|ask|apply)\b/,
    /\bused?\b(?: \S+){0,8} commercially\b(?: \S+){0,6} (?:contact|reach|ask|apply|needs?|must)\b/,
    /\bcommercial\b(?: \S+){0,4} (?:via|with permission)\b/,
    /\b(?:only|solely|exclusively) for (?:academic|personal) (?:research|use|purposes?)\b|\b(?:personal|private|academic) use only\b/,
    // Passing it on.
    /\bnot (?:re ?distribut\w+|re ?upload\w*|distribute th(?:e|is|ese) (?:model|weights)|sell|resell)\b/,
    /\bnot (?:allowed|permitted) to (?:use|share|re ?distribute|re ?upload|merge|modify|sell|host)\b/,
  ]
    .map(({ source }) => source)
    .join('|'),
);

const MADE_FROM =
  /\b(?:fine ?tun\w*|quanti[sz]\w*|distill\w*|merg\w+|adapt(?:ed|er|ation)\w*|deriv\w+|convert\w*|abliterat\w*|pre ?train\w*|based on|built (?:on|from|upon)|trained (?:on top of|from)|initiali[sz]ed|starting from|version of|variant of)\b/;
const MAX_BASES = 4;

/** Ids of models in sentences that say what this one was made from. */
function basesIn(found: readonly Sentence[]): string[] {
  const bases = new Set<string>();
  for (const { written, plain } of found) {
    if (!MADE_FROM.test(plain)) continue;
    for (const [word] of written.matchAll(/(?:https?:\/\/)?[\w.-]{1,96}\/[\w./-]{1,300}/g)) {
      const id =
        /^https?:/.test(word) || word.split('/').length === 2
          ? modelIdIn(word.replace(/[.,;:]+$/, ''))
          : undefined;
      if (id?.includes('/') && bases.size < MAX_BASES) bases.add(id);
    }
  }
  return [...bases];
}

/** Models of a merge's config that the card shows, as mergekit writes it. */
function mergedIn(parts: readonly Section[]): string[] {
  return parts.flatMap(({ code }) => {
    if (!code.some(line => /^\s{0,8}(?:merge_method|experts|slices)\s*:/.test(line))) return [];
    return code.flatMap(line => {
      const value =
        /^[\s-]{0,24}(?:model|base_model|source_model)\s*:\s*["']?([\w./+-]{1,300})/.exec(line)?.[1] ?? '';
      return value.split('+').flatMap(name => modelIdIn(name) ?? []);
    });
  });
}

/** What comes behind it is what the model was. */
const WAS =
  /\b(?:(?:fine ?tun(?:e|ed|ing)|lora|adapter|quanti[sz](?:ed|ation)|deriv(?:ed|ative)|distilled|merged?|abliterated|uncensored|convert(?:ed|sion)|pruned|initiali[sz]ed|(?:pre ?)?trained on top|versions?|variants?)(?: \S+){0,3}? (?:of|from|on top of)|(?:based|built) (?:up)?on(?: top of)?|(?:contains?|includes?) (?:the )?(?:weights|parameters|checkpoints?) (?:of|from)|(?:fine ?tun\w+|quanti[sz]\w+|convert\w*|merg\w+)) (\S+(?: \S+){0,7})/g;
/** What has the shape of another, or was made with its texts, has none of its weights. */
const ONLY_LIKE =
  /\b(?:architectures?|tokenizers?|outputs?|generated|generations|data|datasets?|responses|answers|style|format|recipe|code|prompts?|scratch|api|factory|cpp)\b/;

/** The first generation had no number. */
const BARE_LLAMA = /^(?:(?:the|a|meta's|original|base|meta) )*llama$/;
const MAX_SUBJECT_CHARACTERS = 40;

/** Returns the family that a notice says the model was; undefined if it names none. */
export function familyInNotice(text: string, file: string): FamilyMark | undefined {
  const found = familyIn(sentences(text));
  return found && { ...found, field: file };
}

/** The family that sentences of the card say the model was, if its license is not permissive. */
function familyIn(found: readonly Sentence[]): FamilyMark | undefined {
  for (const { plain } of found) {
    for (const match of plain.matchAll(WAS)) {
      const [object = ''] = (match[1] ?? '').split(/ (?:and|by|for|in|on|to|using|with) /, 1);
      const subject = plain.slice(Math.max(0, match.index - MAX_SUBJECT_CHARACTERS), match.index);
      if (ONLY_LIKE.test(object) || ONLY_LIKE.test(subject)) continue;
      const family = familyOfName(object.replace(BARE_LLAMA, 'llama-1b'), 'README.md');
      if (family !== undefined) return { ...family, value: object };
    }
  }
  return undefined;
}
