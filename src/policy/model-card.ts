import { modelIdIn } from '../core/hub-names.ts';
import {
  isPlainlyRestricting,
  isRestricting,
  namesRestrictingLicense,
  quote,
  type Sentence,
  sentences,
} from '../spdx/restrictions.ts';

/** What a model card's own text says about its license and about what the model was made from. */
export interface CardStatements {
  /** The sentence that restricts. A card may forbid; it never permits more than its `license`. */
  readonly restriction: string | undefined;
  /** Models that it says it was made from, as ids. */
  readonly bases: readonly string[];
}

/** Reads the text of a model card and returns its statements. `id` is the model's: a card may speak of its siblings too. */
export function readModelCard(text: string, id: string): CardStatements {
  const { head, body } = withoutFrontMatter(text);
  const parts = sectionsOf(body);
  const section = sentences(
    parts
      .filter(({ heading }) => LICENSE_HEADING.test(heading))
      .map(({ heading, lines }) => `${heading}\n\n${lines.join('\n')}`)
      .join('\n\n'),
  ).filter(isAboutModel);
  const others = parts.filter(({ heading }) => !LICENSE_HEADING.test(heading));
  const elsewhere = sentences(others.map(({ lines }) => lines.join('\n')).join('\n\n'));
  const found =
    aboutThis(section, id).find(sentence => isRestricting(sentence) || COPYLEFT.test(sentence.plain)) ??
    aboutThis(elsewhere.filter(isAboutModel), id).find(isPlainRestriction) ??
    sentences(head).find(isRestricting);
  return { restriction: found && quote(found), bases: basesIn(aboutThis([...section, ...elsewhere], id)) };
}

/** Licenses that ask for more than notices; a permissive card beside them is another statement. */
const COPYLEFT = /\b[al]?gpl(?: ?v?\d|\b)|\bgnu (?:\w+ )?general public\b|\b(?:mpl|eupl|odbl|osl) ?v?\d/;

const LICENSE_HEADING =
  /licen[cs]|\bterms\b|usage (?:rights|polic|restrict|agreement)|use polic|\blegal\b|copyright|commercial|redistribut|disclaimer|许可|許可|协议|協議|授权|授權|声明|聲明|条款|條款|ライセンス|利用規約|라이선스|라이센스|약관|lizenz|licença|лиценз|ترخيص/iu;

/** Keys of the front matter that hold terms in words: what a gate of the Hub asked to accept stays in copies. */
const TERMS_KEY =
  /^(?:extra_gated_(?:prompt|heading|description|button_content)|license_(?:details|terms|notice)|terms\w*):/;

function withoutFrontMatter(text: string): { head: string; body: string } {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n?|\n/);
  if (lines[0]?.trim() !== '---') return { head: '', body: text };
  const end = lines.findIndex((line, index) => index > 0 && line.trim() === '---');
  if (end === -1) return { head: '', body: text };
  let isTerms = false;
  const terms = lines.slice(1, end).filter(line => {
    if (/^\S/.test(line)) isTerms = TERMS_KEY.test(line);
    return isTerms;
  });
  return { head: terms.join('\n'), body: lines.slice(end + 1).join('\n') };
}

interface Section {
  readonly heading: string;
  readonly lines: string[];
}

/** The parts between headings; a part of a license section is in it. */
function sectionsOf(text: string): Section[] {
  const sections: Section[] = [{ heading: '', lines: [] }];
  let above: { level: number; heading: string } | undefined;
  let isCode = false;
  const lines = text.split(/\r\n?|\n/);
  for (const [index, line] of lines.entries()) {
    if (/^\s*(?:```|~~~)/.test(line)) isCode = !isCode;
    const found = isCode ? undefined : headingOf(line, lines[index + 1] ?? '');
    if (found === undefined) {
      // `License: MIT` among other facts is a section of one line.
      if (!isCode && LABEL.test(line))
        sections.push(
          { heading: 'license', lines: [line] },
          { heading: sections.at(-1)?.heading ?? '', lines: [] },
        );
      else if (!isCode) sections.at(-1)?.lines.push(line);
      continue;
    }
    if (above !== undefined && found.level <= above.level) above = undefined;
    if (above === undefined && LICENSE_HEADING.test(found.heading)) above = found;
    sections.push({
      heading: above === undefined ? found.heading : `${above.heading} / ${found.heading}`,
      lines: [],
    });
  }
  return sections;
}

const LABEL =
  /^[\s>|*+_-]{0,8}(?:(?:model|weights?|software)[ *_]{1,3})?licen[cs]e(?:\(s\)|s)?[\s*_]{0,4}[:：|]/i;

function headingOf(line: string, next: string): { level: number; heading: string } | undefined {
  const [, marks, heading] = /^\s{0,3}(#{1,6})\s*(.{1,200})$/.exec(line) ?? [];
  if (marks !== undefined && heading !== undefined) return { level: marks.length, heading };
  const [, level, title] = /^\s*<h([1-6])[^>]{0,100}>([^<]{1,200})/i.exec(line) ?? [];
  if (level !== undefined && title !== undefined) return { level: Number(level), heading: title };
  if (/^\s*(?:=+|-{3,})\s*$/.test(next) && /^\S.{0,100}$/.test(line) && !line.startsWith('|'))
    return { level: next.includes('=') ? 1 : 2, heading: line };
  const [, bold] = /^\s*(?:\*\*|__)([^*_]{1,80})(?:\*\*|__):?\s*$/.exec(line) ?? [];
  return bold === undefined ? undefined : { level: 6, heading: bold };
}

const MODEL =
  /\b(?:models?|weights?|checkpoints?|parameters|adapters?|derivatives?|software|everything|materials)\b/;
const BESIDE_MODEL =
  /\b(?:datasets?|data sets?|corpus|corpora|training data|annotations|codebase|code|scripts?|demo|notebooks?|paper|website|logos?|figures?|images?)\b/;

/** Whether a sentence is not about the data or the code alone. */
function isAboutModel({ plain }: Sentence): boolean {
  return MODEL.test(plain) || !BESIDE_MODEL.test(plain);
}

/**
 * Sentences about the model's siblings count only if none names the model itself; those about models whose names go on where
 * its own ends (`X-Distill-8B` for `X`) never do.
 */
function aboutThis(found: readonly Sentence[], id: string): readonly Sentence[] {
  const own = nameOf(id).toLowerCase();
  const isIt = (name: string): boolean => own === name || name.endsWith(`-${own}`);
  const isOwn = (name: string): boolean => isIt(name) || own.startsWith(`${name}-`);
  const subjects = found.map(sentence => subjectsOf(sentence));
  const isNamed = subjects.some(names => names.some(isIt));
  return found.filter((_, index) => {
    const names = subjects[index] ?? [];
    if (names.length === 0) return true;
    if (names.every(name => name.startsWith(`${own}-`))) return false;
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
  if (written.startsWith('|') || !isPlainlyRestricting(sentence)) return false;
  return (
    namesRestrictingLicense(plain) ||
    /\bbuilt with|\bnon ?commercial|非商|非営利|비상업|nicht ?kommerziell|no comercial|некоммерч/u.test(
      plain,
    ) ||
    /\b(?:research|academic)(?: \S+){0,3} only\b|\b(?:only|solely|exclusively) (?:\S+ ){0,3}?(?:for|in) (?:\S+ ){0,2}?(?:research|academic)\b/.test(
      plain,
    )
  );
}

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
