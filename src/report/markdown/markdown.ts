import { plainLine } from '../../core/safe-text.ts';

/** Foreign words as they are, whatever Markdown would make of them; no one is mentioned by an `@` in them. */
export function mdText(text: string, maxLength = 300): string {
  return plainLine(text, maxLength)
    .replace(/[\\`*_[\]<>|#~$]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('@', '&#64;');
}

/** In a monospace font, also inside a table. */
export function mdCode(text: string): string {
  const line = plainLine(text, 400);
  const ticks = [...line.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(0, ...ticks) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line.replaceAll('|', '\\|')}${pad}${fence}`;
}

/** Returns a link, with its text made safe. */
export function mdLink(text: string, address: string): string {
  return `[${mdText(text)}](${encodeURI(address).replaceAll('(', '%28').replaceAll(')', '%29')})`;
}

/** A column of a Markdown table. */
export interface MdColumn {
  readonly title: string;
  readonly isNumber?: boolean;
}

/** Cells are Markdown already. No line break at the end. */
export function mdTable(columns: readonly MdColumn[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(column => column.title)),
    line(columns.map(column => (column.isNumber ? '--:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

/** A block that is folded until somebody opens it. */
export function mdDetails(title: string, body: string): string {
  return `<details><summary>${title}</summary>\n\n${body}\n\n</details>`;
}

/** Returns a fenced block of code that its text cannot end. */
export function mdFence(language: string, code: string): string {
  return `\`\`\`${language}\n${code}\n\`\`\``;
}
