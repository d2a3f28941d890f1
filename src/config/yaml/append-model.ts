import { isMap, isScalar, isSeq, parseDocument, type YAMLSeq } from 'yaml';
import { ConfigError } from '../../core/errors.ts';

/** What is written for a new model; everything else stays at its default. */
export interface NewModel {
  readonly id: string;
  readonly short: string;
  readonly revision?: string;
  readonly serveArgs?: readonly string[];
  readonly publish?: Readonly<Record<string, boolean>>;
}

/**
 * Returns the text of a `models.yaml` with one model more at the end of its list. Everything else stays as it was, byte
 * for byte: comments, quotes, line breaks. Throws ConfigError if the list is not written in lines of its own.
 */
export function appendModel(text: string, model: NewModel, file: string): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const document = parseDocument(text, { keepSourceTokens: true, logLevel: 'error' });
  const root = document.contents;
  const pair = isMap(root)
    ? root.items.find(({ key }) => isScalar(key) && key.value === 'models')
    : undefined;
  const entry = (indent: string): string =>
    entryLines(model)
      .map(line => `${indent}${line}`)
      .join(newline);
  if (pair === undefined) return `${endLine(text, newline)}models:${newline}${entry('  ')}${newline}`;

  const { key, value } = pair;
  const keyEnd = (isScalar(key) && key.range?.[1]) || 0;
  if (isSeq(value) && value.items.length > 0) {
    if (value.flow) throw inBrackets(model, file);
    return insertLine(text, endOfLastItem(value, text), entry(' '.repeat(dashColumn(value, text))), newline);
  }
  // `models:` or `models: []`, perhaps with a comment behind it.
  const valueEnd = isSeq(value) ? (value.range?.[1] ?? keyEnd) : text.indexOf(':', keyEnd) + 1;
  const head = `${text.slice(0, keyEnd).trimEnd()}:`;
  return insertLine(`${head}${text.slice(valueEnd)}`, head.length, entry('  '), newline);
}

/** Returns the entry alone, as a user would write it. */
export function entryText(model: NewModel): string {
  return entryLines(model).join('\n');
}

function entryLines({ id, short, revision, serveArgs, publish }: NewModel): string[] {
  const quoted = (text: string): string => JSON.stringify(text);
  const switches = Object.entries(publish ?? {}).map(([name, isOn]) => `${name}: ${isOn}`);
  return [
    `- id: ${quoted(id)}`,
    `  short: ${quoted(short)}`,
    ...(revision === undefined ? [] : [`  revision: ${quoted(revision)}`]),
    ...(serveArgs === undefined ? [] : [`  serve_args: [${serveArgs.map(quoted).join(', ')}]`]),
    ...(switches.length === 0 ? [] : [`  publish: { ${switches.join(', ')} }`]),
  ];
}

/** After the end of the line that `offset` is in. */
function insertLine(text: string, offset: number, lines: string, newline: string): string {
  const lineEnd = text.indexOf('\n', offset);
  if (lineEnd === -1) return `${endLine(text, newline)}${lines}${newline}`;
  return `${text.slice(0, lineEnd + 1)}${lines}${newline}${text.slice(lineEnd + 1)}`;
}

/** A block's own end is where the next thing begins; its text ends before that. */
function endOfLastItem(list: YAMLSeq, text: string): number {
  const last = list.items.at(-1) as { readonly range?: readonly number[] | null } | undefined;
  const end = last?.range?.[1] ?? list.range?.[1] ?? text.length;
  return text.slice(0, end).trimEnd().length;
}

function dashColumn(list: YAMLSeq, text: string): number {
  const dash = list.range?.[0] ?? 0;
  return dash - (text.lastIndexOf('\n', dash - 1) + 1);
}

function endLine(text: string, newline: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}${newline}`;
}

function inBrackets(model: NewModel, file: string): ConfigError {
  return new ConfigError(`${file} has its models in brackets; \`add\` edits only lists with "- "`, {
    code: 'USAGE',
    subject: file,
    remedy: `Write the list with "- " at the beginning of each item, or add this yourself:\n${entryText(model)}`,
  });
}
