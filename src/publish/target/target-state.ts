import type { Digest } from '../../core/digest.ts';
import type { ResolvedLayer } from '../../image/format/layer-annotations.ts';
import type { ImageDraft } from '../../image/types.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import type { TargetInventory } from './target-inventory.ts';

/** A target during one model's publish. */
export interface TargetState {
  readonly registry: string;
  readonly store: ImageStore;
  readonly inventory: TargetInventory;
  /** Of the repositories beside it that have the layers of other entries in the same folder. */
  near: readonly TargetInventory[];
  /** Set once nothing more can be expected of the target: down, refused, full. */
  unavailable?: unknown;
  /** What became of each blob here, by its id. */
  readonly blobs: Map<string, BlobResult>;
}

/** One image on its way to one target. */
export interface ImageJob {
  readonly planned: PlannedModel;
  readonly target: TargetState;
  readonly draft: ImageDraft;
}

/** What became of a blob at a target. */
export type BlobResult =
  | { readonly how: 'uploaded'; readonly downloadedBytes: number }
  | { readonly how: 'mounted' | 'reused'; readonly digest: Digest }
  | { readonly how: 'failed'; readonly error: unknown };

/** Returns a layer as a target's image names it: proven in this run, or claimed by the target's own manifests. */
export function layerAt(
  { inventory }: TargetState,
  key: string,
  known: ReadonlyMap<string, ResolvedLayer>,
): ResolvedLayer | undefined {
  return known.get(key) ?? inventory.layer(key);
}
