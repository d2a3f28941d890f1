import type { Digest } from '../core/digest.ts';
import type { Annotations } from '../oci/types.ts';

/** A manifest or index of a repository, as far as deleting needs to know it. */
export interface GraphNode {
  readonly digest: Digest;
  /** Bytes of the document itself. */
  readonly sizeBytes: number;
  /** Manifests that an index names. */
  readonly children: readonly Digest[];
  /** Config and layers: digest to size in bytes. */
  readonly blobs: ReadonlyMap<Digest, number>;
  readonly artifactType: string | undefined;
  readonly annotations: Annotations;
}

/** Everything in one repository that can be reached from its tags. Read whole, or not at all. */
export interface RepositoryGraph {
  /** `ghcr.io/acme/hf-x` */
  readonly repository: string;
  readonly tags: ReadonlyMap<string, Digest>;
  readonly nodes: ReadonlyMap<Digest, GraphNode>;
  /** What refers to a manifest: signatures, statements, scans; by the registry's list and by tags. */
  readonly referrers: ReadonlyMap<Digest, readonly Digest[]>;
  /** Tags that belong to a manifest by their name: lists of referrers and cosign's older signatures. */
  readonly ownedTags: ReadonlyMap<string, Digest>;
}

/** What stays. */
export interface RetentionRules {
  /** Tags of the current file and lock. */
  readonly tags: ReadonlySet<string>;
  /** The newest images of each variant that stay, at least 1. */
  readonly keep: number;
  /** Images published less than this ago stay; undefined if age does not matter. */
  readonly youngerThanMs: number | undefined;
  readonly nowMs: number;
  /** When an image was published at the latest, in ms since 1970; undefined if nothing tells. */
  readonly publishedAtMs: (digest: Digest) => number | undefined;
}

/** One image that a tag names, and what becomes of it. */
export interface RetainedImage {
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly variant: string | undefined;
  readonly version: string | undefined;
  /** Why it stays, or why it goes. */
  readonly reason: string;
}

/** An image that goes. */
export interface RemovedImage extends RetainedImage {
  /** Bytes of blobs and manifests that nothing else in the repository needs. */
  readonly freedBytes: number;
}

/** Which images stay and which go. */
export interface RetentionPlan {
  readonly repository: string;
  readonly kept: readonly RetainedImage[];
  readonly removed: readonly RemovedImage[];
  /** Manifests to delete, in this order: image by image, each before its platforms, both before what refers to them. */
  readonly deletions: readonly Digest[];
  /** Of all deletions together. */
  readonly freedBytes: number;
}
