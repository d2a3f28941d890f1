import * as z from 'zod';
import { nearest } from '../core/text.ts';
import type { ConfigProblem } from './problems.ts';
import { configFile, EXTENSION_KEY } from './schema.ts';
import type { Span } from './yaml/source-text.ts';
import type { Path, YamlSource } from './yaml/yaml-source.ts';

type Issue = z.core.$ZodIssue;

/** Returns what the schema found, in words and with places. */
export function schemaProblems(issues: readonly Issue[], source: YamlSource): ConfigProblem[] {
  return issues.flatMap(issue => problemsOf(issue, [], source));
}

/** Returns what `schemaProblems` does, for a file that `include` names. */
export function includedProblems(issues: readonly Issue[], source: YamlSource): ConfigProblem[] {
  return issues.flatMap(issue => {
    if (issue.code !== 'unrecognized_keys' || issue.path.length > 0) return problemsOf(issue, [], source);
    return issue.keys.map(key => {
      const span = source.locateKey([], key);
      if (keysAt([]).includes(key))
        return source.problem(span, `${JSON.stringify(key)} belongs in the file that includes this one`);
      const guess = nearest(key, ['models']);
      const hint = guess === undefined ? ': an included file has "models" only' : '';
      return source.problem(span, `unknown key ${JSON.stringify(key)}${hint}`, guess);
    });
  });
}

/** Returns the value at `path`, undefined if there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** Returns how a message names a place: `"short"`, `"tags" item 2`, `model 3`. */
export function nameOf(path: Path): string {
  const step = path.at(-1);
  if (step === undefined) return 'the file';
  if (typeof step === 'string') return JSON.stringify(step);
  const list = path.at(-2);
  return list === 'models' && path.length === 2
    ? `model ${step + 1}`
    : `${JSON.stringify(list)} item ${step + 1}`;
}

function problemsOf(issue: Issue, base: Path, source: YamlSource): ConfigProblem[] {
  const path = [...base, ...(issue.path as Path)];
  const report = (message: string, suggestion?: string, span: Span = source.locate(path)) => [
    source.problem(span, message, suggestion),
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.flatMap(key => report(...unknownKey(path, key), source.locateKey(path, key)));
    case 'invalid_type':
      if (valueAt(source.value, path) === undefined) return missingKey(path, source);
      return report(...wrongType(path, typeWords(issue), source));
    case 'invalid_union': {
      // The branch whose own type fits is the one that was meant: its complaints are worth showing.
      const meant = issue.errors.find(branch => branch.every(inner => !isAboutType(inner)));
      if (meant === undefined) return report(...wrongType(path, issue.message, source));
      return meant.flatMap(inner => problemsOf(inner, path, source));
    }
    case 'too_small':
      if (path.length === 1 && path[0] === 'models') {
        const rest =
          valueAt(source.value, ['include']) === undefined ? '' : ', or leave it out beside "include"';
        return report(`"models" is empty: "weighbridge add <id>" adds a model${rest}`);
      }
      return report(`${nameOf(path)} ${issue.origin === 'array' ? 'must not be empty' : issue.message}`);
    case 'custom': {
      const found = report(
        `${nameOf(path)} ${issue.message}`,
        issue.params?.suggestion as string | undefined,
        issue.params?.isAboutKey === true
          ? source.locateKey(path.slice(0, -1), String(path.at(-1)))
          : source.locate(path),
      );
      // The line of the file would show it.
      return issue.params?.isSecret === true
        ? found.map(problem => ({ ...problem, offendingText: '', sourceLine: '' }))
        : found;
    }
    case 'invalid_value':
      return report(
        `${nameOf(path)} ${issue.message}`,
        nearestValue(valueAt(source.value, path), issue.values),
      );
    default:
      return report(`${nameOf(path)} ${issue.message}`);
  }
}

/** The schema's own words, which say what is meant, before those of the type. */
function typeWords(issue: z.core.$ZodIssueInvalidType): string {
  if (issue.message.startsWith('must ')) return issue.message;
  return `must be ${TYPE_WORDS[issue.expected] ?? issue.expected}`;
}

function nearestValue(written: unknown, values: readonly unknown[]): string | undefined {
  return typeof written === 'string' ? nearest(written, values.map(String)) : undefined;
}

function isAboutType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function unknownKey(path: Path, key: string): [message: string, suggestion: string | undefined] {
  const name = `unknown key ${JSON.stringify(key)}`;
  const homes = Object.keys(HOMES).filter(home => HOMES[home]?.includes(key));
  if (homes.length > 0) return [`${name} here: it belongs ${homes.join(' or ')}`, undefined];
  const known = keysAt(path);
  const guess = nearest(key, known);
  return guess === undefined ? [`${name}: there are ${known.join(', ')}`, undefined] : [name, guess];
}

const MODEL_PATH: Path = ['models', 0];
/** Where a key that is in the wrong place would be right. */
const HOMES: Record<string, readonly string[]> = {
  'at the top of the file': keysAt([]),
  'in an entry of "models"': keysAt(MODEL_PATH),
  'in "defaults"': keysAt(['defaults']),
  'in "oci"': keysAt([...MODEL_PATH, 'oci']),
  'in "files"': keysAt([...MODEL_PATH, 'files']),
};

/** The keys that the map at `path` may have. */
function keysAt(path: Path): string[] {
  let schema: z.core.$ZodType = unwrap(configFile);
  for (const step of path) {
    if (schema instanceof z.ZodObject)
      schema = unwrap(schema.shape[step] ?? schema.def.catchall ?? z.never());
    else if (schema instanceof z.ZodArray) schema = unwrap(schema.element);
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  // Of a text or a map it is the map that has keys.
  if (inner instanceof z.ZodUnion)
    return inner.options.find(option => option instanceof z.ZodObject) ?? inner;
  return inner;
}

/** Returns the problem of a required key that is absent, or none if a slip in it is reported already. */
export function missingKey(path: Path, source: YamlSource): ConfigProblem[] {
  const parent = path.slice(0, -1);
  const known = keysAt(parent);
  const siblings = Object.keys(valueAt(source.value, parent) ?? {});
  // A slip in the key is reported as an unknown key already.
  if (
    siblings.some(
      key => !EXTENSION_KEY.test(key) && !known.includes(key) && nearest(key, known) === path.at(-1),
    )
  )
    return [];
  const { start } = source.locate(parent);
  const message = `${nameOf(parent)} has no ${nameOf(path)}, which is required`;
  return [source.problem({ start, end: start }, message)];
}

const TYPE_WORDS: Record<string, string> = {
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

function wrongType(
  path: Path,
  expected: string,
  source: YamlSource,
): [message: string, suggestion: string | undefined] {
  const value = valueAt(source.value, path);
  const name = nameOf(path);
  if (value === null) return [`${name} has no value: it ${expected}`, undefined];
  return [`${name} ${expected}, not ${describe(value)}`, repaired(value, expected, path, source)];
}

function repaired(value: unknown, expected: string, path: Path, source: YamlSource): string | undefined {
  if (typeof value === 'object') return undefined;
  const written = source.textAt(path);
  if (expected.includes('true')) return meantByWord(written, expected);
  // What YAML reads as a number or a boolean is text in quotes.
  if (/ text\b/.test(expected)) return JSON.stringify(written);
  if (!expected.includes(' list')) return undefined;
  const words = path.at(-1) === 'serve_args' ? written.trim().split(/\s+/) : [written];
  return `[${words.map(word => JSON.stringify(word)).join(', ')}]`;
}

/** `yes` and `on` were booleans in YAML 1.1, and still are in many a memory. */
function meantByWord(word: string, expected: string): string | undefined {
  const lower = word.toLowerCase();
  if (['yes', 'y', 'on', 'true', '1'].includes(lower)) return 'true';
  if (['no', 'n', 'off', 'false', '0'].includes(lower)) return 'false';
  return nearest(lower, [...(expected.includes('auto') ? ['auto'] : []), 'true', 'false']);
}

function describe(value: unknown): string {
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return typeof value === 'number' ? `the number ${value}` : String(value);
}
