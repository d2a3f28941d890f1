import { isRecord } from '../core/json-shape.ts';
import type { FlagDefinition, ValueKind } from './flag-definition.ts';
import { recordOf } from './json-value.ts';

type Value = NonNullable<FlagDefinition['value']>;

const SPOKEN: Readonly<Record<ValueKind, string>> = {
  int: 'a whole number',
  float: 'a number',
  json: 'JSON',
  object: 'a JSON object',
  size: 'a whole number, or one such as 16k',
  'size-or-auto': 'a whole number, one such as 16k, or auto',
  'text-or-json': 'a name or a JSON object',
  text: 'a text',
};

type ValueFault =
  /** `value`: what is none of them, a key of an object if that is what is checked. */
  | { readonly kind: 'choice'; readonly value: string; readonly choices: readonly string[] }
  /** `wants`: in words. */
  | { readonly kind: 'type'; readonly wants: string };

/** Returns what the parser of that release finds wrong with a value; undefined if it takes it. */
export function valueFault(value: Value, text: string): ValueFault | undefined {
  if (value.choices !== undefined) {
    return value.choices.some(choice => isSame(choice, text, value))
      ? undefined
      : { kind: 'choice', value: text, choices: value.choices };
  }
  if (value.isOptional && (text === '' || text === 'None')) return undefined;
  const unknown = unknownKey(value, text);
  if (unknown !== undefined) return { kind: 'choice', value: unknown, choices: value.keys ?? [] };
  return isOfKind(value.kind, text) ? undefined : { kind: 'type', wants: SPOKEN[value.kind] };
}

function unknownKey({ kind, keys }: Value, text: string): string | undefined {
  if (kind !== 'object' || keys === undefined) return undefined;
  return Object.keys(recordOf(parseJson(withPlainNumbers(text)))).find(key => !keys.includes(key));
}

function isSame(choice: string, text: string, { isFolded }: Value): boolean {
  if (choice === text) return true;
  if (choice === 'None') return text === '';
  // Choices that are numbers are compared as numbers.
  if (/^\d+$/.test(choice) && isInt(text)) return Number(choice) === Number(text.replaceAll('_', ''));
  return isFolded && fold(choice) === fold(text);
}

function fold(text: string): string {
  return text.toLowerCase().replaceAll('-', '_');
}

function isOfKind(kind: ValueKind, text: string): boolean {
  switch (kind) {
    case 'int':
      return isInt(text);
    case 'float':
      return /^\s*[+-]?((\d[\d_]*)?\.?\d[\d_]*\.?(e[+-]?\d+)?|inf(inity)?|nan)\s*$/i.test(text);
    case 'size':
      return isSize(text);
    case 'size-or-auto':
      return text.trim().toLowerCase() === 'auto' || isSize(text);
    case 'json':
      return parseJson(text) !== undefined;
    case 'object':
      return isRecord(parseJson(withPlainNumbers(text)));
    case 'text-or-json':
      return !/^\s*\{.*\}\s*$/s.test(text) || parseJson(text) !== undefined;
    case 'text':
      return true;
  }
}

/** As Python's `int` reads it. */
function isInt(text: string): boolean {
  return /^\s*[+-]?\d+(_\d+)*\s*$/.test(text);
}

function isSize(text: string): boolean {
  return isInt(text) || /^\s*(\d+(\.\d+)?[kmgt]|\d+[KMGT])\s*$/.test(text);
}

/** Newer releases take `80m` for a number inside of JSON, too. */
function withPlainNumbers(text: string): string {
  return text.replace(
    /("(?:[^"\\]|\\.)*")|\b(\d+(?:\.\d+)?)[kKmMgGtT]\b/g,
    (_, quoted, number) => quoted ?? number,
  );
}

/** Returns undefined for what is not JSON; `null` stays null. Python reads NaN and Infinity, too. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(
      text.replace(/("(?:[^"\\]|\\.)*")|-?\b(?:NaN|Infinity)\b/g, (_, quoted) => quoted ?? '0'),
    );
  } catch {
    return undefined;
  }
}
