import type { CatalogData } from '../../../catalog/catalog-data.ts';
import { makeSite } from '../../../catalog/make-site.ts';
import { toCatalog } from '../../../catalog/to-catalog.ts';
import type { Config, ModelConfig } from '../../../config/types.ts';
import { type FoundModel, readPublished } from '../../../inspect/read-published.ts';
import { chooseTargets } from '../../../plan/targets.ts';
import type { Session } from '../../session.ts';
import { readAssets, readDocs, writeSite } from './catalog-files.ts';

export interface CatalogOptions {
  readonly title: string;
  readonly url: string | undefined;
  readonly previous: CatalogData | undefined;
  readonly overrides: Readonly<Record<string, string>>;
  readonly hasDocs: boolean;
}

export interface WrittenCatalog {
  readonly data: CatalogData;
  readonly found: readonly FoundModel[];
  readonly files: number;
}

/** Reads the registries and writes the site into `folder`. */
export async function writeCatalog(
  session: Session,
  config: Config,
  models: readonly ModelConfig[],
  folder: string,
  options: CatalogOptions,
): Promise<WrittenCatalog> {
  const { services, signal, env } = session;
  const places = models.map(model => ({
    id: model.id,
    short: model.short,
    targets: chooseTargets(config, model, { overrides: options.overrides, env }).targets,
  }));
  const found = await readPublished(places, {
    open: repository => services.openRepository(repository, 'pull'),
    signal,
  });
  const data = toCatalog(found, { ...options, now: new Date() });
  const assets = readAssets();
  const { docs, others } = options.hasDocs ? readDocs() : { docs: [], others: [] };
  const files = await writeSite(
    folder,
    makeSite({ data, docs, assets: [...assets, ...others], url: options.url }),
  );
  return { data, found, files };
}
