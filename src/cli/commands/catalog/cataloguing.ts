import type { CatalogData } from '../../../catalog/catalog-data.ts';
import { makeSite } from '../../../catalog/make-site.ts';
import type { PreviousCatalog } from '../../../catalog/previous-catalog.ts';
import { readDetails } from '../../../catalog/read-details.ts';
import { toCatalog } from '../../../catalog/to-catalog.ts';
import type { Config, ModelConfig } from '../../../config/types.ts';
import { type FoundModel, readPublished } from '../../../inspect/read-published.ts';
import { chooseTargets } from '../../../plan/targets.ts';
import type { ImageStore } from '../../../store/image-store.ts';
import type { Session } from '../../session.ts';
import { readAssets, readDocs, writeSite } from './catalog-files.ts';

/** What of the site is written, and where. */
export interface SiteOptions {
  readonly title: string;
  readonly url: string | undefined;
  readonly previous: PreviousCatalog | undefined;
  readonly overrides: Readonly<Record<string, string>>;
  readonly hasDocs: boolean;
  /** Whether the Hub is asked for cards and facts. */
  readonly asksHub: boolean;
}

/** What has been written. */
export interface WrittenCatalog {
  readonly data: CatalogData;
  readonly found: readonly FoundModel[];
  readonly files: number;
  /** Why some cards and facts are missing, a sentence each. */
  readonly notes: readonly string[];
}

/** Reads the registries and writes the site into `folder`. Returns what was written. */
export async function writeCatalog(
  session: Session,
  config: Config,
  models: readonly ModelConfig[],
  folder: string,
  options: SiteOptions,
): Promise<WrittenCatalog> {
  const { services, signal, env } = session;
  const places = models.map(model => ({
    id: model.id,
    short: model.short,
    targets: chooseTargets(config, model, { overrides: options.overrides, env }).targets,
  }));
  const open = (repository: string): ImageStore => services.openRepository(repository, 'pull');
  const found = await readPublished(places, { open, signal });
  const hub = options.asksHub ? services.hub : undefined;
  const { details, notes } = await readDetails(found, { hub, open, signal });
  const data = toCatalog(found, { ...options, details, now: new Date() });
  const cards = new Map(
    [...details].flatMap(([short, { card }]) => (card === undefined ? [] : [[short, card]])),
  );
  const assets = readAssets();
  const { docs, others } = options.hasDocs ? readDocs() : { docs: [], others: [] };
  const files = await writeSite(
    folder,
    makeSite({ data, docs, cards, assets: [...assets, ...others], url: options.url }),
  );
  return { data, found, files, notes };
}
