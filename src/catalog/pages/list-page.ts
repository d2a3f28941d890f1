import { formatBytes } from '../../core/text.ts';
import type { CatalogData, CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { listRow, toListRow } from './list-row.ts';
import { pageText, type Site } from './page.ts';

/** Rows that are in the page itself; the script brings the rest. */
export const FIRST_ROWS = 40;

const GIB = 1024 ** 3;

/** The first page: all models, with search and filters. */
export function listPage(data: CatalogData, site: Site): string {
  const rows = data.models.map(toListRow);
  const count = data.models.length;
  return pageText({
    site,
    root: '',
    title: data.title,
    description: `${count} models as container images that serve them with vLLM.`,
    section: 'models',
    scripts: ['list.js'],
    main: html`
      <div class="wide">
        <div class="intro">
          <h1>${data.title}</h1>
          <p class="lead">${summary(data)}</p>
        </div>
        ${count === 0 ? nothing() : filters(data.models)}
        <div class="list-head" aria-hidden="true">
          <span>Model</span><span>License</span><span>Images</span><span>vLLM</span><span>Weights</span><span>Updated</span>
        </div>
        <ul class="rows" data-rows>
          ${rows.slice(0, FIRST_ROWS).map(listRow)}
        </ul>
        <template data-row>${listRow(undefined)}</template>
        <p class="more"><button type="button" class="button" data-more hidden>Show more</button></p>
        <p class="none" data-none hidden>No model fits. <button type="button" class="button" data-clear>Clear the filters</button></p>
        ${count > FIRST_ROWS ? html`<noscript><p>The other models are in <a href="all.html">one long list</a>.</p></noscript>` : null}
        ${problems(data.models)}
      </div>
    `,
  });
}

/** Every model by name, for readers without scripts. */
export function allPage(data: CatalogData, site: Site): string {
  return pageText({
    site,
    root: '',
    title: 'All models',
    description: `All ${data.models.length} models by name.`,
    section: 'models',
    main: html`
      <div class="wide">
        <h1>All models</h1>
        <ul class="all">
          ${data.models.map(model => html`<li><a href=${model.page}>${model.id}</a> <span class="mono quiet">hf-${model.short}</span></li>`)}
        </ul>
      </div>
    `,
  });
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

function filters(models: readonly CatalogModel[]): Markup {
  const licenses = [...Map.groupBy(models, model => model.license ?? '')]
    .map(([license, all]) => ({ license, count: all.length }))
    .sort((a, b) => b.count - a.count || a.license.localeCompare(b.license));
  return html`
    <form class="filters" role="search" aria-label="Models" data-filters>
      <div class="search">
        <label class="sr" for="q">Search by name</label>
        <input id="q" name="q" type="search" placeholder="Search models" autocomplete="off" spellcheck="false" />
        <kbd aria-hidden="true">/</kbd>
      </div>
      ${select('license', 'License', [
        ['', 'Any license'],
        ...licenses.map(
          ({ license, count: n }): Option => [license || 'none', `${license || 'none named'} (${n})`],
        ),
      ])}
      ${select('variant', 'Images', [
        ['', 'Fat or slim'],
        ['fat', 'With a fat image'],
        ['slim', 'Slim only'],
      ])}
      ${select('size', 'Weights', [
        ['', 'Any size'],
        [`0-${4 * GIB}`, 'Up to 4 GiB'],
        [`${4 * GIB}-${16 * GIB}`, '4 to 16 GiB'],
        [`${16 * GIB}-${80 * GIB}`, '16 to 80 GiB'],
        [`${80 * GIB}-`, 'Over 80 GiB'],
      ])}
      ${select('age', 'Updated', [
        ['', 'At any time'],
        ['7', 'In the last week'],
        ['30', 'In the last month'],
        ['90', 'In the last 3 months'],
      ])}
      ${select('sort', 'Order', [
        ['', 'By name'],
        ['new', 'Newest first'],
        ['small', 'Smallest first'],
        ['large', 'Largest first'],
      ])}
      <output class="count" data-count>${count(models.length, 'model')}</output>
    </form>
  `;
}

type Option = readonly [value: string, text: string];

function select(name: string, label: string, options: readonly Option[]): Markup {
  return html`
    <div class="select">
      <label class="sr" for=${name}>${label}</label>
      <select id=${name} name=${name}>
        ${options.map(([value, text]) => html`<option value=${value}>${text}</option>`)}
      </select>
    </div>
  `;
}

function nothing(): Markup {
  return html`<p>Nothing has been published yet: <code>weighbridge publish</code> does it.</p>`;
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

export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
