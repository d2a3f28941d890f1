import { quoted } from './safe-text.ts';

/** A JSON object of which nothing is known yet. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Documents are nested a few levels deep. What is nested without end breaks whatever walks through it, `JSON.stringify` too. */
const MAX_DEPTH = 200;
/** Two bytes of text each, and fifty of memory. What is read of a model with 100,000 files has fewer. */
const MAX_OBJECTS = 2_000_000;

/** Returns the value of a foreign JSON text. Throws SyntaxError if it is not JSON, nested too deep, or of too many parts. */
export function parseJson(text: string): unknown {
  const excess = excessOf(text);
  if (excess !== undefined) throw new SyntaxError(excess);
  return JSON.parse(text);
}

/** Told from its brackets, before a parser makes objects of them. */
function excessOf(text: string): string | undefined {
  let depth = 0;
  let objects = 0;
  let isInText = false;
  for (let position = 0; position < text.length; position++) {
    const character = text[position];
    if (isInText && character === '\\') position += 1;
    else if (character === '"') isInText = !isInText;
    else if (isInText) continue;
    else if (character === '[' || character === '{') {
      depth += 1;
      objects += 1;
    } else if (character === ']' || character === '}') depth -= 1;
    if (depth > MAX_DEPTH) return `nested more than ${MAX_DEPTH} levels deep`;
    if (objects > MAX_OBJECTS) return `of more than ${MAX_OBJECTS} objects and lists`;
  }
  return undefined;
}

/** Returns the value of a foreign JSON text; undefined if `parseJson` throws. */
export function parsedJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** Returns whether a value is an object and not a list. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns whether a value is a list of texts. */
export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(item => typeof item === 'string');
}

/** Returns whether a value is an object whose values are texts. */
export function isTextMap(value: unknown): value is Readonly<Record<string, string>> {
  return isRecord(value) && Object.values(value).every(item => typeof item === 'string');
}

/**
 * Returns a description of foreign JSON in a few words, for errors. It is never printed whole: it may be long, nested
 * without end, or a secret.
 */
export function describeJson(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? quoted(value) : String(value);
}
