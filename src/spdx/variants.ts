import { createHash } from 'node:crypto';
import { SPDX_VARIANTS } from './spdx-variants.ts';

/** Words of a license that may be other ones. */
export interface Variant {
  readonly start: number;
  /** The first word that is not among them. */
  readonly end: number;
  /** What may be there in their place; empty for nothing, `*` for a name that is filled in. */
  readonly instead: readonly (readonly string[])[];
}

/** Returns a checksum of words, which tells whether variants were made for them. */
export function checksum(words: readonly string[]): string {
  return createHash('sha256').update(words.join(' ')).digest('hex').slice(0, 8);
}

const LINES = new Map(
  SPDX_VARIANTS.split('\n')
    .filter(line => line !== '')
    .map(line => [line.slice(0, line.indexOf(' ')), line]),
);

/**
 * Returns where SPDX's template of a license lets its text vary; none if the text has been changed since they were
 * generated.
 */
export function variantsOf(id: string, words: readonly string[]): readonly Variant[] {
  const [, made, marks = ''] = /^\S+ (\S+) (.*)$/.exec(LINES.get(id) ?? '') ?? [];
  if (made !== checksum(words)) return [];
  return marks.split(';').map(mark => {
    const [, start = '0', end = '0', instead = ''] = /^(\d+)-(\d+):(.*)$/.exec(mark) ?? [];
    return {
      start: Number(start),
      end: Number(end),
      instead: instead.split('|').map(words => words.split(' ').filter(word => word !== '')),
    };
  });
}
