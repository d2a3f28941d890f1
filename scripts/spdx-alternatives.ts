import { wordsOf } from '../src/spdx/text-words.ts';

const MAX_ALTERNATIVES = 24;

/**
 * The texts that a `match` expression of an SPDX template allows, as words, `*` for a name that is filled in. None for an
 * expression that is more than alternatives: the original alone is taken then.
 */
export function alternativesOf(match: string): readonly string[] {
  try {
    const texts = expand(
      match.replace(/\[ \\t\\r\\n\\f\]\{\d+,\d+\}|\[ \\t\]\{\d+,\d+\}|\\s[+*]?|\\h[+*]?/g, ' '),
    );
    return [...new Set(texts.map(plain))];
  } catch {
    return [];
  }
}

function plain(text: string): string {
  return text
    .split('*')
    .map(part => wordsOf(part).join(' '))
    .join(' * ')
    .replace(/ +/g, ' ')
    .trim();
}

/** `a|b(c)?d.+` as `a`, `bd*`, `bcd*`. */
function expand(pattern: string): string[] {
  const [texts, end] = alternatives(pattern, 0);
  if (end < pattern.length) throw new SyntaxError(pattern);
  return texts;
}

function alternatives(pattern: string, start: number): [string[], number] {
  const all: string[] = [];
  let at = start;
  for (;;) {
    const [texts, end] = sequence(pattern, at);
    all.push(...texts);
    if (pattern[end] !== '|') return [all, end];
    at = end + 1;
  }
}

function sequence(pattern: string, start: number): [string[], number] {
  let texts = [''];
  let at = start;
  while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
    let [parts, end] = item(pattern, at);
    if (pattern[end] === '?') {
      parts = ['', ...parts];
      end += 1;
    } else if (/[+*{]/.test(pattern[end] ?? '')) throw new SyntaxError(pattern);
    texts = texts.flatMap(text => parts.map(part => text + part));
    if (texts.length > MAX_ALTERNATIVES) throw new SyntaxError(pattern);
    at = end;
  }
  return [texts, at];
}

function item(pattern: string, at: number): [string[], number] {
  const free = /^\.(?:[+*]\??|\{\d*,\d+\})/.exec(pattern.slice(at));
  if (free !== null) return [[' * '], at + free[0].length];
  const set = /^\[([^\]\\-]{1,6})\]/.exec(pattern.slice(at));
  if (set !== null) return [[...(set[1] ?? '')], at + set[0].length];
  const char = pattern[at] ?? '';
  if (char === '(') {
    const inner = pattern.startsWith('(?:', at) ? at + 3 : at + 1;
    const [texts, end] = alternatives(pattern, inner);
    if (pattern[end] !== ')') throw new SyntaxError(pattern);
    return [texts, end + 1];
  }
  if (char === '\\') {
    const escaped = pattern[at + 1] ?? '';
    if (/\w/.test(escaped)) throw new SyntaxError(pattern);
    return [[escaped], at + 2];
  }
  if (/[.[\]{}+*?^$]/.test(char)) throw new SyntaxError(pattern);
  return [[char], at + 1];
}
