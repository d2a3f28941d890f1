import type { CatalogData } from './catalog-data.ts';
import { atomFeed } from './feed.ts';
import { type DocSource, docPage, docsIndexPage, inReadingOrder, toTopic } from './pages/docs-page.ts';
import { allPages, FIRST_ROWS, listPage } from './pages/list-page.ts';
import { listScript, toListRow } from './pages/list-row.ts';
import { modelPage } from './pages/model-page.ts';
import type { Site } from './pages/page.ts';
import { sitemap } from './sitemap.ts';

/** A file of the site, by its path below the folder. */
export interface SiteFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly content: string | Uint8Array;
}

/** What a site is made from. */
export interface SiteSources {
  readonly data: CatalogData;
  /** Topics of the documentation; none leaves it out. */
  readonly docs: readonly DocSource[];
  /** The models' cards as Markdown, by short name. */
  readonly cards?: ReadonlyMap<string, string>;
  /** What goes into the site as it is: styles, scripts, fonts, what the documentation names. */
  readonly assets: readonly SiteFile[];
  /** Where the site will be, with a slash at its end; the feed, the sitemap and previews of links need it. */
  readonly url: string | undefined;
}

/** Yields a whole site, file by file: made one at a time, so that a thousand models need no memory for all their pages. */
export function* makeSite({ data, docs, cards, assets, url }: SiteSources): Generator<SiteFile> {
  const site: Site = { title: data.title, hasDocs: docs.length > 0, url };
  const paths: string[] = [''];
  yield* assets;
  yield { path: 'catalog.json', content: `${JSON.stringify(data)}\n` };
  yield { path: 'feed.xml', content: atomFeed(data, url) };
  const rows = data.models.map(toListRow);
  yield { path: 'assets/rows.js', content: listScript(rows) };
  yield { path: 'index.html', content: listPage(data, rows, site) };
  if (data.models.length > FIRST_ROWS) yield* allPages(data, site);
  for (const model of data.models) {
    paths.push(model.page);
    yield { path: model.page, content: modelPage(model, { data, site, card: cards?.get(model.short) }) };
  }
  if (docs.length > 0) {
    const names = new Set(docs.map(doc => doc.name));
    const topics = inReadingOrder(docs).map(doc => toTopic(doc, names));
    paths.push('docs/index.html');
    yield { path: 'docs/index.html', content: docsIndexPage(topics, site) };
    for (const topic of topics) {
      paths.push(`docs/${topic.name}.html`);
      yield { path: `docs/${topic.name}.html`, content: docPage(topic, topics, site) };
    }
  }
  if (url !== undefined) yield { path: 'sitemap.xml', content: sitemap(paths, url) };
}
