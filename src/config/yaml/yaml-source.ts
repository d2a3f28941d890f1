import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
} from 'yaml';
import { type ConfigProblem, InvalidConfigError } from '../problems.ts';
import { SourceText, type Span } from './source-text.ts';
import { isMergeKey, readYamlDocument, START, spanOf, TOO_DEEP } from './yaml-document.ts';

/** The keys and indexes (from 0) that lead to a value. */
export type Path = readonly (string | number)[];

/** How often one anchor may be used, uses within uses multiplied: far above what people write, far below a bomb. */
const MAX_ALIAS_COUNT = 10_000;

/** A YAML file as plain data that can still say where each piece of it was written. */
export class YamlSource {
  readonly value: unknown;
  /** Problems that leave the data readable, such as a key written twice. */
  readonly problems: readonly ConfigProblem[];
  readonly #text: SourceText;
  readonly #root: Node | null;
  readonly #aliases: ReadonlyMap<Alias, Node>;

  /** Throws InvalidConfigError if no data can be had from the text. */
  constructor(text: string, file: string) {
    this.#text = new SourceText(text, file);
    const { document, aliases, problems } = readYamlDocument(this.#text);
    this.problems = problems;
    this.#root = document.contents;
    this.#aliases = aliases;
    this.value = this.#plainData(document);
  }

  /** The name of the file in errors. */
  get file(): string {
    return this.#text.file;
  }

  /** As `SourceText.problem`. */
  problem(span: Span, message: string, suggestion?: string): ConfigProblem {
    return this.#text.problem(span, message, suggestion);
  }

  /** Line and column, from 1, of the value at `path`. */
  position(path: Path): { line: number; column: number } {
    return this.#text.position(this.locate(path).start);
  }

  /** Where the value at `path` stands; its key if nothing is written behind it, its parent if it is missing. */
  locate(path: Path): Span {
    let node = this.#root;
    let span = spanOf(node) ?? START;
    for (const step of path) {
      const found = this.#step(node, step);
      if (found === undefined) break;
      node = found.value;
      const written = spanOf(node);
      const isEmpty = written === undefined || written.start === written.end;
      span = (isEmpty ? spanOf(found.key) : written) ?? span;
    }
    return span;
  }

  /** Where `key` of the mapping at `path` is written; as `locate(path)` if it is not. */
  locateKey(path: Path, key: string): Span {
    return spanOf(this.#pairOf(this.#nodeAt(path), key)?.key) ?? this.locate(path);
  }

  /** What is written at `path`, without quotes: `0.90` where the data has 0.9. */
  textAt(path: Path): string {
    const node = this.#nodeAt(path);
    if (isScalar(node) && node.source !== undefined) return node.source;
    const { start, end } = spanOf(node) ?? START;
    return this.#text.text.slice(start, end).trim();
  }

  #plainData(document: Document): unknown {
    try {
      return document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    } catch (error) {
      const isTooDeep = error instanceof RangeError;
      const [alias] = isTooDeep ? [] : this.#aliases.keys();
      const message = isTooDeep ? TOO_DEEP : 'not readable: its aliases stand for too much';
      throw new InvalidConfigError([...this.problems, this.problem(spanOf(alias) ?? START, message)]);
    }
  }

  #nodeAt(path: Path): Node | null {
    let node = this.#root;
    for (const step of path) node = this.#step(node, step)?.value ?? null;
    return this.#target(node);
  }

  #step(from: Node | null, step: string | number): { key?: Node; value: Node | null } | undefined {
    const node = this.#target(from);
    if (isSeq(node)) return typeof step === 'number' ? { value: asNode(node.items[step]) } : undefined;
    const pair = this.#pairOf(node, String(step));
    return pair && { key: pair.key, value: asNode(pair.value) };
  }

  /** The pair of a map, of its own or merged into it. */
  #pairOf(from: Node | null, key: string): Pair<Node> | undefined {
    const map = this.#target(from);
    if (!isMap(map)) return undefined;
    const pairs = map.items.filter((pair): pair is Pair<Node> => isPair(pair) && isNode(pair.key));
    const own = pairs.findLast(pair => this.#keyText(pair.key) === key);
    return own ?? pairs.filter(pair => isMergeKey(pair.key)).flatMap(pair => this.#mergedPair(pair, key))[0];
  }

  #mergedPair({ value }: Pair<Node>, key: string): Pair<Node>[] {
    const merged = this.#target(asNode(value));
    const sources = isSeq(merged) ? merged.items : [merged];
    return sources.flatMap(source => this.#pairOf(asNode(source), key) ?? []);
  }

  #keyText(key: Node): string | undefined {
    const node = this.#target(key);
    return isScalar(node) && !isMergeKey(node) ? String(node.value ?? '') : undefined;
  }

  #target(node: Node | null): Node | null {
    return isAlias(node) ? (this.#aliases.get(node) ?? null) : node;
  }
}

function asNode(value: unknown): Node | null {
  return isNode(value) ? value : null;
}
