import { digestOf } from '../core/digest.ts';

/**
 * How a layer is made, as data: which files at which paths, in order. A recipe has no digest yet; a `PushedLayer` has.
 * The layer is an uncompressed tar that is a pure function of the entries' paths, modes and content.
 */
export interface LayerRecipe {
  readonly kind: LayerKind;
  /** For people, in progress and history: the file's path, or `12 small files`. */
  readonly name: string;
  /**
   * The topmost directory that is the image's own (`models`, `licenses`), without slashes at its ends. It and those
   * below get directory entries; what lies above (`root` of `root/models`) stays as the base image has it.
   */
  readonly root: string;
  /** In the order of the tar; directories are added by the writer. */
  readonly entries: readonly LayerEntry[];
  /** `raw`: the blob is the content of the only entry as it is. Default: a tar. */
  readonly form?: 'raw';
}

/** What a layer of our own holds. */
export type LayerKind = 'weights' | 'files' | 'licenses' | 'bootstrap' | 'links' | 'signature';

/** One entry of a layer's tar. */
export interface LayerEntry {
  /** Path in the image without leading slash: `models/x/config.json`. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly sizeBytes: number;
  readonly contentId: ContentId;
  readonly content: ContentSource;
  /** Makes the entry a symbolic link that leads there, relative to its folder; it has no content. */
  readonly linkTarget?: string;
}

/**
 * What the content must hash to: its own sha256, or the git blob id where the Hub gives nothing better. A part of a
 * divided file has no hash beforehand: its id names the file that it is of, what of it and under which header.
 */
export type ContentId = `sha256:${string}` | `git:${string}` | `part:${string}` | `link:${string}`;

/** Returns the best name there is for a file of the Hub. */
export function contentIdOf(file: { readonly sha256?: string; readonly gitOid: string }): ContentId {
  return file.sha256 === undefined ? `git:${file.gitOid}` : `sha256:${file.sha256}`;
}

type ContentSource =
  /** Bytes that came with the plan: license texts, the bootstrap. */
  | { readonly kind: 'inline'; readonly text: string }
  /** A file of the model's repository at the planned revision. */
  | { readonly kind: 'hub'; readonly repository: string; readonly revision: string; readonly path: string }
  | SliceSource;

/** A part of a divided safetensors file: a header of its own, then a span of the file's data. */
export interface SliceSource {
  readonly kind: 'part';
  readonly repository: string;
  readonly revision: string;
  /** The part's own, where the repository's files have theirs. */
  readonly path: string;
  readonly source: PartSource;
  readonly header: Uint8Array;
  /** Of the source, first byte. */
  readonly start: number;
  /** First byte that is not the part's. */
  readonly end: number;
}

/** The file that parts are of. They replace it as long as all of them together have its hash. */
export interface PartSource {
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentId: ContentId;
  /** Its first bytes as they were read when it was divided: where the first part's data starts, they end. */
  readonly header: Uint8Array;
}

/** Returns the id of a part of a file: the same for the same bytes of the same file. */
export function partContentId({
  source,
  header,
  start,
  end,
}: Pick<SliceSource, 'source' | 'header' | 'start' | 'end'>): ContentId {
  const identity = [source.contentId, start, end, digestOf(header)];
  return `part:${digestOf(JSON.stringify(identity)).slice('sha256:'.length)}`;
}
