import type { Variant } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import type { LayerEntry } from '../layer/recipe.ts';

/** The part of a policy outcome that licenses are about. */
export interface LicenseOutcome {
  readonly license: { readonly spdx: string | null; readonly declared: string | null };
  readonly isGated: boolean;
}

/** A text that has been read, and is what the Hub says. */
export interface ReadText {
  readonly sha256: Digest;
}

/** A repository whose texts go into the tree. */
export interface LicensedRepository {
  readonly snapshot: ModelSnapshot;
  readonly license: LicenseOutcome['license'];
  /** What has been read of it, by path. */
  readonly read: ReadonlyMap<string, ReadText>;
}

/** What the license layer of an image is made from. */
export interface LicenseContext {
  /** Where the model is or comes to be in the image: `/models/x`. */
  readonly modelDir: string;
  /** The models that it was made from, and its adapters too. */
  readonly ancestors: readonly LicensedRepository[];
  readonly adapters?: readonly (LicensedRepository & AdapterPlace)[];
  /** Files of the model that the image has in parts. */
  readonly sharded?: readonly ShardedName[];
}

/** Paths as in the repository. */
export interface ShardedName {
  readonly path: string;
  readonly parts: readonly string[];
}

/** How the text at `LICENSE` was come by. */
export type LicenseTextSource =
  | { readonly kind: 'upstream'; readonly file: string }
  | { readonly kind: 'spdx'; readonly ids: readonly string[] }
  | { readonly kind: 'none' };

/** The texts of one repository in the tree. */
export interface HarvestedTexts {
  readonly entries: readonly LayerEntry[];
  readonly textSource: LicenseTextSource;
  /** Names below the repository's folder. */
  readonly files: readonly string[];
}

/** Where an adapter of the model is, or comes to be. */
export interface AdapterPlace {
  readonly name: string;
  /** Absolute. */
  readonly dir: string;
  readonly isGated: boolean;
}

/** A `/licenses` tree but for what names the base image: `finishLicenses` adds that. */
export interface LicenseTree {
  readonly entries: readonly LayerEntry[];
  readonly model: HarvestedTexts & Omit<LicensedRepository, 'read'>;
  readonly ancestors: readonly (HarvestedTexts & Omit<LicensedRepository, 'read'>)[];
  /** Absent if it has none. */
  readonly adapters?: readonly (HarvestedTexts & Omit<LicensedRepository, 'read'> & AdapterPlace)[];
  readonly variant: Variant;
  readonly modelDir: string;
  readonly isGated: boolean;
  readonly sharded: readonly ShardedName[];
}

/** The base image, as `/licenses` names it. */
export interface LicensedBaseImage {
  readonly reference: string;
  readonly digest?: string | undefined;
  /** What the image itself declares; undefined if it declares nothing or has not been looked at. */
  readonly license?: { readonly spdx: string; readonly source: string } | undefined;
}
