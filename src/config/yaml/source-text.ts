import { LineCounter } from 'yaml';
import { visible } from '../../core/safe-text.ts';
import type { ConfigProblem } from '../problems.ts';

/** A stretch of the text, in UTF-16 units from 0; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A file's text that knows its lines and reports problems in them. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  readonly #lines = new LineCounter();

  constructor(text: string, file: string) {
    this.file = file;
    // A byte order mark is not a column of the first line.
    this.text = text.startsWith('\uFEFF') ? text.slice(1) : text;
    this.#lines.addNewLine(0);
    for (const { index } of this.text.matchAll(/\n/g)) this.#lines.addNewLine(index + 1);
  }

  /** Returns a problem at `span`, with its line and all foreign text made safe to show. */
  problem(span: Span, message: string, suggestion?: string): ConfigProblem {
    const { line, column } = this.position(span.start);
    return {
      file: this.file,
      line,
      column,
      message: presentable(message),
      offendingText: presentable(firstLine(this.text.slice(span.start, span.end))),
      ...(suggestion === undefined ? {} : { suggestion: presentable(suggestion) }),
      sourceLine: presentable(this.#line(line)),
    };
  }

  /** Both from 1. */
  position(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }

  #line(line: number): string {
    return firstLine(this.text.slice(this.#startOf(line)));
  }

  #startOf(line: number): number {
    return this.#lines.lineStarts[line - 1] ?? 0;
  }
}

function firstLine(text: string): string {
  return (/^[^\n]*/.exec(text)?.[0] ?? '').trimEnd();
}

const PASSWORD_IN_ADDRESS = /(?<=:)[^\s:@"'/]+(?=@(?!sha256:))/g;
const TOKEN = /(?<=(?:hf|gh[a-z]|github_pat|dckr_pat)_)\w{12,}/g;

/** Fit for a terminal and a log, and of the same length so that columns stay right. */
function presentable(text: string): string {
  return visible(text)
    .replaceAll(PASSWORD_IN_ADDRESS, secret => '*'.repeat(secret.length))
    .replaceAll(TOKEN, secret => '*'.repeat(secret.length));
}
