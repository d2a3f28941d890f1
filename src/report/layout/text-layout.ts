import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { plainLine } from '../../core/safe-text.ts';

/** Longer texts from outside are cut: none of our sentences comes near. */
const MAX_TEXT = 1000;

/** Returns foreign words made fit to be shown: one line, nothing that moves a cursor or commands a CI runner. */
export function clean(text: string): string {
  return plainLine(text, MAX_TEXT);
}

export { stringWidth as widthOf };

/** Returns `text` (without colors) padded to `width` columns, or cut to it with an ellipsis in its middle. */
export function fitted(text: string, width: number): string {
  return padded(shortened(text, width), width);
}

/** Returns a text with spaces up to `width` columns of a terminal. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

/** Returns `text` cut in the middle, since names of weight files differ at their ends. */
export function shortened(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  if (width < 1) return '';
  const characters = [...text];
  const headWidth = Math.floor((width - 1) / 2);
  const head = taken(characters, headWidth);
  const tail = taken(characters.toReversed(), width - 1 - stringWidth(head));
  return `${head}…${[...tail].reverse().join('')}`;
}

/** Returns `text` cut at its end. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  return width < 1 ? '' : `${taken([...text], width - 1)}…`;
}

function taken(characters: readonly string[], width: number): string {
  let text = '';
  for (const character of characters) {
    if (stringWidth(text + character) > width) break;
    text += character;
  }
  return text;
}

interface Indent {
  readonly columns: number;
  readonly indent: number;
  /** What stands before the first line, at `indent`; the other lines begin where the text after it does. */
  readonly label?: string;
}

/**
 * Returns the lines of a text, wrapped at words. A word longer than a line stays whole: a reference that is broken in
 * two cannot be copied.
 */
export function paragraph(text: string, { columns, indent, label = '' }: Indent): string[] {
  const hanging = indent + stringWidth(label);
  const lines = wrapAnsi(text, Math.max(1, columns - hanging)).split('\n');
  return lines.map(
    (line, index) => `${' '.repeat(index === 0 ? indent : hanging)}${index === 0 ? label : ''}${line}`,
  );
}

/** Returns a time as `0s` for 850 ms, `1m12s` for 72 s, `2h05m` for two hours and a bit. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.floor(Math.max(0, durationMs) / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (hours > 0) return `${hours}h${two(minutes % 60)}m`;
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${seconds}s`;
}

/** Returns a number with its noun: `1 file`, `2 files`, `2 repositories`. */
export function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`;
  return `${count} ${noun.replace(/(?<=[^aeiou])y$/, 'ie')}s`;
}
