import { byPath } from '../../core/bytes-order.ts';
import type { HubFile } from '../../hub/types.ts';
import { inlineEntry } from '../../layer/inline-entry.ts';
import { type LayerEntry, type LayerRecipe, partContentId } from '../../layer/recipe.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import { unpackResharding } from '../../plan/split/resharding-json.ts';
import type { LayerLimit, PlannedModel, ShardedFile, ShardSlice } from '../../plan/types.ts';
import { hubEntry } from './hub-entry.ts';
import { MAX_IMAGE_LAYERS, MAX_LAYER_BYTES, packFiles } from './pack-layers.ts';

/**
 * Returns the layers of the model's own files, in the order of the image: weights first. `otherLayers` counts what the
 * image has besides: its base, licenses. Throws WeighbridgeError IMAGE_TOO_MANY_LAYERS.
 */
export function modelLayers(planned: PlannedModel, otherLayers: number): LayerRecipe[] {
  const resharding = planned.resharding && unpackResharding(planned.resharding);
  const sharded = resharding?.files ?? [];
  const parts = sharded.flatMap(file => file.parts.map(part => ({ file, part })));
  const packed = packFiles(wholeFiles(planned), {
    // Small files have a layer, and so has each part of a divided file.
    maxLayers: MAX_IMAGE_LAYERS - otherLayers - 1 - parts.length,
    maxLayerBytes: maxSharedBytes(planned),
    subject: planned.model.id,
  });
  const dir = modelDirOf(planned).slice(1);
  const root = planned.model.downloadRoot.slice(1);
  const recipe = (kind: 'weights' | 'files', entries: readonly LayerEntry[]): LayerRecipe => ({
    kind,
    name: nameOf(entries, dir),
    root,
    entries,
  });
  const small = [
    ...packed.small.map(file => hubEntry(planned.snapshot, file, dir)),
    ...(resharding?.indexes ?? []).map(({ path, text }) => inlineEntry(`${dir}/${path}`, 0o644, text)),
  ].sort(byPath);
  return [
    ...packed.weights.map(files =>
      recipe(
        'weights',
        files.map(file => hubEntry(planned.snapshot, file, dir)),
      ),
    ),
    ...parts.map(({ file, part }) => recipe('weights', [partEntry(planned, file, part, dir)])),
    ...(small.length === 0 ? [] : [recipe('files', small)]),
  ];
}

/** The files that the image has as the repository has them. */
function wholeFiles({ files, resharding }: PlannedModel): readonly HubFile[] {
  if (resharding === undefined) return files;
  const replaced = new Set([
    ...resharding.files.map(({ source }) => source.path),
    ...resharding.indexes.map(index => index.path),
  ]);
  return files.filter(({ path }) => !replaced.has(path));
}

/** Files that share a layer stay well below a limit: each adds a little to the tar. */
function maxSharedBytes({ layerLimit }: PlannedModel): number {
  const limit = layerLimit?.maxLayerBytes ?? Number.POSITIVE_INFINITY;
  return Math.min(MAX_LAYER_BYTES, Math.floor(limit * SHARED_PART));
}

const SHARED_PART = 0.99;

/** Returns the limit under which files of one layer have at most so many bytes together. */
export function sharedLimit(maxBytes: number): LayerLimit {
  return { registry: 'image', maxLayerBytes: Math.ceil(maxBytes / SHARED_PART), source: 'built-in' };
}

function nameOf(entries: readonly LayerEntry[], dir: string): string {
  const first = entries[0]?.path.slice(dir.length + 1);
  return entries.length === 1 && first !== undefined ? first : `${first} and ${entries.length - 1} more`;
}

function partEntry(
  { snapshot }: PlannedModel,
  { source }: ShardedFile,
  { path, sizeBytes, header, start, end }: ShardSlice,
  dir: string,
): LayerEntry {
  const place = { repository: snapshot.id, revision: snapshot.revision, path };
  const part = { source, header, start, end };
  return {
    path: `${dir}/${path}`,
    mode: 0o644,
    sizeBytes,
    contentId: partContentId(part),
    content: { kind: 'part', ...place, ...part },
  };
}
