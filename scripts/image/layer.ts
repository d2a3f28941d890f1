import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { type Descriptor, MediaType } from '../../src/oci/types.ts';

/** A file of a layer; its folders are made with it. A `target` makes it a symbolic link. */
export interface LayerFile {
  readonly path: string;
  readonly content?: Buffer;
  readonly isExecutable?: boolean;
  readonly target?: string;
}

export interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly bytes: Buffer;
  /** For the history of the image. */
  readonly comment: string;
}

/** Returns the layer of some files, the same bytes for the same files: no times, no owners, one order. */
export function makeLayer(comment: string, files: readonly LayerFile[]): Layer {
  const parts: Buffer[] = [];
  const folders = new Set<string>();
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    for (const folder of foldersOf(file.path)) {
      if (folders.has(folder)) continue;
      folders.add(folder);
      parts.push(tarEntryHeader({ path: folder, mode: 0o755, sizeBytes: 0, type: 'directory' }));
    }
    const { path, content = Buffer.alloc(0), isExecutable = false, target } = file;
    const mode = isExecutable ? 0o755 : 0o644;
    if (target !== undefined)
      parts.push(tarEntryHeader({ path, mode: 0o777, sizeBytes: 0, type: 'link', target }));
    else {
      parts.push(tarEntryHeader({ path, mode, sizeBytes: content.length, type: 'file' }));
      parts.push(content, Buffer.alloc(paddingFor(content.length)));
    }
  }
  const tar = Buffer.concat([...parts, END_OF_ARCHIVE]);
  const bytes = gzipSync(tar, { level: 6 });
  return {
    descriptor: { mediaType: MediaType.ociLayerGzip, digest: digestOf(bytes), size: bytes.length },
    diffId: digestOf(tar),
    bytes,
    comment,
  };
}

/** `a/`, `a/b/` of `a/b/c`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('/')}/`);
}
