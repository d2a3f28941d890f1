import { holdsWeights } from '../../config/variants.ts';
import { formatBytes } from '../../core/text.ts';
import type { CatalogImage, CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';

/** A model in the list, as the page and the script that filters it see it. */
export interface ListRow {
  readonly short: string;
  readonly id: string;
  readonly license: string;
  /** In words; empty if it is not known. */
  readonly size: string;
  readonly bytes: number;
  /** The model's part of the fat image in percent; 0 if there is none. */
  readonly share: number;
  readonly isFat: boolean;
  readonly version: string;
  /** `2026-11-25` */
  readonly updated: string;
}

export function toListRow(model: CatalogModel): ListRow {
  const fat = model.images.find(image => holdsWeights(image.variant) && image.isCurrent);
  return {
    short: model.short,
    id: model.id,
    license: model.license ?? '',
    size: model.modelBytes === null ? '' : formatBytes(model.modelBytes),
    bytes: model.modelBytes ?? 0,
    share: fat === undefined ? 0 : modelShare(fat),
    isFat: fat !== undefined,
    version: model.version ?? '',
    updated: model.updated.slice(0, 10),
  };
}

/** At least 1, so that it can be seen. */
function modelShare({ platforms }: CatalogImage): number {
  const size = platforms[0]?.size;
  if (size === undefined || size.total === 0) return 0;
  return Math.max(1, Math.round(((size.total - size.base) / size.total) * 100));
}

/**
 * One row. The script fills a copy of an empty one by the names in `data-f`, so that there is one piece of markup for
 * both.
 */
export function listRow(row: ListRow | undefined): Markup {
  const [org, name] = splitId(row?.id ?? '');
  return html`
    <li class="row">
      <div class="row-name">
        <a data-f="link" href=${row === undefined ? '#' : `models/${row.short}.html`}
          ><span class="org" data-f="org">${org}</span><strong data-f="name">${name}</strong></a
        >
        <span class="mono quiet" data-f="short">${row === undefined ? '' : `hf-${row.short}`}</span>
      </div>
      <div class="row-cell row-license" data-f="license">${row?.license || 'no license named'}</div>
      <div class="row-cell row-variants">
        <span class="chip chip-fat" data-f="fat" hidden=${row !== undefined && !row.isFat}>fat</span>
        <span class="chip">slim</span>
      </div>
      <div class="row-cell row-version mono" data-f="version">${row?.version}</div>
      <div class="row-size">
        <span data-f="size">${row?.size || '–'}</span>
        <span class="share" data-f="share" hidden=${row !== undefined && row.share === 0} style=${`--share:${row?.share ?? 0}%`}
        ></span>
      </div>
      <time class="row-cell row-updated quiet" data-f="updated" datetime=${row?.updated}>${row?.updated}</time>
    </li>
  `;
}

/** `Qwen/Qwen2.5` as `Qwen/` and `Qwen2.5`. */
export function splitId(id: string): [org: string, name: string] {
  const slash = id.indexOf('/') + 1;
  return [id.slice(0, slash), id.slice(slash)];
}

/** The rows for the script, as short as they can be: an assignment, since `file://` pages may not fetch JSON. */
export function listScript(rows: readonly ListRow[]): string {
  const data = rows.map(row => [
    row.short,
    row.id,
    row.license,
    row.size,
    row.bytes,
    row.share,
    row.isFat ? 1 : 0,
    row.version,
    row.updated,
  ]);
  return `window.weighbridgeRows=${JSON.stringify(data)};\n`;
}
