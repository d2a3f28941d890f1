import { holdsWeights } from '../config/variants.ts';
import { parseManifest } from '../oci/parse.ts';
import type { Annotations, Manifest } from '../oci/types.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { StoredManifest } from '../store/image-store.ts';
import { type AdapterEntry, readLabels } from './format/labels.ts';
import { layerKindOf, readLayerDescriptor } from './format/layer-annotations.ts';
import type { ImageDraft } from './types.ts';

/** How an image differs from the one that its tag named before. What is the same in both is left out. */
export interface ImageChange {
  readonly revision?: FromTo;
  /** SPDX expressions of the label; empty if there was or is none. */
  readonly license?: FromTo;
  /** Digests of the base image. */
  readonly base?: FromTo;
  /** Commits of adapters that came, went or moved, by name; empty if there was or is none. */
  readonly adapters?: Readonly<Record<string, FromTo>>;
  /** Paths in the image; absent for a slim image, and where the older one is of several platforms. */
  readonly files?: FileChanges;
}

/** Files that came, went or changed, by path. */
export interface FileChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** A value before and after. */
export interface FromTo {
  readonly from: string;
  readonly to: string;
}

/** Returns what is new since the image that was there before; undefined if there was none, or one that is not ours. */
export function changeSince(
  previous: StoredManifest | undefined,
  planned: PlannedModel,
  draft: ImageDraft,
): ImageChange | undefined {
  const before = previous && readManifest(previous);
  const stated = readLabels(before?.annotations);
  const revision = stated.modelRevision;
  if (before === undefined || revision === undefined) return undefined;
  const base = stated.base?.digest;
  const license = stated.license ?? '';
  const newLicense = readLabels(draft.platforms[0]?.labels).license ?? '';
  const newBase = draft.platforms[0]?.base?.digest;
  return {
    ...(revision === planned.snapshot.revision
      ? {}
      : fromTo('revision', revision, planned.snapshot.revision)),
    ...(license === newLicense ? {} : fromTo('license', license, newLicense)),
    ...adapterChanges(stated.adapters, readLabels(draft.platforms[0]?.labels).adapters),
    ...(base === undefined || newBase === undefined || base === newBase ? {} : fromTo('base', base, newBase)),
    ...(holdsWeights(draft.variant) && before.layers !== undefined
      ? { files: fileChanges(before, draft) }
      : {}),
  };
}

function adapterChanges(
  before: readonly AdapterEntry[],
  after: readonly AdapterEntry[],
): Pick<ImageChange, 'adapters'> {
  const commit = (list: readonly AdapterEntry[], name: string): string =>
    list.find(one => one.name === name)?.revision ?? '';
  const names = new Set([...before, ...after].map(({ name }) => name));
  const changes = [...names]
    .map(name => [name, { from: commit(before, name), to: commit(after, name) }] as const)
    .filter(([, { from, to }]) => from !== to);
  return changes.length === 0 ? {} : { adapters: Object.fromEntries(changes) };
}

function fromTo<K extends string>(key: K, from: string, to: string): Record<K, FromTo> {
  return { [key]: { from, to } } as Record<K, FromTo>;
}

function fileChanges({ layers = [] }: ReadableManifest, draft: ImageDraft): FileChanges {
  const before = new Map(
    layers
      .filter(layer => isOfModel(layerKindOf(layer)))
      .flatMap(layer => readLayerDescriptor(layer)?.files ?? [])
      .map(file => [file.path, file.contentId]),
  );
  const after = new Map(
    (draft.platforms[0]?.layers ?? [])
      .filter(({ recipe }) => isOfModel(recipe.kind))
      .flatMap(({ recipe }) => recipe.entries)
      .map(entry => [entry.path, entry.contentId as string]),
  );
  return {
    added: [...after.keys()].filter(path => !before.has(path)),
    changed: [...after]
      .filter(([path, id]) => before.has(path) && before.get(path) !== id)
      .map(([path]) => path),
    removed: [...before.keys()].filter(path => !after.has(path)),
  };
}

function isOfModel(kind: string | undefined): boolean {
  return kind === 'weights' || kind === 'files';
}

interface ReadableManifest {
  readonly annotations?: Annotations | undefined;
  readonly layers?: Manifest['layers'];
}

function readManifest({ bytes, mediaType, digest }: StoredManifest): ReadableManifest | undefined {
  try {
    const parsed = parseManifest(bytes, mediaType, digest);
    return parsed.kind === 'manifest' ? parsed.manifest : { annotations: parsed.index.annotations };
  } catch {
    // The tag names something else, which is about to be replaced.
    return undefined;
  }
}
