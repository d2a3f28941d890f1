import { createRequire } from 'node:module';
import type TypeScript from '../node_modules/ts-json-schema-generator/node_modules/typescript/lib/typescript.d.ts';

// TypeScript 7 has no parser to call yet; the generator of the JSON Schemas brings a version that has.
const generator = createRequire(import.meta.url).resolve('ts-json-schema-generator');
export const ts: typeof TypeScript = createRequire(generator)('typescript');

/** Returns the syntax tree of a TypeScript file's text. */
export function parseSource(text: string, file = 'file.ts'): TypeScript.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

/** Returns the places of all comments in a source, in order. */
export function commentSpans(text: string): [start: number, end: number][] {
  const spans = new Map<number, number>();
  const source = parseSource(text);
  const visit = (node: TypeScript.Node): void => {
    const ranges = [
      ...(ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []),
      ...(ts.getTrailingCommentRanges(text, node.getEnd()) ?? []),
    ];
    for (const { pos, end } of ranges) spans.set(pos, end);
    // Tokens too: a comment may be before a `|`.
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...spans].sort(([a], [b]) => a - b);
}

/** Returns the comments of a source in their lines: code in them and around them is blank. */
export function commentsOf(text: string): string {
  return only(text, commentSpans(text)).replace(/`[^`\n]*`/g, blank);
}

/** Returns what a source says to people in their lines: texts of several words, all else is blank. */
export function messagesOf(text: string): string {
  const spans: [number, number][] = [];
  const visit = (node: TypeScript.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isLiteralTypeNode(node)) return;
    const isText =
      ts.isStringLiteral(node) ||
      ts.isNoSubstitutionTemplateLiteral(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddle(node) ||
      ts.isTemplateTail(node);
    if (isText && /\S\s+\S/.test(node.text)) spans.push([node.getStart(), node.getEnd()]);
    ts.forEachChild(node, visit);
  };
  visit(parseSource(text));
  return only(text, spans);
}

function only(text: string, spans: readonly (readonly [start: number, end: number])[]): string {
  let result = '';
  for (const [start, end] of spans) {
    if (start < result.length) continue;
    result += blank(text.slice(result.length, start)) + text.slice(start, end);
  }
  return result + blank(text.slice(result.length));
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
