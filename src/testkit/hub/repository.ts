import { bytesContent, type Content, readContent, sha256Hex } from '../server/content.ts';
import { type GeneratedBytes, generatedContent } from '../server/generated-content.ts';
import { buildTree, gitObjectId, lfsPointer, type TreeNode } from './git-objects.ts';

/** A file's bytes: as they are, made up on the fly, or from elsewhere (`fileContent`). */
export type FileSpec = Uint8Array | string | GeneratedBytes | Content;

/** A file of a commit. */
export interface StoredFile {
  readonly path: string;
  readonly content: Content;
  /** Of what git stores: the content, or the LFS pointer. */
  readonly gitOid: string;
  readonly lfs?: { readonly sha256: string; readonly pointerSizeBytes: number };
}

/** A commit with all of its files. */
export interface Commit {
  /** 40 hex characters, a pure function of what was committed. */
  readonly sha: string;
  readonly date: string;
  readonly title: string;
  readonly files: ReadonlyMap<string, StoredFile>;
  readonly tree: TreeNode;
}

/** What a repository is like. */
export interface RepositoryOptions {
  readonly id: string;
  readonly gated?: false | 'auto' | 'manual';
  readonly isPrivate?: boolean;
  readonly isDisabled?: boolean;
  /** Large files are offered by way of Xet too. Default false: only as LFS. */
  readonly isXet?: boolean;
  /** Files of this many bytes are kept in LFS whatever they are called. Default 10 MiB, as on the Hub. */
  readonly lfsThresholdBytes?: number;
}

const FIRST_COMMIT_MS = Date.UTC(2026, 0, 1);
/** What the Hub's own `.gitattributes` of a new model repository sends to LFS. */
const LFS_NAMES =
  /\.(7z|arrow|bin|bz2|ckpt|ftz|gz|h5|joblib|lfs\.\w+|mlmodel|model|msgpack|npy|npz|onnx|ot|parquet|pb|pickle|pkl|pt|pth|rar|safetensors|tar|tflite|tgz|wasm|xz|zip|zst|gguf|png|jpg|jpeg)$/;

/** A model repository: commits, and the branches and tags that name them. */
export class Repository {
  id: string;
  readonly branches = new Map<string, string>();
  readonly tags = new Map<string, string>();
  readonly commits = new Map<string, Commit>();
  gated: false | 'auto' | 'manual';
  isPrivate: boolean;
  isDisabled: boolean;
  readonly isXet: boolean;
  /** What the scanners have found: `unsafe`, `suspicious`. */
  readonly filesWithIssues: { path: string; level: string }[] = [];
  readonly #lfsThresholdBytes: number;

  constructor(options: RepositoryOptions) {
    this.id = options.id;
    this.gated = options.gated ?? false;
    this.isPrivate = options.isPrivate ?? false;
    this.isDisabled = options.isDisabled ?? false;
    this.isXet = options.isXet ?? false;
    this.#lfsThresholdBytes = options.lfsThresholdBytes ?? 10 * 1024 * 1024;
  }

  /** Makes a commit of exactly these files the head of `branch`. */
  async commit(files: ReadonlyMap<string, FileSpec | StoredFile>, branch = 'main'): Promise<Commit> {
    const stored = new Map<string, StoredFile>();
    for (const path of [...files.keys()].sort()) {
      const spec = files.get(path) as FileSpec | StoredFile;
      stored.set(path, isStored(spec) ? spec : await this.#store(path, spec));
    }
    const tree = buildTree([...stored].map(([path, file]) => [path, file.gitOid] as const));
    const parent = this.branches.get(branch);
    const seconds = (FIRST_COMMIT_MS + this.commits.size * 60_000) / 1000;
    const title = parent === undefined ? 'initial commit' : 'Update files';
    const who = `Testkit <testkit@example.org> ${seconds} +0000`;
    const lines = [
      `tree ${tree.oid}`,
      ...(parent === undefined ? [] : [`parent ${parent}`]),
      `author ${who}`,
      `committer ${who}`,
      '',
      `${title}\n`,
    ];
    const sha = gitObjectId('commit', Buffer.from(lines.join('\n')));
    const commit = { sha, date: new Date(seconds * 1000).toISOString(), title, files: stored, tree };
    this.commits.set(sha, commit);
    this.branches.set(branch, sha);
    return commit;
  }

  /** The commit that a branch, a tag or a commit id names. */
  resolve(revision: string): Commit | undefined {
    const sha = this.branches.get(revision) ?? this.tags.get(revision) ?? revision;
    return this.commits.get(sha);
  }

  async #store(path: string, spec: FileSpec): Promise<StoredFile> {
    const content = toContent(spec);
    if (!LFS_NAMES.test(path) && content.sizeBytes < this.#lfsThresholdBytes) {
      return { path, content, gitOid: gitObjectId('blob', await readContent(content)) };
    }
    const sha256 = await sha256Hex(content);
    const pointer = Buffer.from(lfsPointer(sha256, content.sizeBytes));
    return {
      path,
      content,
      gitOid: gitObjectId('blob', pointer),
      lfs: { sha256, pointerSizeBytes: pointer.length },
    };
  }
}

function isStored(file: FileSpec | StoredFile): file is StoredFile {
  return typeof file === 'object' && 'gitOid' in file;
}

function toContent(spec: FileSpec): Content {
  if (typeof spec === 'string' || spec instanceof Uint8Array) return bytesContent(spec);
  return 'read' in spec ? spec : generatedContent(spec);
}
