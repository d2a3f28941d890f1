import type { Variant } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import type { OnEvent } from '../core/events.ts';
import type { Limiter } from '../core/pool.ts';
import type { Hub } from '../hub/types.ts';
import type { BootstrapFile } from '../image/assemble/layers.ts';
import type { ImageChange } from '../image/image-change.ts';
import type { SizesByKind } from '../image/image-facts.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { RunMemory } from './run-memory.ts';
import type { LayerIndex } from './target/layer-index.ts';
import type { BlobWorkers } from './workers/blob-job.ts';

/** One place that a model's images go to. */
export interface PublishTarget {
  /** The key in `registries`, for reports. */
  readonly registry: string;
  readonly store: ImageStore;
}

export interface PublishContext {
  readonly hub: Hub;
  /** A store to read a base image from: `docker.io/vllm/vllm-openai`. */
  readonly openBase: (repositoryName: string) => ImageStore;
  /** The slim image's bootstrap; the order is that of its layer. */
  readonly bootstrap: readonly BootstrapFile[];
  readonly variants: readonly Variant[];
  readonly isDryRun: boolean;
  /** Trusts nothing that is published: every file is read, checked and uploaded again. */
  readonly isForced: boolean;
  /** What the models of this run share. */
  readonly memory: RunMemory;
  /** Layers that were made on this machine before. */
  readonly layerIndex?: LayerIndex | undefined;
  /** Blobs under way at once, over all models. */
  readonly blobSlots: Limiter;
  /** Threads for the bytes of large blobs; without them everything runs in the caller's. */
  readonly workers?: BlobWorkers;
  readonly onEvent: OnEvent;
  /** Told of every image as soon as its tags are set, or it is clear that they stay. */
  readonly onImage?: (image: ImageOutcome) => void;
  readonly signal?: AbortSignal;
}

/** Bytes by what became of them. Each byte is counted once, at the image that needed it first. */
export interface ByteCounts {
  /** Read from the Hub, or from another registry. */
  readonly downloaded: number;
  readonly uploaded: number;
  /** Made to appear by the registry itself. */
  readonly mounted: number;
  /** There already. */
  readonly reused: number;
}

export type ImageStatus = 'published' | 'unchanged' | 'failed' | 'skipped';

export interface ImageOutcome {
  readonly registry: string;
  readonly variant: Variant;
  /** Full references: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly tags: readonly string[];
  readonly digest?: Digest;
  readonly status: ImageStatus;
  /** Why it was skipped. */
  readonly reason?: string;
  readonly error?: unknown;
  readonly bytes: ByteCounts;
  /** Stored bytes of the layers by kind; absent where the policy left the image out. */
  readonly sizes?: SizesByKind;
  /** Since what the tag named before; absent where it named nothing of ours. */
  readonly change?: ImageChange;
}

export interface PublishOutcome {
  readonly planned: PlannedModel;
  readonly images: readonly ImageOutcome[];
  readonly durationMs?: number;
}
