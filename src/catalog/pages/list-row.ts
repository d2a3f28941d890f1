import { STATEMENT_NAMES } from '../../attest/statement.ts';
import { holdsWeights } from '../../config/variants.ts';
import type { CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import {
  gpuText,
  newestImages,
  parametersText,
  precisionText,
  sizeText,
  smallestNeed,
  taskText,
  tokensText,
} from '../words.ts';

/** A model in the list, as the page and the script that filters it see it. Empty texts and zeros are not known. */
export interface ListRow {
  readonly short: string;
  readonly id: string;
  readonly license: string;
  readonly task: string;
  readonly parameters: number;
  readonly parametersText: string;
  readonly bytes: number;
  readonly sizeText: string;
  readonly precision: string;
  /** `awq`; `none` for weights that are not quantized. */
  readonly quantization: string;
  readonly context: number;
  readonly contextText: string;
  /** Memory in GB of the smallest GPU that is enough alone; 0 if it takes several. */
  readonly gpuGB: number;
  /** Memory in GB of all GPUs that it takes. */
  readonly gpuTotalGB: number;
  readonly gpuText: string;
  /** In the order of the page, with a space between. */
  readonly variants: string;
  readonly version: string;
  /** `gated`, `private` */
  readonly access: string;
  /** Of the newest scan of its images, the most; -1 if there is none. */
  readonly critical: number;
  readonly high: number;
  /** `ok`, `warn` */
  readonly fit: string;
  readonly isSigned: boolean;
  readonly languages: string;
  /** `2026-11-25` */
  readonly updated: string;
}

/** Returns what the list of models shows of one. */
export function toListRow(model: CatalogModel): ListRow {
  const { facts } = model;
  const current = newestImages(model);
  const scans = current.flatMap(({ scan }) => (scan === null ? [] : [scan.vulnerabilities]));
  const need = smallestNeed(facts.gpus);
  return {
    short: model.short,
    id: model.id,
    license: model.license ?? '',
    task: taskText(facts.task),
    parameters: facts.parameters ?? 0,
    parametersText: parametersText(facts.parameters),
    bytes: model.modelBytes ?? 0,
    sizeText: sizeText(model.modelBytes),
    precision: precisionText(facts),
    quantization: facts.quantization ?? (facts.precision === null ? '' : 'none'),
    context: facts.contextLength ?? 0,
    contextText: tokensText(facts.contextLength),
    gpuGB: need?.count === 1 ? need.memoryGB : 0,
    gpuTotalGB: need === undefined ? 0 : need.count * need.memoryGB,
    gpuText: gpuText(need),
    variants: current.map(({ variant }) => variant).join(' '),
    version: model.version ?? '',
    access: model.access ?? '',
    critical: scans.length === 0 ? -1 : Math.max(...scans.map(({ CRITICAL }) => CRITICAL)),
    high: scans.length === 0 ? -1 : Math.max(...scans.map(({ HIGH }) => HIGH)),
    fit: model.fit?.status === 'refused' ? 'warn' : (model.fit?.status ?? ''),
    isSigned: current.some(({ statements }) => statements.includes(STATEMENT_NAMES.image)),
    languages: facts.languages.join(' '),
    updated: model.updated.slice(0, 10),
  };
}

interface Column {
  readonly key: string;
  readonly name: string;
}

/** The list's columns; `key` is what the script sorts by. */
export const COLUMNS: readonly Column[] = [
  { key: 'name', name: 'Model' },
  { key: 'task', name: 'Task' },
  { key: 'parameters', name: 'Parameters' },
  { key: 'precision', name: 'Precision' },
  { key: 'context', name: 'Context' },
  { key: 'gpu', name: 'GPUs' },
  { key: 'license', name: 'License' },
  { key: 'images', name: 'Images' },
  { key: 'checks', name: 'Checks' },
  { key: 'updated', name: 'First seen' },
];

/**
 * Returns one row. The script fills a copy of an empty one by the names in `data-f`, so that there is one piece of
 * markup for both. Roles are written out: a table whose rows are laid out as cards is a table to readers all the same.
 */
export function listRow(row: ListRow | undefined): Markup {
  const [org, name] = splitId(row?.id ?? '');
  // Its name for cards is in the styles: here it would be a third of the page.
  const cell = (key: string, content: Markup, kind = ''): Markup =>
    html`<td class=${`cell cell-${key}${kind}`} role="cell">${content}</td>`;
  const text = (field: string, value: string | undefined): Markup =>
    html`<span data-f=${field}>${value || '–'}</span>`;
  return html`
    <tr class="row" role="row">
      <th class="row-name" role="rowheader" scope="row">
        <a data-f="link" href=${row === undefined ? '#' : `models/${row.short}.html`}
          ><bdi><span class="org" data-f="org">${org}</span><strong data-f="name">${name}</strong></bdi></a
        >
        <span class="row-sub"><span class="mono quiet" data-f="short">${row === undefined ? '' : `hf-${row.short}`}</span>
        <span class="badge badge-gate" data-f="access" hidden=${row !== undefined && row.access === ''}>${row?.access}</span></span>
      </th>
      ${cell('task', text('task', row?.task))}
      ${cell('parameters', html`${text('parameters', row?.parametersText)} <small class="quiet" data-f="size">${row?.sizeText}</small>`, ' number')}
      ${cell('precision', text('precision', row?.precision))}
      ${cell('context', text('context', row?.contextText), ' number')}
      ${cell('gpu', text('gpu', row?.gpuText), ' number')}
      ${cell('license', html`<span data-f="license" title=${row?.license || undefined}>${row?.license || '–'}</span>`)}
      ${cell('images', html`<span class="chips" data-f="variants">${row === undefined ? null : chips(row.variants)}</span> <small class="mono quiet" data-f="version">${row?.version}</small>`)}
      ${cell('checks', html`<span class="checks" data-f="checks">${row === undefined ? null : checks(row)}</span>`)}
      ${cell('updated', html`<time class="quiet" data-f="updated" datetime=${row?.updated}>${row?.updated}</time>`)}
    </tr>
  `;
}

function chips(variants: string): Markup {
  return variants
    .split(' ')
    .map(
      variant =>
        html`<span class=${`chip chip-${holdsWeights(variant) ? 'fat' : 'slim'}`}>${variant}</span> `,
    );
}

/** As `checksOf` in list.js. */
function checks(row: ListRow): Markup {
  return checkWords(row).map(
    ({ kind, words }) => html`<span class=${`check check-${kind}`}>${words}</span> `,
  );
}

interface CheckWords {
  readonly kind: 'good' | 'note' | 'bad' | 'none';
  readonly words: string;
}

function checkWords({ isSigned, critical, high, fit }: ListRow): CheckWords[] {
  return [
    ...(isSigned ? [{ kind: 'good', words: 'signed' } as const] : []),
    critical > 0
      ? { kind: 'bad', words: `${critical} critical` }
      : high > 0
        ? { kind: 'note', words: `${high} high` }
        : critical === 0
          ? { kind: 'good', words: 'scanned' }
          : { kind: 'none', words: 'not scanned' },
    ...(fit === 'warn' ? [{ kind: 'bad', words: 'may not run' } as const] : []),
    ...(fit === 'ok' ? [{ kind: 'good', words: 'fits' } as const] : []),
  ];
}

/**
 * Returns the two halves of an id: `Qwen/` and `Qwen2.5` of `Qwen/Qwen2.5`. The first is empty if the id has no
 * organization.
 */
export function splitId(id: string): [org: string, name: string] {
  const slash = id.indexOf('/') + 1;
  return [id.slice(0, slash), id.slice(slash)];
}

/** What a row is to the script, in this order: names would double its size. */
const FIELDS = [
  'short',
  'id',
  'license',
  'task',
  'parameters',
  'parametersText',
  'bytes',
  'sizeText',
  'precision',
  'quantization',
  'context',
  'contextText',
  'gpuGB',
  'gpuTotalGB',
  'gpuText',
  'variants',
  'version',
  'access',
  'critical',
  'high',
  'fit',
  'isSigned',
  'languages',
  'updated',
] as const satisfies readonly (keyof ListRow)[];

/** Returns the rows for the script, as short as they can be: an assignment, since `file://` pages may not fetch JSON. */
export function listScript(rows: readonly ListRow[]): string {
  const values = rows.map(row => FIELDS.map(field => row[field]));
  return `window.weighbridgeRows=${JSON.stringify({ fields: FIELDS, rows: values })};\n`;
}
