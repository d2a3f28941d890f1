import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml';
import { nearest } from '../../core/text.ts';
import { type ConfigProblem, InvalidConfigError } from '../problems.ts';
import type { SourceText, Span } from './source-text.ts';

/** A document whose every alias stands for something. */
export interface YamlDocument {
  readonly document: Document;
  readonly aliases: ReadonlyMap<Alias, Node>;
  /** Problems that leave the data readable, such as a key written twice. */
  readonly problems: readonly ConfigProblem[];
}

/** Reads one YAML 1.2 document with merge keys and returns it. Throws InvalidConfigError if it has no readable data. */
export function readYamlDocument(text: SourceText): YamlDocument {
  const document = parse(text);
  const faults = firstOfLines([...document.errors, ...document.warnings], ({ pos: [start] }) =>
    text.position(start),
  );
  const problems = firstOfLines(
    faults.map(fault => syntaxProblem(text, document, fault)),
    place => place,
  );
  if (document.errors.some(error => error.code !== 'DUPLICATE_KEY')) throw new InvalidConfigError(problems);
  const { aliases, wrong } = resolveAliases(document, text);
  wrong.push(...wrongMerges(document, aliases, text));
  if (wrong.length > 0) throw new InvalidConfigError([...problems, ...wrong]);
  return { document, aliases, problems };
}

/** Returns the place of a node in the text; undefined if it has none. */
export function spanOf(node: unknown): Span | undefined {
  if (!isNode(node) || !node.range) return undefined;
  return { start: node.range[0], end: node.range[1] };
}

/** Whether a key is the merge key `<<`, which the library reads as a symbol with `merge` on. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

/** The message about a document that is nested more deeply than the parser can follow. */
export const TOO_DEEP = 'not readable: it is nested too deeply';
/** The place of a problem that concerns the whole document. Offsets in UTF-16 units. */
export const START: Span = { start: 0, end: 0 };

function parse(text: SourceText): Document {
  try {
    return parseDocument(text.text, {
      // Named, so that a %YAML 1.1 line does not turn `no` into false.
      schema: 'core',
      merge: true,
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: 'error',
    });
  } catch (error) {
    // The parser recurses; brackets by the ten thousand end its stack.
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidConfigError([text.problem(START, TOO_DEEP)]);
  }
}

function syntaxProblem(
  text: SourceText,
  document: Document,
  { code, pos, message }: YAMLError,
): ConfigProblem {
  const [start, end] = pos;
  switch (code) {
    case 'DUPLICATE_KEY': {
      const key = /^(?:"[^"\n]*"|'[^'\n]*'|[^\s:,{}[\]]+)/.exec(text.text.slice(start))?.[0] ?? '';
      const name = /^["']/.test(key) ? key : `"${key}"`;
      return text.problem(
        { start, end: start + key.length },
        `the key ${name} is defined twice in the same map`,
      );
    }
    case 'TAB_AS_INDENT':
      return text.problem({ start, end }, 'YAML does not allow tabs for indentation: use spaces');
    case 'MULTIPLE_DOCS':
      return text.problem({ start, end: start + 3 }, 'a second document starts here: one file holds one');
    case 'TAG_RESOLVE_FAILED':
      return text.problem({ start, end }, `the tag ${text.text.slice(start, end)} has no meaning here`);
    default: {
      const quote = /Missing closing .*quote/.test(message) ? openQuote(document, start) : undefined;
      if (quote !== undefined) return text.problem(quote, 'this quote is never closed');
      return text.problem({ start, end }, inPlainWords(message));
    }
  }
}

function inPlainWords(message: string): string {
  if (message.includes('call stack')) return TOO_DEEP;
  const bracket = /Flow .* end with a ([}\]])/.exec(message)?.[1];
  if (bracket === undefined) return `not valid YAML: ${message}`;
  return `not valid YAML: ${bracket} is missing before this, or this should be indented more`;
}

/** The quote whose text runs up to `end`: the parser reports it there, far from the slip. */
function openQuote(document: Document, end: number): Span | undefined {
  let quote: Span | undefined;
  visit(document, {
    Scalar(_, node) {
      const span = spanOf(node);
      const isQuoted = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE';
      if (isQuoted && span !== undefined && span.start < end && span.end >= end) quote = span;
    },
  });
  return quote;
}

/**
 * One slip often trips the parser several times on its line: the first says it best. A problem shows its line, so that
 * making one of each of a hundred thousand on one line would take minutes.
 */
function firstOfLines<T>(
  faults: readonly T[],
  placeOf: (fault: T) => Pick<ConfigProblem, 'line' | 'column'>,
): T[] {
  const placed = faults.map(fault => ({ fault, ...placeOf(fault) }));
  const sorted = placed.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return sorted.filter(({ line }, index) => line !== sorted[index - 1]?.line).map(({ fault }) => fault);
}

/** What each alias stands for: the last anchor of that name before it. */
function resolveAliases(
  document: Document,
  text: SourceText,
): { aliases: Map<Alias, Node>; wrong: ConfigProblem[] } {
  const anchors = new Map<string, Node>();
  const aliases = new Map<Alias, Node>();
  const wrong: ConfigProblem[] = [];
  const report = (alias: Alias, message: string, suggestion?: string) =>
    wrong.push(text.problem(spanOf(alias) ?? START, message, suggestion));
  visit(document, {
    Node(_, node, ancestors) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      const target = anchors.get(node.source);
      if (target === undefined) {
        const guess = nearest(node.source, anchors.keys());
        report(node, `no anchor &${node.source} is defined before this`, guess && `*${guess}`);
      } else if (ancestors.includes(target)) report(node, `*${node.source} would contain itself`);
      else aliases.set(node, target);
    },
  });
  return { aliases, wrong };
}

function wrongMerges(
  document: Document,
  aliases: ReadonlyMap<Alias, Node>,
  text: SourceText,
): ConfigProblem[] {
  const wrong: ConfigProblem[] = [];
  const target = (node: unknown) => (isAlias(node) ? aliases.get(node) : node);
  visit(document, {
    Pair(_, { key, value }) {
      if (!isMergeKey(key)) return;
      const merged = target(value);
      const sources = isSeq(merged) ? merged.items.map(target) : [merged];
      if (!sources.every(source => isMap(source))) {
        wrong.push(text.problem(spanOf(key) ?? START, '<< must be a map or a list of maps'));
      }
    },
  });
  return wrong;
}
