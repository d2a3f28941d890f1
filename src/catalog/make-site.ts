import type { CatalogData } from './catalog-data.ts';
import { atomFeed } from './feed.ts';
import { type DocSource, docPage, docsIndexPage, inReadingOrder, toTopic } from './pages/docs-page.ts';
import { allPage, FIRST_ROWS, listPage } from './pages/list-page.ts';
import { listScript, toListRow } from './pages/list-row.ts';
import { modelPage } from './pages/model-page.ts';
import type { Site } from './pages/page.ts';

export interface SiteFile {
  /** Relative, with slashes. */
  readonly path: string;
  readonly content: string | Uint8Array;
}

export interface SiteSources {
  readonly data: CatalogData;
  /** Topics of the documentation; none leaves it out. */
  readonly docs: readonly DocSource[];
  /** What goes into the site as it is: styles, scripts, fonts, what the documentation names. */
  readonly assets: readonly SiteFile[];
  /** Where the site will be, with a slash at its end; only the feed wants to know. */
  readonly url: string | undefined;
}

/** A whole site, file by file: made one at a time, so that a thousand models need no memory for all their pages. */
export function* makeSite({ data, docs, assets, url }: SiteSources): Generator<SiteFile> {
  const site: Site = { title: data.title, hasDocs: docs.length > 0 };
  yield* assets;
  yield { path: 'catalog.json', content: `${JSON.stringify(data)}\n` };
  yield { path: 'feed.xml', content: atomFeed(data, url) };
  yield { path: 'assets/rows.js', content: listScript(data.models.map(toListRow)) };
  yield { path: 'index.html', content: listPage(data, site) };
  if (data.models.length > FIRST_ROWS) yield { path: 'all.html', content: allPage(data, site) };
  for (const model of data.models) yield { path: model.page, content: modelPage(model, data, site) };
  if (docs.length === 0) return;
  const names = new Set(docs.map(doc => doc.name));
  const topics = inReadingOrder(docs).map(doc => toTopic(doc, names));
  yield { path: 'docs/index.html', content: docsIndexPage(topics, site) };
  for (const topic of topics)
    yield { path: `docs/${topic.name}.html`, content: docPage(topic, topics, site) };
}
