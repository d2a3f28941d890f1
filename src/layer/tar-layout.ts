import { createHash } from 'node:crypto';
import { END_OF_ARCHIVE, paddingFor, tarEntryHeader } from '../oci/tar-header.ts';
import type { LayerEntry, LayerRecipe } from './recipe.ts';

/** Changes whenever the same recipe would give other bytes, so that layers of an older form are not taken for it. */
export const RECIPE_VERSION = 'tar-1';

/** A run of a layer's bytes: known ones (headers, padding) or the content of an entry. */
export type Segment =
  | { readonly kind: 'bytes'; readonly start: number; readonly bytes: Buffer }
  | { readonly kind: 'content'; readonly start: number; readonly entry: LayerEntry };

/** Where every byte of a layer comes from; known before any content is read. */
export interface TarLayout {
  readonly recipe: LayerRecipe;
  readonly segments: readonly Segment[];
  readonly sizeBytes: number;
}

export function layOut(recipe: LayerRecipe): TarLayout {
  const segments: Segment[] = [];
  let start = 0;
  const addBytes = (bytes: Buffer): void => {
    segments.push({ kind: 'bytes', start, bytes });
    start += bytes.length;
  };
  const written = new Set<string>();
  for (const entry of recipe.entries) {
    for (const directory of directoriesOf(entry.path, recipe.root)) {
      if (written.has(directory)) continue;
      written.add(directory);
      addBytes(tarEntryHeader({ path: `${directory}/`, mode: 0o755, sizeBytes: 0, type: 'directory' }));
    }
    addBytes(
      tarEntryHeader({ path: entry.path, mode: entry.mode, sizeBytes: entry.sizeBytes, type: 'file' }),
    );
    segments.push({ kind: 'content', start, entry });
    start += entry.sizeBytes;
    addBytes(Buffer.alloc(paddingFor(entry.sizeBytes)));
  }
  addBytes(END_OF_ARCHIVE);
  // An empty file stays: it too has a hash to check.
  const isUseful = (segment: Segment): boolean => segment.kind === 'content' || segment.bytes.length > 0;
  return { recipe, segments: segments.filter(isUseful), sizeBytes: start };
}

export function lengthOf(segment: Segment): number {
  return segment.kind === 'bytes' ? segment.bytes.length : segment.entry.sizeBytes;
}

/**
 * The identity of a layer before it has a digest: two recipes with one key give the same bytes. It is written beside
 * the layer when it is published, and a later publish finds the layer by it.
 */
export function layerKey(recipe: LayerRecipe): string {
  const identity = [
    RECIPE_VERSION,
    recipe.root,
    recipe.entries.map(entry => [entry.path, entry.mode, entry.sizeBytes, entry.contentId]),
  ];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** The directories on the way to `path`, from `root` down. */
function directoriesOf(path: string, root: string): string[] {
  const directories: string[] = [];
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const directory = path.slice(0, slash);
    if (directory === root || directory.startsWith(`${root}/`)) directories.push(directory);
  }
  return directories;
}
