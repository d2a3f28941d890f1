import { createHash } from 'node:crypto';
import { END_OF_ARCHIVE, padding, tarEntryHeader } from '../oci/tar-header.ts';
import type { LayerEntry, LayerRecipe } from './recipe.ts';

/** Changes whenever the same recipe would give other bytes, so that layers of an older form are not taken for it. */
const RECIPE_VERSION = 'tar-1';
const RAW_VERSION = 'raw-1';

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

/** What a link may be done with is its target's to say. */
const LINK_MODE = 0o777;

/** Returns where every byte of a layer's tar comes from, without reading any. */
export function layOut(recipe: LayerRecipe): TarLayout {
  if (recipe.form === 'raw') return layOutRaw(recipe);
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
    const { path, mode, sizeBytes, linkTarget } = entry;
    if (linkTarget !== undefined) {
      addBytes(tarEntryHeader({ path, mode: LINK_MODE, sizeBytes: 0, type: 'link', target: linkTarget }));
      continue;
    }
    addBytes(tarEntryHeader({ path, mode, sizeBytes, type: 'file' }));
    segments.push({ kind: 'content', start, entry });
    start += entry.sizeBytes;
    addBytes(padding(entry.sizeBytes));
  }
  addBytes(END_OF_ARCHIVE);
  // An empty file stays: it too has a hash to check.
  const isUseful = (segment: Segment): boolean => segment.kind === 'content' || segment.bytes.length > 0;
  return { recipe, segments: segments.filter(isUseful), sizeBytes: start };
}

function layOutRaw(recipe: LayerRecipe): TarLayout {
  const [entry, second] = recipe.entries;
  if (entry === undefined || second !== undefined)
    throw new RangeError(`expected one file for the blob ${recipe.name}, got ${recipe.entries.length}`);
  return { recipe, segments: [{ kind: 'content', start: 0, entry }], sizeBytes: entry.sizeBytes };
}

/** Returns the bytes of a segment. */
export function lengthOf(segment: Segment): number {
  return segment.kind === 'bytes' ? segment.bytes.length : segment.entry.sizeBytes;
}

/**
 * Returns the identity of a layer before it has a digest: two recipes with one key give the same bytes. It is published
 * with the layer, and a later publish finds the layer by it.
 */
export function layerKey(recipe: LayerRecipe): string {
  const identity = [
    recipe.form === 'raw' ? RAW_VERSION : RECIPE_VERSION,
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
