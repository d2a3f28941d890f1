import type { GpuNeed } from '../fit/gpu-need.ts';
import type { FitFinding } from '../fit/types.ts';
import type { AdapterEntry, FatRefusalLabels, LineageEntry, ModelAccess } from '../image/format/labels.ts';
import type { ImageLayerKind } from '../image/format/layer-kinds.ts';
import type { ScanSummary } from '../scan/scan-referrer.ts';

/** What `catalog.json` holds, and what every page is drawn from. Keys are only ever added. */
export interface CatalogData {
  readonly schemaVersion: 1;
  readonly title: string;
  /** When the registries were read, ISO 8601 in UTC. */
  readonly generated: string;
  readonly models: readonly CatalogModel[];
}

/** One model with its images, as catalog.json has it. */
export interface CatalogModel {
  readonly id: string;
  readonly short: string;
  readonly title: string;
  readonly description: string;
  /** The model's page on the Hub. */
  readonly url: string;
  /** The model's own: an SPDX expression, or as the Hub names it. */
  readonly license: string | null;
  /** What people choose it by. */
  readonly facts: CatalogFacts;
  /** Who may fetch it from the Hub; null if anyone may. */
  readonly access: ModelAccess | null;
  /** Why its weights are in no image; null if they may be, or if no image says. */
  readonly fatRefusal: FatRefusalLabels | null;
  /** Whether it runs on the vLLM of its newest image; null if that was not checked. */
  readonly fit: CatalogFit | null;
  /** Flags of `vllm serve` in the newest image, without the model and its name. */
  readonly serveArgs: readonly string[];
  /** What clients ask its server for. */
  readonly servedName: string;
  /** LoRA adapters that the newest image serves with the model, each by its name. */
  readonly adapters: readonly AdapterEntry[];
  /** When the model's commit was made, ISO 8601; null if the Hub was not asked. */
  readonly revisionDate: string | null;
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

/** Null for what neither the images nor the Hub say. */
export interface CatalogFacts {
  readonly task: string | null;
  readonly parameters: number | null;
  /** Of a mixture of experts: those that one token uses. */
  readonly activeParameters: number | null;
  /** `bf16`, `fp8`, `int4` */
  readonly precision: string | null;
  readonly quantization: string | null;
  readonly contextLength: number | null;
  readonly languages: readonly string[];
  readonly architecture: string | null;
  readonly kvBytesPerToken: number | null;
  readonly weightBytes: number | null;
  /** The fewest GPUs of each size that it runs on. */
  readonly gpus: readonly GpuNeed[];
}

/** Whether an image runs on its vLLM, with the findings that say so. */
export interface CatalogFit {
  readonly status: 'ok' | 'warn' | 'refused' | 'unknown';
  readonly findings: readonly FitFinding[];
}

/** An image of a model as the catalog lists it, with its registries, layers, statements and scan. */
export interface CatalogImage {
  readonly digest: string;
  readonly variant: string;
  readonly revision: string;
  readonly version: string | null;
  readonly base: { readonly name: string; readonly digest: string | null } | null;
  /** Of the base image: images themselves carry no time, so that the same inputs give the same digest. */
  readonly created: string;
  /** When a catalog of this site listed it first. */
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

/** One platform of an image. */
export interface CatalogPlatform {
  readonly platform: string;
  readonly digest: string;
  readonly size: { readonly total: number } & Readonly<Record<ImageLayerKind, number>>;
  /** Of the newest image of each variant; empty for older ones. */
  readonly layers: readonly CatalogLayer[];
}

/** One layer of an image. */
export interface CatalogLayer {
  readonly digest: string;
  readonly size: number;
  readonly kind: ImageLayerKind;
  /** The file that is in it, or the first of several; what made it, for a base layer. */
  readonly name: string;
}

/** A file of a model. `size` is in bytes; `sha256` or `gitOid` is the hash by which the Hub knows it. */
export type CatalogFile = {
  readonly path: string;
  readonly size: number;
  readonly sha256?: string;
  readonly gitOid?: string;
};
