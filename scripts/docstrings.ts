import type TypeScript from '../node_modules/ts-json-schema-generator/node_modules/typescript/lib/typescript.d.ts';
import { parseSource, ts } from './source.ts';

/** A declaration that other modules can import. */
export interface Exported {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  /** Its docstring without stars; undefined if it has none. */
  readonly doc: string | undefined;
  /** Whether a `throw` in its own body may leave it: one inside of a `try` with a `catch` may not. */
  readonly throws: boolean;
}

/** Returns the declarations that a module exports by their own `export`, in order; re-exports are not among them. */
export function exportedOf(text: string): Exported[] {
  const source = parseSource(text);
  return source.statements.flatMap((statement): Exported[] => {
    if (!isExported(statement)) return [];
    const line = source.getLineAndCharacterOfPosition(statement.getStart()).line + 1;
    const doc = docOf(statement, text);
    return namesOf(statement).map(name => ({ name, line, doc, throws: mayThrow(statement) }));
  });
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
  const range = ts.getLeadingCommentRanges(text, node.getFullStart())?.at(-1);
  const comment = range === undefined ? '' : text.slice(range.pos, range.end);
  return comment.startsWith('/**')
    ? comment
        .slice(3, -2)
        .replaceAll(/^\s*\* ?/gm, '')
        .trim()
    : undefined;
}

/** Of functions alone: what a class's methods throw is said at each of them. */
function mayThrow(statement: TypeScript.Statement): boolean {
  const bodies = ts.isVariableStatement(statement)
    ? statement.declarationList.declarations.flatMap(({ initializer }) =>
        initializer !== undefined && ts.isArrowFunction(initializer) ? [initializer.body] : [],
      )
    : ts.isFunctionDeclaration(statement) && statement.body !== undefined
      ? [statement.body]
      : [];
  return bodies.some(hasThrow);
}

function hasThrow(node: TypeScript.Node): boolean {
  if (ts.isThrowStatement(node)) return true;
  // What is thrown there is thrown when that function is called, which may be elsewhere.
  if (ts.isFunctionLike(node)) return false;
  if (ts.isTryStatement(node) && node.catchClause !== undefined)
    return hasThrow(node.catchClause) || (node.finallyBlock !== undefined && hasThrow(node.finallyBlock));
  return ts.forEachChild(node, child => hasThrow(child) || undefined) ?? false;
}
