import { plainLine } from '../core/safe-text.ts';

const MAX_SHOWN = 20;
const MAX_VALUE_CHARACTERS = 160;

/**
 * Returns what differs between two JSON documents, a sentence each with the path of the value: `config.config.Env[3] is
 * "LD_PRELOAD=…" and should not be there`. `except` names keys at the top that are not compared.
 */
export function documentDifferences(
  name: string,
  expected: unknown,
  actual: unknown,
  except: readonly string[] = [],
): string[] {
  const found: string[] = [];
  compare(name, omit(expected, except), omit(actual, except), found);
  return found.length <= MAX_SHOWN
    ? found
    : [...found.slice(0, MAX_SHOWN), `${name}: ${found.length - MAX_SHOWN} more values differ`];
}

function compare(at: string, expected: unknown, actual: unknown, found: string[]): void {
  if (isContainer(expected) && isContainer(actual) && Array.isArray(expected) === Array.isArray(actual)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const place = Array.isArray(expected) ? `${at}[${key}]` : `${at}.${key}`;
      compare(place, entryOf(expected, key), entryOf(actual, key), found);
    }
    return;
  }
  if (JSON.stringify(expected) === JSON.stringify(actual)) return;
  const where = plainLine(at);
  if (actual === undefined) found.push(`${where} is missing: ${shown(expected)}`);
  else if (expected === undefined) found.push(`${where} should not be there: ${shown(actual)}`);
  else found.push(`${where} is ${shown(actual)} and should be ${shown(expected)}`);
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function entryOf(container: object, key: string): unknown {
  return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined;
}

function omit(value: unknown, keys: readonly string[]): unknown {
  if (keys.length === 0 || !isContainer(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

function shown(value: unknown): string {
  return plainLine(JSON.stringify(value) ?? '', MAX_VALUE_CHARACTERS);
}
