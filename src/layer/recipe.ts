import type { Digest } from '../core/digest.ts';

/**
 * How a layer is made, as data: which files at which paths, in order. A recipe has no digest yet; a `PushedLayer` has.
 * The layer is an uncompressed tar that is a pure function of the entries' paths, modes and content.
 */
export interface LayerRecipe {
  readonly kind: 'weights' | 'files' | 'licenses' | 'bootstrap';
  /** For people, in progress and history: the file's path, or `12 small files`. */
  readonly name: string;
  /** In the order of the tar; directories are added by the writer. */
  readonly entries: readonly LayerEntry[];
}

export interface LayerEntry {
  /** Path in the image without leading slash: `models/x/config.json`. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly sizeBytes: number;
  readonly contentId: ContentId;
  readonly origin: EntryOrigin;
}

/** What the content must hash to: its own sha256, or the git blob id where the Hub gives nothing better. */
export type ContentId = `sha256:${string}` | `git:${string}`;

export type EntryOrigin =
  /** Bytes that came with the plan: licence texts, the bootstrap. */
  | { readonly kind: 'inline'; readonly text: string }
  /** A file of the model's repository at the planned revision. */
  | { readonly kind: 'hub'; readonly repository: string; readonly revision: string; readonly path: string };

/** A layer that exists somewhere: its descriptor's digest is also its diffId, because it is not compressed. */
export interface PushedLayer {
  readonly recipe: LayerRecipe;
  readonly key: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
}
