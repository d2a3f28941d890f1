import { styleText } from 'node:util';

type Paint = (text: string) => string;

/** Paints texts by what they mean. */
export interface Style {
  readonly good: Paint;
  readonly bad: Paint;
  readonly notable: Paint;
  readonly quiet: Paint;
  readonly strong: Paint;
}

const PLAIN: Style = { good: same, bad: same, notable: same, quiet: same, strong: same };

const COLORED: Style = {
  good: paint('green'),
  bad: paint('red'),
  notable: paint('yellow'),
  quiet: paint('dim'),
  strong: paint('bold'),
};

/** Returns what paints texts for a terminal; without color they stay as they are. */
export function styleFor(isColor: boolean): Style {
  return isColor ? COLORED : PLAIN;
}

function paint(format: Parameters<typeof styleText>[0]): Paint {
  // Whether there is color has been decided already, for the stream that the text goes to.
  return text => styleText(format, text, { validateStream: false });
}

function same(text: string): string {
  return text;
}
