/** A run of characters of one style. */
export interface Span {
  readonly text: string;
  /** Index into the 16 colors of a terminal; undefined is the default color. */
  readonly color: number | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

type Style = Omit<Span, 'text'>;

const PLAIN: Style = { color: undefined, isBold: false, isDim: false };
// biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins a sequence.
const SEQUENCE = /\x1b\[([\d;]*)m|\x1b\[[\d;?]*[A-Za-z]|\x0f/g;

/** Returns the spans of a line that `tmux capture-pane -e` wrote. Only the sequences for color, bold and dim are known. */
export function parseStyledLine(line: string, start: Style = PLAIN): { spans: Span[]; style: Style } {
  const spans: Span[] = [];
  let style = start;
  let from = 0;
  const add = (text: string): void => {
    if (text !== '') spans.push({ text, ...style });
  };
  for (const match of line.matchAll(SEQUENCE)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) style = restyle(style, match[1]);
  }
  add(line.slice(from));
  return { spans, style };
}

function restyle(style: Style, codes: string): Style {
  let next = style;
  for (const code of codes.split(';').map(Number)) {
    if (code === 0) next = PLAIN;
    else if (code === 1) next = { ...next, isBold: true };
    else if (code === 2) next = { ...next, isDim: true };
    else if (code === 22) next = { ...next, isBold: false, isDim: false };
    else if (code === 39) next = { ...next, color: undefined };
    else if (code >= 30 && code <= 37) next = { ...next, color: code - 30 };
    else if (code >= 90 && code <= 97) next = { ...next, color: code - 82 };
  }
  return next;
}
