import type { ByteSource } from '../core/byte-source.ts';

/** One model repository at one commit, as the Hub describes it. Paths have been checked and are safe to join. */
export interface ModelSnapshot {
  /** The repository's present name; differs from what was asked for if it was renamed. */
  readonly id: string;
  readonly requestedId: string;
  /** 40 hex characters. */
  readonly revision: string;
  /** As the Hub gives it: false, or how access is granted ("auto", "manual"). */
  readonly gated: false | string;
  readonly isPrivate: boolean;
  readonly license: LicenseFacts;
  readonly tags: readonly string[];
  /** Ids that the card or the tags name, each once; what is not an id is kept as it is written. */
  readonly baseModels: readonly string[];
  /** Values of `base_model` that name nothing that can be looked up (a map, a number), as JSON. */
  readonly unreadableBases?: readonly string[];
  /** How it was made from them, where the card says: `finetune`, `quantized`, `adapter`, `merge`. */
  readonly baseModelRelation?: string;
  /** What the Hub's scanners found, where they have looked. */
  readonly safety?: FileSafety;
  /** Files that no image could have, because of their names; only those that may be left out. */
  readonly unusable?: readonly { readonly path: string; readonly sizeBytes: number }[];
  /** Values in its safetensors files by type (`BF16`), if the Hub has counted them. */
  readonly tensors?: Readonly<Record<string, number>>;
  /** Of its text, as the card names them: `en`, `zh`; absent if it names none. */
  readonly languages?: readonly string[];
  /** When the commit was made, ISO 8601; absent if the Hub does not say. */
  readonly committed?: string;
  /** Sorted by path (bytewise). */
  readonly files: readonly HubFile[];
}

/** `cardData` of the model card, unjudged. */
export interface LicenseFacts {
  readonly license: string | readonly string[] | null;
  readonly licenseName: string | null;
  readonly licenseLink: string | null;
  /** Where the card names no license and the Hub's tags do. */
  readonly isFromTags?: boolean;
}

/** https://huggingface.co/docs/hub/security */
export interface FileSafety {
  /** Whether all files have been looked at. */
  readonly isScanned: boolean;
  /** `level` as the Hub gives it: `unsafe`, `suspicious`, `caution`. */
  readonly issues: readonly { readonly path: string; readonly level: string }[];
}

/** A file of a repository at one commit. */
export interface HubFile {
  /** Relative, `/`-separated, never empty, no `.` or `..` segment, no control characters. */
  readonly path: string;
  readonly sizeBytes: number;
  /** sha256 of the content, hex; known for files kept as LFS or Xet objects. */
  readonly sha256?: string;
  /** git's blob id of what git stores: of the content itself only if `sha256` is absent (else of the LFS pointer). */
  readonly gitOid: string;
}

/** The Hub as the rest of the program sees it. */
export interface Hub {
  /** `https://huggingface.co` or `HF_ENDPOINT`, no trailing slash. */
  readonly endpoint: string;
  /** Returns whose token is used, undefined without one. Throws HubError. */
  whoAmI(signal?: AbortSignal): Promise<HubAccount | undefined>;
  /** Resolves a branch, tag or commit (null: the default branch) once. Throws HubError. */
  getModel(
    id: string,
    revision: string | null,
    signal?: AbortSignal,
    options?: GetModelOptions,
  ): Promise<ModelSnapshot>;
  /**
   * The file's bytes at the snapshot's commit, or a span of them: ranged, resumed, re-resolved on its own. Hashes are the
   * caller's to check.
   */
  openFile(
    snapshot: Pick<ModelSnapshot, 'id' | 'revision'>,
    file: Pick<HubFile, 'path' | 'sizeBytes'>,
    span?: ByteSpan,
  ): ByteSource;
}

/** The account of a token. */
export interface HubAccount {
  readonly name: string;
  /** What the token may do: `read`, `write`, `fineGrained`; absent if the Hub does not say. */
  readonly role?: string;
}

/** What of a model is asked for besides the usual. */
export interface GetModelOptions {
  /**
   * Which of the files that no image could have, because of their names, are left out: all, or those that this returns of
   * their paths. A model is refused for the others.
   */
  readonly mayLeaveOut?: 'all' | ((paths: readonly string[]) => ReadonlySet<string>);
}

/** From `start` up to `end`, which is not of it. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}
