import { formatBytes } from '../../core/text.ts';
import type { LsImageJson, LsJson } from '../json/ls-json.ts';
import { clean, counted, paragraph } from '../layout/text-layout.ts';
import { textTable } from '../layout/text-table.ts';
import { styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';

const HEAD = [
  { title: 'MODEL', minWidth: 10 },
  { title: 'VARIANT' },
  { title: 'VERSION', minWidth: 8 },
  { title: 'REVISION' },
  { title: 'SIZE' },
  { title: 'SIGNED' },
  { title: 'SCANNED' },
  { title: 'WHERE', minWidth: 12 },
];

/** Returns a table of what registries hold, for people. No line break at its end. */
export function lsReport({ models }: LsJson, { columns, isColor }: TextOptions): string {
  const style = styleFor(isColor);
  const problems = models.flatMap(({ problems: of }) => of);
  const rows = models.flatMap(({ short, images }) =>
    images.flatMap(image => rowsOf(short, image)).map(row => row.map(clean)),
  );
  const noProblem = problems.flatMap(text => paragraph(clean(text), { columns, indent: 0 }).map(style.bad));
  // What could not be read may well be published.
  if (rows.length === 0) return problems.length > 0 ? noProblem.join('\n') : 'Nothing is published.';
  const table = textTable(HEAD, rows, columns, cell => cell);
  const lines =
    table ?? rows.flatMap(row => paragraph(row.filter(Boolean).join('  '), { columns, indent: 0 }));
  const [head = '', ...rest] = lines;
  return [...(table ? [style.quiet(head), ...rest] : lines), ...noProblem].join('\n');
}

/** A row for each place: several in one would be cut, and the columns before them are the same. */
function rowsOf(short: string, image: LsImageJson): string[][] {
  const cells = [short, ...cellsOf(image)];
  const places = image.places.map(({ repository, tags }) => `${repository} (${counted(tags.length, 'tag')})`);
  const [first = '', ...others] = places;
  return [[...cells, first], ...others.map(place => [...cells.map(() => ''), place])];
}

function cellsOf({ variant, version = '', revision, sizeBytes, isSigned, isScanned }: LsImageJson): string[] {
  const yes = (is: boolean): string => (is ? 'yes' : 'no');
  return [variant, version, revision.slice(0, 8), formatBytes(sizeBytes), yes(isSigned), yes(isScanned)];
}
