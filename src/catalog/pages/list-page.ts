import { formatBytes } from '../../core/text.ts';
import type { CatalogData, CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { count } from './count.ts';
import { filters } from './list-filters.ts';
import { COLUMNS, type ListRow, listRow } from './list-row.ts';
import { pageText, type Site } from './page.ts';

/** Rows that are in the page itself; the script brings the rest. */
export const FIRST_ROWS = 20;
/** Models on one page of the list for readers without scripts. */
const ALL_STEP = 500;

/** Returns the first page: all models, with search, filters and an order. */
export function listPage(data: CatalogData, rows: readonly ListRow[], site: Site): string {
  const total = rows.length;
  return pageText({
    site,
    root: '',
    path: '',
    title: data.title,
    description: `${count(total, 'model')} as container images that serve them with vLLM.`,
    section: 'models',
    scripts: ['list.js'],
    main: html`
      <div class="wide list">
        <div class="intro">
          <h1>${data.title}</h1>
          <p class="lead">${summary(data)}</p>
        </div>
        ${total === 0 ? nothing() : [filters(rows), table(rows)]}
        ${problems(data.models)}
      </div>
    `,
  });
}

function table(rows: readonly ListRow[]): Markup {
  return html`
    <table class="models" role="table" aria-label="Models">
      <thead role="rowgroup">
        <tr class="list-head" role="row">
          ${COLUMNS.map(
            ({ key, name }) =>
              html`<th scope="col" role="columnheader" class=${`cell-${key}`} data-column=${key} aria-sort=${key === 'name' ? 'ascending' : undefined}>${name}</th>`,
          )}
        </tr>
      </thead>
      <tbody class="rows" role="rowgroup" data-rows>
        ${rows.slice(0, FIRST_ROWS).map(listRow)}
      </tbody>
    </table>
    <template data-row>${listRow(undefined)}</template>
    <p class="more"><button type="button" class="button" data-more hidden>Show more</button></p>
    <div class="none" data-none hidden>
      <p><strong>No model matches.</strong></p>
      <p>Remove a filter, or look for a part of the name.</p>
      <p><button type="button" class="button" data-clear>Clear all filters</button></p>
    </div>
    ${rows.length > FIRST_ROWS ? html`<noscript><p>The other models are in <a href="all.html">one long list</a>.</p></noscript>` : null}
  `;
}

/** Yields every model by name, for readers without scripts: as many pages as it takes. */
export function* allPages(
  data: CatalogData,
  site: Site,
): Generator<{ readonly path: string; readonly content: string }> {
  const pages = Math.ceil(data.models.length / ALL_STEP);
  const pathOf = (index: number): string => (index === 0 ? 'all.html' : `all-${index + 1}.html`);
  for (let index = 0; index < pages; index++) {
    const models = data.models.slice(index * ALL_STEP, (index + 1) * ALL_STEP);
    const others = Array.from({ length: pages }, (_, other) => other);
    const content = pageText({
      site,
      root: '',
      path: pathOf(index),
      title: pages === 1 ? 'All models' : `All models, page ${index + 1} of ${pages}`,
      description: `All ${data.models.length} models by name.`,
      section: 'models',
      main: html`
        <div class="wide">
          <h1>All models</h1>
          <ul class="all">
            ${models.map(model => html`<li><a href=${model.page}><bdi>${model.id}</bdi></a> <span class="mono quiet">hf-${model.short}</span></li>`)}
          </ul>
          ${
            pages > 1 &&
            html`
              <nav class="pages" aria-label="Pages">
                ${others.map(other => html`<a href=${pathOf(other)} aria-current=${other === index ? 'page' : undefined}>${other + 1}</a> `)}
              </nav>
            `
          }
        </div>
      `,
    });
    yield { path: pathOf(index), content };
  }
}

function summary({ models, generated }: CatalogData): Markup {
  const images = models.reduce((sum, model) => sum + model.images.length, 0);
  const weight = models.reduce((sum, model) => sum + (model.modelBytes ?? 0), 0);
  const prefixes = new Set(
    models.flatMap(({ images: all }) =>
      all.flatMap(({ places }) => places.map(place => place.repository.replace(/\/[^/]*$/, ''))),
    ),
  );
  const shown = [...prefixes].slice(0, 4);
  return html`
    ${`${count(models.length, 'model')} in ${count(images, 'image')}, ${formatBytes(weight)} of weights, ready to serve with vLLM. `}
    ${shown.map((prefix, index) => html`${index === 0 ? 'At ' : ', '}<span class="mono">${prefix}</span>`)}
    ${prefixes.size > shown.length ? ' and elsewhere' : ''}${', as of '}<time datetime=${generated}>${generated.slice(0, 10)}</time>.
  `;
}

function nothing(): Markup {
  return html`
    <div class="none">
      <p><strong>Nothing has been published yet.</strong></p>
      <p>List models in <code>models.yaml</code>, run <code>weighbridge publish</code>, then write this page again.</p>
    </div>
  `;
}

function problems(models: readonly CatalogModel[]): Markup {
  const all = [...new Set(models.flatMap(model => model.problems))];
  if (all.length === 0) return null;
  return html`
    <section class="note" aria-label="Problems">
      <p>Not everything could be read:</p>
      <ul>${all.slice(0, 10).map(problem => html`<li>${problem}</li>`)}</ul>
    </section>
  `;
}
