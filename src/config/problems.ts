import { ConfigError } from '../core/errors.ts';

/** One thing that is wrong with `models.yaml`, and where. */
export interface ConfigProblem {
  /** As the user named it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
  readonly message: string;
  /** The text at that place, its first line; empty if something is missing there. */
  readonly offendingText: string;
  /** What to write instead. */
  readonly suggestion?: string;
  /** The whole line that `column` counts in. */
  readonly sourceLine: string;
}

/** Everything that is wrong with a file at once; the message has every problem with its line of the file. */
export class InvalidConfigError extends ConfigError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const [first] = problems;
    super(problems.map(renderProblem).join('\n\n'), {
      code: 'CONFIG_INVALID',
      ...(first === undefined ? {} : { subject: placeOf(first) }),
    });
    this.problems = problems;
  }
}

/** Returns the problem on one line, then the line of the file and a caret under the place. */
function renderProblem(problem: ConfigProblem): string {
  const { message, suggestion, sourceLine } = problem;
  const advice = suggestion === undefined ? '' : ` — did you mean ${asWritten(suggestion)}?`;
  const lines = [`${placeOf(problem)}: ${message}${advice}`];
  if (sourceLine.trim() !== '') lines.push(...excerpt(problem));
  return lines.join('\n');
}

function placeOf({ file, line, column }: ConfigProblem): string {
  return `${file}:${line}:${column}`;
}

/** Names are in quotes; what would change its meaning in quotes (`true`, a list) stands as it is. */
function asWritten(suggestion: string): string {
  return /^(?:["[]|(?:true|false|null|auto)$)/.test(suggestion) ? suggestion : `"${suggestion}"`;
}

const WINDOW_COLUMNS = 100;

function excerpt({ sourceLine, column, offendingText }: ConfigProblem): string[] {
  // A long line (a flow map, a chat template) is shown around the place only.
  const start = column <= WINDOW_COLUMNS ? 0 : column - 1 - WINDOW_COLUMNS / 2;
  const shown = sourceLine.slice(start, start + WINDOW_COLUMNS + WINDOW_COLUMNS / 2);
  const before = shown.slice(0, column - 1 - start).replaceAll(/[^\t]/g, ' ');
  const width = Math.max(1, Math.min(offendingText.length, shown.length - before.length));
  return [`    ${shown}`, `    ${before}${'^'.repeat(width)}`];
}
