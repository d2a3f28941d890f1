import type { ModelFacts } from '../fit/model-facts.ts';
import type { ModelAccess } from '../image/format/labels.ts';
import type { CatalogFit } from './catalog-data.ts';

/** What the Hub says of a model at the revision that is published. */
export interface ModelDetails {
  readonly access: ModelAccess | null;
  /** As the card names it. */
  readonly license: string | undefined;
  /** When the commit was made. */
  readonly committed: string | undefined;
  readonly facts: ModelFacts | undefined;
  readonly fit: CatalogFit | undefined;
  /** README.md, or the beginning of one that is very long. */
  readonly card: string | undefined;
}
