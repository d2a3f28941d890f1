import { plainLine, plainLines } from '../../core/safe-text.ts';

/** Returns foreign words escaped for Markdown; an `@` in them mentions no one. */
export function mdText(text: string, maxLength = 300): string {
  return plainLine(text, maxLength)
    .replace(/[\\`*_[\]<>|#~$]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('@', '&#64;');
}

/** Returns a code span, also inside a table. */
export function mdCode(text: string): string {
  const line = plainLine(text, 400);
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line.replaceAll('|', '\\|')}${pad}${fence}`;
}

/** Returns a link, with its text made safe; an `@` in its address mentions no one, as in `mdText`. */
export function mdLink(text: string, address: string): string {
  // Half a surrogate pair, which JSON may have, cannot be encoded.
  const uri = encodeURI(address.toWellFormed());
  return `[${mdText(text)}](${uri.replaceAll('(', '%28').replaceAll(')', '%29').replaceAll('@', '%40')})`;
}

/** A column of a Markdown table. */
export interface MdColumn {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** Returns a table; its cells are Markdown already. No line break at the end. */
export function mdTable(columns: readonly MdColumn[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(column => column.title)),
    line(columns.map(column => (column.isNumber ? '--:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

/** Returns a block that is folded until somebody opens it. */
export function mdDetails(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

/** Returns a fenced block of code that its text cannot end. */
export function mdFence(language: string, code: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(code) + 1));
  return `${fence}${language}\n${plainLines(code)}\n${fence}`;
}

/** Of backticks in a text. */
function longestRun(text: string): number {
  return [...text.matchAll(/`+/g)].reduce((longest, [run]) => Math.max(longest, run.length), 0);
}
