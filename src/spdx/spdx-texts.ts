import parse from 'spdx-expression-parse';
import spdxIds from 'spdx-license-list/simple.js';
import { memoizeAsync } from '../core/pool.ts';
import { loadSpdxLicense } from './spdx-list.ts';

/** The full text of a license by its SPDX id; undefined if there is none. */
export type SpdxTexts = (id: string) => string | undefined;

/** This project's own license. */
export const OWN_LICENSE = 'CC0-1.0';

const CANONICAL_ID = new Map([...spdxIds].map(id => [id.toLowerCase(), id]));

/** Reads the texts of `ids`, and this project's own, and returns them for lookups without waiting. */
export async function loadSpdxTexts(ids: Iterable<string>): Promise<SpdxTexts> {
  const wanted = [...new Set([OWN_LICENSE, ...ids])];
  const texts = new Map(await Promise.all(wanted.map(async id => [id, await loadSpdxText(id)] as const)));
  return id => texts.get(id);
}

/**
 * Returns the full text of a license or an exception, ending in a newline; undefined for what is not on SPDX's lists. All
 * models under a license share one copy.
 */
export const loadSpdxText = memoizeAsync(readSpdxText);

async function readSpdxText(id: string): Promise<string | undefined> {
  // Only an id of the list becomes part of a path.
  const known = CANONICAL_ID.get(id.toLowerCase());
  if (known === undefined) return await loadExceptionText(id);
  const { licenseText: text }: { licenseText: unknown } = await loadSpdxLicense(known);
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  return `${text.replaceAll('\r\n', '\n').trimEnd()}\n`;
}

async function loadExceptionText(id: string): Promise<string | undefined> {
  const { default: texts } = await import('./exception-texts.json', { with: { type: 'json' } });
  return Object.entries(texts).find(([name]) => name === id)?.[1];
}

/** One license of an expression, with the exception that it comes with. */
export interface LicensePart {
  readonly id: string;
  readonly exception: string | undefined;
}

/** Returns the licenses of a valid SPDX expression in its order, each once; none for null. */
export function licenseParts(spdx: string | null): readonly LicensePart[] {
  if (spdx === null) return [];
  const parts = new Map<string, LicensePart>();
  const collect = (tree: parse.Info): void => {
    if ('conjunction' in tree) {
      collect(tree.left);
      collect(tree.right);
    } else {
      parts.set(`${tree.license} WITH ${tree.exception}`, { id: tree.license, exception: tree.exception });
    }
  };
  collect(parse(spdx));
  return [...parts.values()];
}
