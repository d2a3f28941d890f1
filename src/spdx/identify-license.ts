import { memoizeAsync } from '../core/pool.ts';
import { communityLicense } from './community-licenses.ts';
import { isTitle, type LicenseTemplate, licenseBody, licenseTemplate } from './license-template.ts';
import { licenseLines } from './license-words.ts';
import { OptionalParts } from './optional-parts.ts';
import { firstChanges } from './word-changes.ts';

/** What a licence's text turned out to be. */
export type LicenseIdentity =
  /** The text of an SPDX licence, word by word; of several where SPDX has ids with the same text, the plainest first. */
  | { readonly kind: 'spdx'; readonly ids: readonly string[] }
  /** A licence that SPDX has no id for, by the name that the Hub gives it: `llama3.1`. */
  | { readonly kind: 'community'; readonly id: string; readonly name: string }
  /** Nearly an SPDX licence, and that is none: the first words added to it and taken out of it. */
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

export interface LicenseIdentifier {
  identify(text: string): LicenseIdentity;
}

/**
 * Identifies one text after the other. The whole SPDX list is half a second's work, which nearly all texts are spared:
 * those that are, to the word, one of the few licences that most models have.
 */
export function createTextIdentifier(): (text: string) => Promise<LicenseIdentity> {
  const usual = memoizeAsync((_: 'once') => loadUsualIdentifier());
  const all = memoizeAsync((_: 'once') => loadLicenseIdentifier());
  return async text => {
    const identity = (await usual('once')).identify(text);
    return identity.kind === 'spdx' ? identity : (await all('once')).identify(text);
  };
}

/** Texts of which no other licence on the list is the same: what is found among them alone is found among all. */
const USUAL = ['Apache-2.0', 'MIT', 'BSD-3-Clause', 'CC0-1.0', 'CC-BY-4.0', 'CC-BY-NC-4.0'];

export async function loadUsualIdentifier(): Promise<LicenseIdentifier> {
  const files = await Promise.all(
    USUAL.map(id => import(`spdx-license-list/licenses/${id}.json`, { with: { type: 'json' } })),
  );
  return createLicenseIdentifier(
    files.map((file, index) =>
      licenseTemplate(USUAL[index] ?? '', file.default.name, file.default.licenseText),
    ),
  );
}

/** Knows every licence of the SPDX list. */
export async function loadLicenseIdentifier(): Promise<LicenseIdentifier> {
  const { default: list } = await import('spdx-license-list/full.js');
  const templates = Object.entries(list).map(([id, { name, licenseText }]) =>
    licenseTemplate(id, name, licenseText),
  );
  return createLicenseIdentifier(templates);
}

export function createLicenseIdentifier(given: readonly LicenseTemplate[]): LicenseIdentifier {
  const optional = new OptionalParts(given);
  const templates = given
    .map(template => ({ ...template, body: optional.without(template.body) }))
    .filter(({ body }) => body !== '');
  let words: ReadonlyMap<LicenseTemplate, readonly string[]> | undefined;
  const byBody = Map.groupBy(templates, ({ body }) => body);
  const families = Map.groupBy(templates, ({ id }) => familyOf(id));
  return {
    identify(text) {
      const lines = licenseLines(text);
      const exact = exactly(lines, byBody, optional);
      if (exact !== undefined) {
        const ids = exact.flatMap(template => families.get(familyOf(template.id)) ?? []).map(({ id }) => id);
        return { kind: 'spdx', ids: plainestFirst([...new Set(ids)]) };
      }
      const community = communityLicense(lines);
      if (community !== undefined) return { kind: 'community', ...community };
      words ??= new Map(templates.map(template => [template, template.body.split(' ')]));
      return nearly(lines, words, optional);
    },
  };
}

/** Lines above and below a licence that may be its title, or say where it was found. */
const MAX_HEAD_LINES = 8;
const MAX_TAIL_LINES = 3;

/**
 * What the text of a licence does not tell: whether later versions may be chosen too, and the like. That stands in
 * the notice of the work, so all ids of a family are the same text.
 */
function familyOf(id: string): string {
  return id.replace(/(?:\+|-(?:no-)?invariants|-only|-or-later)+$/, '');
}

/** The licences that the text is to the word, apart from its title and what is no part of it. */
function exactly(
  lines: readonly string[],
  byBody: ReadonlyMap<string, readonly LicenseTemplate[]>,
  optional: OptionalParts,
): readonly LicenseTemplate[] | undefined {
  for (let head = 0; head <= Math.min(MAX_HEAD_LINES, lines.length - 1); head++) {
    for (let tail = 0; tail <= MAX_TAIL_LINES && head + tail < lines.length; tail++) {
      const body = optional.without(licenseBody(lines.slice(head, lines.length - tail)));
      const around = [...lines.slice(0, head), ...lines.slice(lines.length - tail)];
      const found = byBody.get(body)?.filter(template => around.every(line => isTitle(line, template)));
      if (found !== undefined && found.length > 0) return found;
    }
  }
  return undefined;
}

function plainestFirst(ids: readonly string[]): string[] {
  const rank = (id: string): number => id.length + (/\+$/.test(id) ? 100 : 0);
  return ids.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** How much alike two texts are, from 0 to 1, for one to be a changed copy of the other. */
const MIN_LIKENESS = 0.8;

function nearly(
  lines: readonly string[],
  templates: ReadonlyMap<LicenseTemplate, readonly string[]>,
  optional: OptionalParts,
): LicenseIdentity {
  const words = optional.without(licenseBody(lines)).split(' ');
  const pairs = pairCounts(words);
  let best: { template: LicenseTemplate; likeness: number } | undefined;
  for (const [template, other] of templates) {
    // No text is like another that is far longer or shorter.
    if (other.length > 2 * words.length || words.length > 2 * other.length) continue;
    const likeness = likenessOf(pairs, words.length - 1, other);
    if (likeness > (best?.likeness ?? MIN_LIKENESS)) best = { template, likeness };
  }
  if (best === undefined) return { kind: 'unknown' };
  const { id, body } = best.template;
  // Its title is no change.
  const start = Math.max(
    0,
    lines.findIndex(line => !isTitle(line, best.template)),
  );
  const own = optional.without(licenseBody(lines.slice(start)));
  const changes = firstChanges(body.split(' '), own.split(' '));
  return { kind: 'modified', id, added: changes?.added ?? null, removed: changes?.removed ?? null };
}

function pairCounts(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 1; i < words.length; i++) {
    const pair = `${words[i - 1]} ${words[i]}`;
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return counts;
}

/** Sørensen and Dice's measure over pairs of neighbouring words. */
function likenessOf(pairs: ReadonlyMap<string, number>, pairCount: number, other: readonly string[]): number {
  const used = new Map<string, number>();
  let shared = 0;
  for (let i = 1; i < other.length; i++) {
    const pair = `${other[i - 1]} ${other[i]}`;
    const left = pairs.get(pair);
    if (left === undefined) continue;
    const count = (used.get(pair) ?? 0) + 1;
    used.set(pair, count);
    if (count <= left) shared += 1;
  }
  return pairCount + other.length < 2 ? 0 : (2 * shared) / (pairCount + other.length - 1);
}
