import { createHash } from 'node:crypto';

// The object ids of git, so that what this Hub says is what `git hash-object` would say of the same repository:
// https://git-scm.com/book/en/v2/Git-Internals-Git-Objects

/** A file or folder of a commit. */
export interface TreeNode {
  readonly oid: string;
  readonly files: ReadonlyMap<string, string>;
  readonly folders: ReadonlyMap<string, TreeNode>;
}

/** Returns the SHA-1 that git gives an object. */
export function gitObjectId(type: 'blob' | 'tree' | 'commit', body: Uint8Array): string {
  return createHash('sha1').update(`${type} ${body.length}\0`).update(body).digest('hex');
}

/**
 * Returns what git stores in place of a file that is kept in LFS;
 * https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
 */
export function lfsPointer(sha256: string, sizeBytes: number): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${sizeBytes}\n`;
}

/** Returns the tree of `entries`: paths with the blob ids of their files. */
export function buildTree(entries: Iterable<readonly [path: string, oid: string]>): TreeNode {
  const files = new Map<string, string>();
  const below = new Map<string, [string, string][]>();
  for (const [path, oid] of entries) {
    const slash = path.indexOf('/');
    if (slash === -1) {
      files.set(path, oid);
      continue;
    }
    const folder = path.slice(0, slash);
    below.set(folder, [...(below.get(folder) ?? []), [path.slice(slash + 1), oid]]);
  }
  const folders = new Map([...below].map(([name, rest]) => [name, buildTree(rest)]));
  return { oid: treeId(files, folders), files, folders };
}

function treeId(files: ReadonlyMap<string, string>, folders: ReadonlyMap<string, TreeNode>): string {
  const rows = [
    ...[...files].map(([name, oid]) => ({ mode: '100644', name, oid, key: name })),
    // git sorts a folder as if its name ended with a slash.
    ...[...folders].map(([name, { oid }]) => ({ mode: '40000', name, oid, key: `${name}/` })),
  ];
  rows.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  return gitObjectId(
    'tree',
    Buffer.concat(
      rows.flatMap(({ mode, name, oid }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
    ),
  );
}
