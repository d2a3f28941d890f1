import { html, type Markup } from '../html.ts';

interface TableColumn {
  readonly name: string;
  readonly isNumber?: boolean;
  /** Heads its row. */
  readonly isHead?: boolean;
}

/**
 * Returns a table whose rows are cards on a narrow page, each value with the name of its column before it. Roles are written
 * out, so that it stays a table to readers whatever it is laid out as.
 */
export function dataTable(
  label: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly Markup[])[],
): Markup {
  return html`
    <table class="data" role="table" aria-label=${label}>
      <thead role="rowgroup">
        <tr role="row">${columns.map(column => html`<th scope="col" role="columnheader" class=${column.isNumber ? 'number' : undefined}>${column.name}</th>`)}</tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map(cells => html`<tr role="row">${columns.map((column, index) => cell(column, cells[index]))}</tr>`)}
      </tbody>
    </table>
  `;
}

function cell({ name, isNumber, isHead }: TableColumn, content: Markup): Markup {
  const kind = isNumber ? 'number' : undefined;
  return isHead
    ? html`<th role="rowheader" scope="row" class=${kind} data-label=${name}>${content}</th>`
    : html`<td role="cell" class=${kind} data-label=${name}>${content}</td>`;
}
