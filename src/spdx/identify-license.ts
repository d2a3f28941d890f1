import { memoizeAsync } from '../core/pool.ts';
import { communityLicense } from './community-licenses.ts';
import { declarationIn } from './declarations.ts';
import { type Leftover, leftoversOf } from './leftovers.ts';
import { LicenseMatcher, type Segment } from './license-matcher.ts';
import { type LicenseTemplate, licenseTemplate } from './license-template.ts';
import { NearMatcher } from './near-match.ts';
import { APACHE_NOTICE } from './notice-templates.ts';
import { isHarmless, restrictionIn } from './restrictions.ts';
import { loadSpdxLicense, loadSpdxList } from './spdx-list.ts';
import { readWords, type TextWords } from './text-words.ts';
import { longestChanges } from './word-changes.ts';

/** What a license's text turned out to be. */
export type LicenseIdentity =
  /** The text of an SPDX license, word by word; of several where SPDX has ids with the same text, the plainest first. */
  | { readonly kind: 'spdx'; readonly ids: readonly string[] }
  /** A license that SPDX has no id for, by the name that the Hub gives it: `llama3.1`. */
  | { readonly kind: 'community'; readonly id: string; readonly name: string }
  /** A changed copy of an SPDX license: the first words that were added to it, and taken out of it. */
  | {
      readonly kind: 'modified';
      readonly id: string;
      readonly added: string | null;
      readonly removed: string | null;
    }
  /** Several whole texts one after the other, each an SPDX license or a community license. */
  | { readonly kind: 'several'; readonly parts: readonly LicenseIdentity[] }
  /** No terms of its own, only a statement of the license, as an SPDX expression: a title, an SPDX line, a short notice. */
  | { readonly kind: 'declaration'; readonly spdx: string }
  /** Not a known license, and it forbids or limits something: the sentence that does. */
  | { readonly kind: 'restricted'; readonly words: string }
  /** It restricts nothing: it is blank, has copyright lines only, or asks no more than to obey the law. */
  | { readonly kind: 'harmless'; readonly why: string }
  | { readonly kind: 'unknown' };

/** Tells which license a text is. */
export interface LicenseIdentifier {
  /** `words`: the text's, if they have been read. */
  identify(text: string, words?: TextWords): LicenseIdentity;
  /** The SPDX license that a text is to the word, which is known long before all else that a text may be. */
  exactly(words: TextWords): LicenseIdentity | undefined;
}

const usual = memoizeAsync((_: 'once') => loadUsualIdentifier());
const all = memoizeAsync((_: 'once') => loadLicenseIdentifier());

/**
 * Returns a function that identifies one text after the other. Reading the whole SPDX list takes a second of work, done
 * once, which nearly all texts are spared: those that are, to the word, one of the few licenses that most models have.
 */
export function createTextIdentifier(): (text: string) => Promise<LicenseIdentity> {
  return async text => {
    const words = readWords(text);
    return (await usual('once')).exactly(words) ?? (await all('once')).identify(text, words);
  };
}

/** Texts of which no other license on the list is the same: what is found among them alone is found among all. */
const USUAL = ['Apache-2.0', 'MIT', 'BSD-3-Clause', 'CC0-1.0', 'CC-BY-4.0', 'CC-BY-NC-4.0'];

/** Returns the identifier of the licenses that models have most, loaded once. */
export async function loadUsualIdentifier(): Promise<LicenseIdentifier> {
  const licenses = await Promise.all(USUAL.map(loadSpdxLicense));
  return createLicenseIdentifier(
    licenses.map(({ name, licenseText }, index) => licenseTemplate(USUAL[index] ?? '', name, licenseText)),
  );
}

/** Returns an identifier that knows every license of the SPDX list. */
export async function loadLicenseIdentifier(): Promise<LicenseIdentifier> {
  const templates = Object.entries(await loadSpdxList()).map(([id, { name, licenseText }]) =>
    licenseTemplate(id, name, licenseText),
  );
  return createLicenseIdentifier(templates);
}

/** Returns an identifier of texts by these templates. */
export function createLicenseIdentifier(given: readonly LicenseTemplate[]): LicenseIdentifier {
  const templates = [...given, APACHE_NOTICE];
  const matcher = new LicenseMatcher(templates);
  const families = Map.groupBy(given, ({ id }) => familyOf(id));
  let near: NearMatcher | undefined;
  const idsOf = ({ templates: found }: Segment): readonly string[] => {
    const ids = found
      .flatMap(template => families.get(familyOf(template.id)) ?? [template])
      .map(({ id }) => id);
    return plainestFirst([...new Set(ids)]);
  };
  const wholeText = (
    segments: readonly Segment[],
    leftovers: readonly Leftover[],
  ): LicenseIdentity | undefined => (leftovers.length === 0 ? wholeOf(segments, idsOf) : undefined);
  return {
    exactly(text) {
      const segments = matcher.find(text) ?? [];
      const whole = segments.length > 0 ? wholeText(segments, leftoversOf(text, segments)) : undefined;
      return whole?.kind === 'spdx' ? whole : undefined;
    },
    identify(written, text = readWords(written)) {
      const segments = matcher.find(text);
      if (segments === undefined) return { kind: 'unknown' };
      const leftovers = leftoversOf(text, segments);
      const whole = wholeText(segments, leftovers);
      if (whole !== undefined) return whole;
      const community = communityLicense(text.words.join(' '));
      if (community !== undefined) return { kind: 'community', ...community };
      near ??= new NearMatcher(given);
      return (
        changedCopy(text, segments, leftovers, near) ??
        declarationOf(text, segments, leftovers) ??
        restrictionOf(written) ??
        harmlessOf(text, written) ?? { kind: 'unknown' }
      );
    },
  };
}

/**
 * What the text of a license does not tell: whether later versions may be chosen too, and the like. That is in the notice
 * of the work, so all ids of a family are the same text.
 */
function familyOf(id: string): string {
  return id.replace(/(?:\+|-(?:no-)?invariants|-only|-or-later)+$/, '');
}

function plainestFirst(ids: readonly string[]): string[] {
  const rank = (id: string): number => id.length + (/\+$/.test(id) ? 100 : 0);
  return ids.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** The licenses that the text consists of; undefined if it has none but notices. */
function wholeOf(
  segments: readonly Segment[],
  idsOf: (segment: Segment) => readonly string[],
): LicenseIdentity | undefined {
  const texts = segments.filter(({ templates }) => templates.some(({ isNotice }) => !isNotice));
  const parts = new Map(texts.map(idsOf).map(ids => [ids.join(' '), { kind: 'spdx' as const, ids }]));
  const [only, ...more] = parts.values();
  return more.length === 0 ? only : { kind: 'several', parts: [...parts.values()] };
}

/** What a text adds to a license, or takes out of it. */
function changedCopy(
  { words }: TextWords,
  segments: readonly Segment[],
  leftovers: readonly Leftover[],
  near: NearMatcher,
): LicenseIdentity | undefined {
  const nearest = near.find(words);
  const [segment] = segments
    .filter(({ templates }) => templates.some(({ isNotice }) => !isNotice))
    .toSorted((a, b) => b.end - b.start - (a.end - a.start));
  if (segment !== undefined && (nearest === undefined || segment.templates.includes(nearest))) {
    const longest = leftovers.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0];
    const added =
      longest === undefined ? null : longestChanges([], words.slice(longest.start, longest.end)).added;
    return { kind: 'modified', id: segment.templates[0]?.id ?? '', added, removed: null };
  }
  if (nearest === undefined) return undefined;
  return { kind: 'modified', id: nearest.id, ...longestChanges(nearest.words, words) };
}

function declarationOf(
  text: TextWords,
  segments: readonly Segment[],
  leftovers: readonly Leftover[],
): LicenseIdentity | undefined {
  const declared = leftovers.map(leftover => declarationOfBlock(text, leftover));
  const noticed = segments.flatMap(({ templates }) => templates.map(({ id }) => id));
  const ids = new Set([...declared, ...noticed]);
  const [spdx] = ids;
  return ids.size === 1 && spdx !== undefined ? { kind: 'declaration', spdx } : undefined;
}

/** A heading, and a sentence that all may be on lines of their own. */
function declarationOfBlock(text: TextWords, block: Leftover): string | undefined {
  const whole = declarationIn(text, block);
  const first = whole === undefined ? lastOfLine(text, block) : block.end;
  if (first >= block.end || !isPlainHeading(text.words.slice(block.start, first))) return whole;
  return declarationIn(text, { start: first, end: block.end });
}

function lastOfLine({ lineOf }: TextWords, { start, end }: Leftover): number {
  let at = start;
  while (at < end && lineOf[at] === lineOf[start]) at += 1;
  return at;
}

function isPlainHeading(words: readonly string[]): boolean {
  return /^(?:the )?(?:license|licenses|licensing|license md|copyright and license)$/.test(words.join(' '));
}

function restrictionOf(text: string): LicenseIdentity | undefined {
  const words = restrictionIn(text);
  return words === undefined ? undefined : { kind: 'restricted', words };
}

function harmlessOf({ words, noticeCount }: TextWords, written: string): LicenseIdentity | undefined {
  if (words.length === 0) {
    return { kind: 'harmless', why: noticeCount > 0 ? 'it has copyright notices only' : 'it is blank' };
  }
  // What grants something in words of its own is not harmless for asking nothing.
  const isAboutLaw = words.some(word =>
    /^(?:laws?|lawful|lawfully|illegal|unlawful|legislation|regulations?)$/.test(word),
  );
  return isAboutLaw && isHarmless(written)
    ? { kind: 'harmless', why: 'it asks no more than to obey the law' }
    : undefined;
}
