import parse from 'spdx-expression-parse';
import spdxIds from 'spdx-license-list/simple.js';
import { editDistance, nearest } from '../core/text.ts';

/** A license expression that was understood, its ids in SPDX's own spelling. */
export interface LicenseExpression {
  /** `Apache-2.0 AND (MIT OR ISC)` */
  readonly spdx: string;
  readonly tree: parse.Info;
}

/** Longer than any license that people write; it also bounds how deep the parser goes. */
const MAX_LENGTH = 500;
const CANONICAL_ID = new Map([...spdxIds].map(id => [id.toLowerCase(), id]));
const SQUEEZED = squeezedIds();

/**
 * Reads an SPDX expression; ids and operators in any case, exceptions as SPDX spells them. Returns undefined for
 * everything else: a name that is nearly an id is not one.
 */
export function readExpression(text: string): LicenseExpression | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const words = text.match(/[()]|[^\s()]+/g);
  if (words === null) return undefined;
  try {
    const tree = parse(words.map(canonicalWord).join(' '));
    return { spdx: write(tree), tree };
  } catch {
    // The parser says what it stumbled on, but for `()` and the like in words of its own inside.
    return undefined;
  }
}

/**
 * Returns the expression that all of `expressions` apply, each part named once: `MIT` and `Apache-2.0 AND MIT` are
 * `MIT AND Apache-2.0`. What is not a valid expression is left out.
 */
export function conjunction(expressions: readonly string[]): string {
  const parts = new Set<string>();
  const collect = (tree: parse.Info): void => {
    if ('conjunction' in tree && tree.conjunction === 'and') {
      collect(tree.left);
      collect(tree.right);
    } else {
      parts.add('conjunction' in tree ? `(${write(tree)})` : writePart(tree));
    }
  };
  for (const expression of expressions) {
    const read = readExpression(expression);
    if (read !== undefined) collect(read.tree);
  }
  const [only = '', ...more] = parts;
  return more.length === 0 ? only.replace(/^\((.*)\)$/, '$1') : [...parts].join(' AND ');
}

/** Returns the parts that do not satisfy the whitelist; empty if the expression is satisfied by it. */
export function missingParts(tree: parse.Info, permitted: ReadonlySet<string>): readonly string[] {
  if (!('conjunction' in tree)) return isPermitted(tree, permitted) ? [] : [writePart(tree)];
  const left = missingParts(tree.left, permitted);
  const right = missingParts(tree.right, permitted);
  if (tree.conjunction === 'or' && (left.length === 0 || right.length === 0)) return [];
  return [...new Set([...left, ...right])];
}

/**
 * Returns `spdx_permissive_whitelist` in the form that `missingParts` compares with, made once for each list. Entries
 * are ids, alone or with a `+`.
 */
export function permittedKeys(whitelist: readonly string[]): ReadonlySet<string> {
  const known = KEYS.get(whitelist);
  if (known !== undefined) return known;
  const keys = new Set(
    whitelist.map(entry => {
      const id = entry.trim();
      return id.endsWith('+') ? keyOf({ license: id.slice(0, -1), plus: true }) : keyOf({ license: id });
    }),
  );
  KEYS.set(whitelist, keys);
  return keys;
}

const KEYS = new WeakMap<readonly string[], ReadonlySet<string>>();

/**
 * Returns the id that `text` spells out in words (`Apache License, Version 2.0`); never one with a version that it does
 * not name.
 */
export function spelledOutId(text: string): string | undefined {
  const id = SQUEEZED.get(squeeze(text));
  // `nc-sa` is not NCSA.
  const isOther = CONDITIONS.some(part => part.test(text) && !part.test(id ?? ''));
  return isOther ? undefined : id;
}

const CONDITIONS = [/(?<![a-z])nc(?![a-z])/i, /(?<![a-z])nd(?![a-z])/i];

/**
 * Returns the id that `text` spells out or is likely to be a slip of, with the version that it names: `Apache-2.0` for
 * `apache2`, none for `bsd`. Undefined if there is none.
 */
export function nearestId(text: string): string | undefined {
  const squeezed = squeeze(text);
  const digits = digitsOf(squeezed);
  const sameVersion = [...SQUEEZED.keys()].filter(key =>
    [digits, ...(digits === '' ? [] : [`${digits}0`])].includes(digitsOf(key)),
  );
  const near = nearest(squeezed, sameVersion);
  // Ids are short: of three letters two others are another license.
  const isSlip = near !== undefined && editDistance(near, squeezed) <= Math.max(1, squeezed.length / 4);
  return SQUEEZED.get(squeezed) ?? (isSlip ? SQUEEZED.get(near) : undefined);
}

/** Returns the first word of an expression that should be an SPDX id but is not; undefined if there is none. */
export function unknownId(text: string): string | undefined {
  // What follows WITH is an exception.
  const words = text.replaceAll(/\bWITH\s+[^\s()]+/gi, ' ').match(/[^\s()]+/g) ?? [];
  return words.find(word => !/^(?:and|or|with)$/i.test(word) && readExpression(word) === undefined);
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, '');
}

function canonicalWord(word: string): string {
  if (/^(and|or|with)$/i.test(word)) return word.toUpperCase();
  const [, id = word, plus = ''] = /^(.+?)(\+?)$/.exec(word) ?? [];
  // The parser takes `ORISC` for `OR ISC`; a word that only begins like an operator must not reach it.
  const isOperatorLike = /^(and|or|with)/i.test(id);
  const canonical = CANONICAL_ID.get(id.toLowerCase());
  if (canonical === undefined && isOperatorLike) throw new SyntaxError(`${word} is not an SPDX id`);
  return (canonical ?? id) + plus;
}

/** No whitelist permits an exception: it may take as well as give, and a whitelist holds ids only. */
function isPermitted(part: parse.LicenseInfo, permitted: ReadonlySet<string>): boolean {
  return part.exception === undefined && permitted.has(keyOf(part));
}

/**
 * One spelling for what SPDX has two for: `GPL-3.0+` is `GPL-3.0-or-later`, and `GPL-3.0` is `GPL-3.0-only`. Nothing
 * else is equal; `Apache-1.0+` is neither `Apache-1.0` nor `Apache-2.0`.
 */
function keyOf({ license, plus }: Pick<parse.LicenseInfo, 'license' | 'plus'>): string {
  const id = license.toLowerCase();
  if (/^(agpl|gpl|lgpl|gfdl)-\d+\.\d+$/.test(id)) return id + (plus ? '-or-later' : '-only');
  return id + (plus ? '+' : '');
}

function write(tree: parse.Info): string {
  if (!('conjunction' in tree)) return writePart(tree);
  const sides = [tree.left, tree.right].map(side => {
    const needsParentheses = tree.conjunction === 'and' && 'conjunction' in side && side.conjunction === 'or';
    return needsParentheses ? `(${write(side)})` : write(side);
  });
  return sides.join(tree.conjunction === 'and' ? ' AND ' : ' OR ');
}

function writePart({ license, plus, exception }: parse.LicenseInfo): string {
  return `${license}${plus ? '+' : ''}${exception === undefined ? '' : ` WITH ${exception}`}`;
}

function squeezedIds(): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  // The first of the list is meant by what two ids look like.
  for (const id of spdxIds) if (!ids.has(squeeze(id))) ids.set(squeeze(id), id);
  return ids;
}

function squeeze(text: string): string {
  return text
    .toLowerCase()
    .replace(/\b(the|licen[cs]e|version)\b/g, '')
    .replace(/\bv(?=\d)/g, '')
    .replace(/[^a-z0-9+]/g, '');
}
