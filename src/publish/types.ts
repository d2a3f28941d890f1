import type { ModelConfig, Variant } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import type { WeighbridgeError } from '../core/errors.ts';
import type { OnEvent } from '../core/events.ts';
import type { Limiter } from '../core/pool.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import type { SizesByKind } from '../image/format/layer-kinds.ts';
import type { ImageChange } from '../image/image-change.ts';
import type { PlannedModel, Target, UnresolvedModel } from '../plan/types.ts';
import type { PolicyOutcome } from '../policy/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { RunCache, Sibling } from './run-cache.ts';
import type { LayerIndex } from './target/layer-index.ts';
import type { BlobWorkers } from './transfer/blob-job.ts';

/** One place that a model's images go to. */
export interface PublishTarget {
  /** The key in `registries`, for reports. */
  readonly registry: string;
  readonly store: ImageStore;
}

/** What looking at a model's targets needs. */
export interface SurveyContext {
  readonly variants: readonly Variant[];
  /** Trusts nothing that is published: every file is read, checked and uploaded again. */
  readonly isForced: boolean;
  /** Whether tags that stay with their image are moved all the same, as `isForced` does too. Default: they are not. */
  readonly movesTags?: boolean | undefined;
  /** Layers that were made on this machine before. */
  readonly layerIndex?: LayerIndex | undefined;
  /** Absent if nothing is signed. */
  readonly signing?: ImageSigning | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What the models of this run share. */
  readonly cache: RunCache;
  /** Of a look that can do without what a registry does not answer. */
  readonly patience?: Patience;
}

/** How long a look at registries waits for them. */
export interface Patience {
  readonly ms: number;
  /** Of registries that could not be asked, by host: they are not asked again for the next model. */
  readonly failures: Map<string, WeighbridgeError>;
}

/** What a model is published with. */
export interface PublishContext extends SurveyContext {
  readonly hub: Hub;
  /** A store to read a base image's blobs from: `docker.io/vllm/vllm-openai`. */
  readonly openBase: (repositoryName: string) => ImageStore;
  /** Blobs under way at once, over all models. */
  readonly blobSlots: Limiter;
  /** Threads for the bytes of large blobs; without them everything runs in the caller's. */
  readonly workers?: BlobWorkers | undefined;
  readonly onEvent: OnEvent;
  /** What the models' work is called: `build` if the targets are on this machine. `publish` by default. */
  readonly phase?: 'publish' | 'build' | undefined;
  /** Told of every image as soon as its tags are set, or it is clear that they stay. */
  readonly onImage?: ((image: ImageOutcome) => void) | undefined;
}

/** Signs an image that is there by its digest, before a tag names it. Throws WeighbridgeError. */
export interface ImageSigning {
  /** Whether an image that could not be signed gets no tag. */
  readonly isRequired: boolean;
  sign(store: ImageStore, image: Digest, planned: PlannedModel): Promise<void>;
  /**
   * Whether a manifest bears the signature of the one that signs here: what others say of layers is not believed then.
   * Absent if signatures cannot be verified.
   */
  readonly vouches?: (store: ImageStore, manifest: Digest) => Promise<boolean>;
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

/** What became of an image, in one word. */
export type ImageStatus = ImageOutcome['status'];

/** What became of one variant of a model at one target. */
export type ImageOutcome = Published | Unchanged | Skipped | Failed;

/** An immutable tag that names another image. */
export interface RefusedTag {
  /** `v0.6.0-r7ae55760-fat` */
  readonly tag: string;
  /** Full: `ghcr.io/acme/hf-x:v0.6.0-r7ae55760-fat` */
  readonly reference: string;
  /** What it names. */
  readonly digest: Digest;
  /** TAG_IMMUTABLE. */
  readonly error: WeighbridgeError;
}

interface CommonOutcome {
  readonly registry: string;
  readonly variant: Variant;
  /** Full references: `ghcr.io/acme/hf-x:v0.6.0-fat`; none if the policy left the image out. */
  readonly tags: readonly string[];
  /** Tags that stay with the image that they name, so that this one did not get them; they are not in `tags`. */
  readonly refusedTags?: readonly RefusedTag[];
  readonly bytes: ByteCounts;
  /** Stored bytes of the layers by kind; absent if the image was never assembled. */
  readonly sizes?: SizesByKind;
  /** Since what the tag named before; absent if it named none of our images. */
  readonly change?: ImageChange;
}

/** An image that its tags name now. */
export interface Published extends CommonOutcome {
  readonly status: 'published';
  readonly digest: Digest;
  readonly signature?: SignatureOutcome;
}

/** The tags named this very image already. */
export interface Unchanged extends CommonOutcome {
  readonly status: 'unchanged';
  readonly digest: Digest;
  readonly signature?: SignatureOutcome;
}

/** Absent if nothing signs. An image with a failed one is there all the same, since signatures are not required. */
export type SignatureOutcome =
  | { readonly status: 'signed' }
  | { readonly status: 'failed'; readonly error: unknown };

/** Left out by the policy or a registry's limit, or looked at only: `bytes` is what a publish would move then. */
export interface Skipped extends CommonOutcome {
  readonly status: 'skipped';
  readonly reason: string;
}

/** An image that could not be published. */
export interface Failed extends CommonOutcome {
  readonly status: 'failed';
  readonly error: unknown;
  /** Whether the image could not be assembled, which is not the target's fault and the same at all of them. */
  readonly isUnassembled?: boolean;
}

/** What became of a planned model at all of its targets. */
export interface PublishOutcome<Model extends ReportedModel = PlannedModel> {
  readonly planned: Model;
  readonly images: readonly ImageOutcome[];
  readonly durationMs?: number;
}

/** What reports tell of a model. No more of it is kept when its images are done: a list may have thousands of models. */
export interface ReportedModel {
  readonly model: ModelConfig;
  readonly snapshot: Pick<ModelSnapshot, 'revision'>;
  readonly outcome: Pick<PolicyOutcome, 'license' | 'decisions'>;
  readonly targets: readonly Target[];
  readonly files: readonly Pick<HubFile, 'sizeBytes'>[];
}

/** The end of one model of a run: published, or never planned. */
export type ModelOutcome = PublishOutcome<ReportedModel> | UnresolvedModel;

/** Returns whether a model was planned, so that it has images. */
export function isPublishOutcome(outcome: ModelOutcome): outcome is PublishOutcome<ReportedModel> {
  return 'images' in outcome;
}

/** Models on their way to a publish, each planned when its turn comes, or read from a plan that was made before. */
export interface ModelQueue {
  readonly models: readonly ModelConfig[];
  /** Images of these models, as far as they are known by now. */
  readonly siblings: readonly Sibling[];
  plan(model: ModelConfig): Promise<PlannedModel | UnresolvedModel>;
}
