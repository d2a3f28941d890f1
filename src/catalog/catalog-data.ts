import type { LineageEntry, ModelAccess } from '../image/format/labels.ts';
import type { ImageLayerKind } from '../image/published-image.ts';
import type { ScanSummary } from '../scan/scan-referrer.ts';

/** What `catalog.json` holds, and what every page is drawn from. Keys are only ever added. */
export interface CatalogData {
  readonly schemaVersion: 1;
  readonly title: string;
  /** When the registries were read, ISO 8601 in UTC. */
  readonly generated: string;
  readonly models: readonly CatalogModel[];
}

export interface CatalogModel {
  readonly id: string;
  readonly short: string;
  readonly title: string;
  readonly description: string;
  /** The model's page on the Hub. */
  readonly url: string;
  /** SPDX expression. */
  readonly license: string | null;
  /** The models that it was made from, nearest first. */
  readonly lineage: readonly LineageEntry[];
  /** Of the newest image, as are `version` and `files`. */
  readonly revision: string;
  /** Tag of the base image. */
  readonly version: string | null;
  readonly variants: readonly string[];
  /** Bytes of the model's files; null if nothing tells. */
  readonly modelBytes: number | null;
  /** When the newest image was first seen. */
  readonly updated: string;
  /** The newest first. */
  readonly images: readonly CatalogImage[];
  readonly files: readonly CatalogFile[];
  /** Repositories that could not be read, in words. */
  readonly problems: readonly string[];
  /** Address of its page, relative to the catalog. */
  readonly page: string;
}

export interface CatalogImage {
  readonly digest: string;
  readonly variant: string;
  readonly revision: string;
  readonly version: string | null;
  readonly base: { readonly name: string; readonly digest: string | null } | null;
  /** Of the base image: images themselves carry no time, so that the same inputs give the same digest. */
  readonly created: string;
  /** When a catalog had it first; that of the base image where no earlier catalog is known. */
  readonly firstSeen: string;
  /** Whether one of its tags names no revision: the image that people pull. */
  readonly isCurrent: boolean;
  readonly port: number;
  /** Where the model is in the image, or in the volume. */
  readonly dir: string;
  /** Who may fetch the model; null if anyone may, or if the image has it. */
  readonly access: ModelAccess | null;
  /** The newest scan that is attached to the image; null if there is none. */
  readonly scan: ScanSummary | null;
  /** What is stated of the image, in words, as it says of itself: `image signature`, `SLSA provenance`. */
  readonly statements: readonly string[];
  readonly platforms: readonly CatalogPlatform[];
  readonly places: readonly {
    readonly registry: string;
    readonly repository: string;
    readonly tags: readonly string[];
  }[];
}

export interface CatalogPlatform {
  readonly platform: string;
  readonly digest: string;
  readonly size: { readonly total: number } & Readonly<Record<ImageLayerKind, number>>;
  /** Of the newest image of each variant; empty for older ones. */
  readonly layers: readonly CatalogLayer[];
}

export interface CatalogLayer {
  readonly digest: string;
  readonly size: number;
  readonly kind: ImageLayerKind;
  /** The file that is in it, or the first of several; what made it, for a base layer. */
  readonly name: string;
}

export type CatalogFile = {
  readonly path: string;
  readonly size: number;
  readonly sha256?: string;
  readonly gitOid?: string;
};
