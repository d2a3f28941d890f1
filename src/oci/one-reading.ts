import { isRecord, type JsonRecord } from '../core/json-shape.ts';
import { quoted } from '../core/safe-text.ts';

/**
 * Returns why clients can read a document of an image in another way than we do; undefined if they cannot. Of a name that
 * is there twice JavaScript takes the last value, and Go, in which most clients are written, joins both. Go also takes
 * `Layers` for `layers`.
 */
export function otherReading(text: string, value: JsonRecord): string | undefined {
  const spelled = fieldsOf(value).flatMap(spelledTwice)[0];
  if (spelled !== undefined) return `${quoted(spelled)} in two spellings`;
  return namesIn(text) === keysIn(value) ? undefined : 'the same name twice in one object';
}

/** The objects whose names are fields. Labels and annotations are maps: there each spelling is a name of its own. */
function fieldsOf(value: JsonRecord): JsonRecord[] {
  const { config, rootfs, layers, manifests } = value;
  return [value, config, rootfs, ...listOf(layers), ...listOf(manifests)].filter(isRecord);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function spelledTwice(fields: JsonRecord): string[] {
  const seen = new Set<string>();
  return Object.keys(fields).filter(name => {
    // Upper case first: Go takes ſ (U+017F) for s and the Kelvin sign for k.
    const folded = name.toUpperCase().toLowerCase();
    return seen.has(folded) || !seen.add(folded);
  });
}

/** The names of all objects in a JSON text, each as often as it is written. */
function namesIn(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start !== -1; ) {
    const end = endOfString(text, start + 1);
    let next = end + 1;
    while (WHITE.has(text[next] ?? '')) next++;
    if (text[next] === ':') count++;
    start = text.indexOf('"', next);
  }
  return count;
}

const WHITE: ReadonlySet<string> = new Set([' ', '\t', '\n', '\r']);

function endOfString(text: string, start: number): number {
  for (let at = start; ; at++) {
    at = text.indexOf('"', at);
    let backslashes = 0;
    while (text[at - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}

/** Without recursion: a document may be nested deeper than calls can be. */
function keysIn(value: unknown): number {
  let count = 0;
  const left: unknown[] = [value];
  for (let one = left.pop(); left.length > 0 || one !== undefined; one = left.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    if (!Array.isArray(one)) count += Object.keys(one).length;
    for (const inner of Object.values(one)) left.push(inner);
  }
  return count;
}
