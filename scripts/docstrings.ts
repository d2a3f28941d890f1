import type TypeScript from '../node_modules/ts-json-schema-generator/node_modules/typescript/lib/typescript.d.ts';
import { commentSpans, parseSource, ts } from './source.ts';

const SAYS_RETURNS = /\b(?:[Rr]eturns?|[Yy]ields?|Whether)\b/;
const SAYS_THROWS = /\b(?:[Tt]hrows?|[Rr]ejects?)\b/;
const CODE = /(?<=')[A-Z]+_[A-Z_]+(?=')/g;
const NO_RESULT = /^(?:void|never|Promise<void>|Promise<never>|asserts .*)$/s;

/** A declaration that other modules can import. */
export interface Exported {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  /** Its docstring without stars; undefined if it has none. */
  readonly doc: string | undefined;
  /** Whether it is a function with a result. */
  readonly returns: boolean;
  /** Whether a `throw` in its own body may leave it: one inside of a `try` with a `catch` may not. */
  readonly throws: boolean;
  /** The codes that its own `throw`s spell out, such as `CONFIG_INVALID`. */
  readonly codes: readonly string[];
}

/** A method of a class that a module exports, that callers can see. */
export interface PublicMethod extends Exported {
  /** Of its class: what it implements or extends. */
  readonly parents: readonly string[];
}

/** Members that have a docstring, by the name of their interface. */
export type DocumentedMembers = ReadonlyMap<string, ReadonlySet<string>>;

/** Returns the declarations that a module exports by their own `export`, in order; re-exports are not among them. */
export function exportedOf(text: string): Exported[] {
  const source = parseSource(text);
  return source.statements.flatMap((statement): Exported[] => {
    if (!isExported(statement)) return [];
    const line = source.getLineAndCharacterOfPosition(statement.getStart()).line + 1;
    const doc = docOf(statement, text);
    const facts = factsOf(functionsOf(statement));
    return namesOf(statement).map(name => ({ name, line, doc, ...facts }));
  });
}

/** Returns the public methods of exported classes, as `Class.method`. Accessors are not among them: they are like fields. */
export function publicMethodsOf(text: string): PublicMethod[] {
  const source = parseSource(text);
  return source.statements.flatMap((statement): PublicMethod[] => {
    if (!ts.isClassDeclaration(statement) || !isExported(statement)) return [];
    const parents = (statement.heritageClauses ?? []).flatMap(({ types }) =>
      types.map(({ expression }) => expression.getText()),
    );
    return statement.members.filter(isPublicMethod).map(method => ({
      name: `${statement.name?.text}.${method.name.getText()}`,
      line: source.getLineAndCharacterOfPosition(method.getStart()).line + 1,
      doc: docOf(method, text),
      parents,
      ...factsOf([method]),
    }));
  });
}

/** Returns the members of a module's interfaces that have a docstring. */
export function documentedMembersOf(text: string): DocumentedMembers {
  return new Map(
    parseSource(text)
      .statements.filter(ts.isInterfaceDeclaration)
      .map(({ name, members }) => [
        name.text,
        new Set(
          members.flatMap(member =>
            docOf(member, text) === undefined ? [] : (member.name?.getText() ?? []),
          ),
        ),
      ]),
  );
}

/** Returns the lines of docstrings with another one in the next line, so that no symbol has them. */
export function strayDocsOf(text: string): number[] {
  const spans = commentSpans(text).filter(([start]) => text.startsWith('/**', start));
  return spans.flatMap(([start, end], index) => {
    const [next] = spans[index + 1] ?? [];
    const isStray = next !== undefined && /^[ \t]*\n[ \t]*$/.test(text.slice(end, next));
    return isStray ? [text.slice(0, start).split('\n').length] : [];
  });
}

/** Returns what a docstring lacks, each to be read after the symbol's name; empty if nothing. */
export function faultsOf({ doc, returns, throws, codes }: Exported): string[] {
  if (doc === undefined) return ['has no docstring'];
  return [
    ...(returns && !SAYS_RETURNS.test(doc) ? ['does not say what it returns'] : []),
    ...(throws && !SAYS_THROWS.test(doc) ? ['throws and does not say so'] : []),
    ...codes.filter(code => !doc.includes(code)).map(code => `throws ${code} and does not say so`),
  ];
}

/**
 * Returns what the docstring of a method lacks. A method needs none if its interface has one for it, or if it returns
 * nothing and throws nothing of its own.
 */
export function methodFaultsOf(method: PublicMethod, documented: DocumentedMembers): string[] {
  const { name, doc, parents, returns, throws } = method;
  const member = name.slice(name.indexOf('.') + 1);
  if (doc === undefined) {
    const isInherited = parents.some(parent => documented.get(parent)?.has(member));
    return isInherited || !(returns || throws) ? [] : ['has no docstring'];
  }
  // "False if nothing is left" says what is returned too.
  return faultsOf({ ...method, returns: false });
}

function isPublicMethod(member: TypeScript.ClassElement): member is TypeScript.MethodDeclaration {
  if (!ts.isMethodDeclaration(member) || ts.isPrivateIdentifier(member.name)) return false;
  // What overrides is told where it is first declared, which may be in a package.
  const hidden = [
    ts.SyntaxKind.PrivateKeyword,
    ts.SyntaxKind.ProtectedKeyword,
    ts.SyntaxKind.OverrideKeyword,
  ];
  return !(ts.getModifiers(member)?.some(({ kind }) => hidden.includes(kind)) ?? false);
}

function isExported(node: TypeScript.Statement): boolean {
  if (!ts.canHaveModifiers(node)) return false;
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
}

function namesOf(node: TypeScript.Statement): string[] {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.map(({ name }) => name.getText());
  const isNamed =
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node);
  return isNamed && node.name !== undefined ? [node.name.text] : [];
}

function docOf(node: TypeScript.Node, text: string): string | undefined {
  const comments = ts.getLeadingCommentRanges(text, node.getFullStart()) ?? [];
  // Between a docstring and its symbol there may be a line for a tool, such as `// biome-ignore`.
  const comment = comments.map(({ pos, end }) => text.slice(pos, end)).findLast(one => one.startsWith('/**'));
  return comment
    ?.slice(3, -2)
    .replaceAll(/^\s*\* ?/gm, '')
    .trim();
}

type Callable = TypeScript.FunctionDeclaration | TypeScript.ArrowFunction | TypeScript.MethodDeclaration;

function factsOf(functions: readonly Callable[]): Pick<Exported, 'returns' | 'throws' | 'codes'> {
  const thrown = functions.flatMap(({ body }) => (body === undefined ? [] : throwsIn(body)));
  return {
    returns: functions.some(hasResult),
    throws: thrown.length > 0,
    codes: [...new Set(thrown.flatMap(one => one.getText().match(CODE) ?? []))],
  };
}

/** Of functions alone: what a class's methods do is said at each of them. */
function functionsOf(statement: TypeScript.Statement): Callable[] {
  if (ts.isFunctionDeclaration(statement)) return [statement];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.flatMap(({ initializer }) =>
    initializer !== undefined && ts.isArrowFunction(initializer) ? [initializer] : [],
  );
}

function hasResult({ type, body }: Callable): boolean {
  if (type !== undefined) return !NO_RESULT.test(type.getText());
  return body !== undefined && (!ts.isBlock(body) || returnsValue(body));
}

function returnsValue(node: TypeScript.Node): boolean {
  if (ts.isReturnStatement(node)) return node.expression !== undefined;
  if (ts.isFunctionLike(node)) return false;
  return ts.forEachChild(node, child => returnsValue(child) || undefined) ?? false;
}

function throwsIn(node: TypeScript.Node): TypeScript.ThrowStatement[] {
  if (ts.isThrowStatement(node)) return [node];
  // What is thrown there is thrown when that function is called, which may be elsewhere.
  if (ts.isFunctionLike(node)) return [];
  const found: TypeScript.ThrowStatement[] = [];
  const isCaught = ts.isTryStatement(node) && node.catchClause !== undefined;
  ts.forEachChild(node, child => {
    if (!isCaught || child !== node.tryBlock) found.push(...throwsIn(child));
  });
  return found;
}
