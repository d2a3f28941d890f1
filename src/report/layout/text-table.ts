import { padded, shortened, widthOf } from './text-layout.ts';

/** A column of a table for terminals. */
export interface Column {
  readonly title: string;
  /** To what width the column may shrink; it may not where this is absent. */
  readonly minWidth?: number;
}

const GAP = '  ';

/**
 * Returns lines of a table with a head, first the head; undefined if it does not fit into `columns`. `paint` colors a
 * finished cell, whose own text it gets as well.
 */
export function textTable(
  head: readonly Column[],
  rows: readonly (readonly string[])[],
  columns: number,
  paint: (cell: string, text: string) => string,
): string[] | undefined {
  const widths = fitWidths(head, naturalWidths(head, rows), columns);
  if (widths === undefined) return undefined;
  const line = (cells: readonly string[], finish: typeof paint): string =>
    cells
      .map((text, index) => {
        const width = widths[index] ?? 0;
        const cell = shortened(text, width);
        return finish(index === cells.length - 1 ? cell : padded(cell, width), text);
      })
      .join(GAP);
  const titles = head.map(column => column.title);
  return [line(titles, cell => cell), ...rows.map(cells => line(cells, paint))];
}

function naturalWidths(head: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return head.map(({ title }, index) =>
    Math.max(widthOf(title), ...rows.map(cells => widthOf(cells[index] ?? ''))),
  );
}

function fitWidths(
  head: readonly Column[],
  natural: readonly number[],
  columns: number,
): readonly number[] | undefined {
  const gaps = GAP.length * (head.length - 1);
  let excess = natural.reduce((sum, width) => sum + width, gaps) - columns;
  const widths = natural.map((width, index) => {
    const least = head[index]?.minWidth;
    if (excess <= 0 || least === undefined || width <= least) return width;
    const shrunk = Math.max(least, width - excess);
    excess -= width - shrunk;
    return shrunk;
  });
  return excess > 0 ? undefined : widths;
}
