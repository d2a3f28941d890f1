import { posix } from 'node:path';
import {
  type FileKind,
  isAdapter,
  isLoadable,
  isNamedModel,
  isOriginal,
  isWholeModel,
  kindOf,
  loadOrder,
  torchEndings,
  type WeightKind,
  weightKindOf,
} from '../core/model-files.ts';
import { indexedSeries, missingNumbers, type SeriesPart, seriesOf } from '../core/weight-series.ts';

/** The weights of a folder that vLLM loads: the first of these files. */
export interface Loaded {
  readonly kind: WeightKind;
  readonly path: string;
  /** Whether it is called like a model, rather than like a part that stands for itself. */
  readonly isWhole: boolean;
}

/** What a repository has to load. */
export interface FolderWeights {
  /** Of every file, by path. */
  readonly kinds: ReadonlyMap<string, FileKind>;
  readonly hasWeights: boolean;
  /** Paths of safetensors without their ends. */
  readonly stems: ReadonlySet<string>;
  /** Returns what vLLM loads from a folder. */
  readonly loadedIn: (folder: string) => Loaded | undefined;
  /** Files whose weights another file of the same format and folder has too, with that file: another precision, or in one piece. */
  readonly copies: ReadonlyMap<string, string>;
  /** Whether Mistral's own format was asked for. */
  readonly wantsMistral: boolean;
  /** Folders with an adapter in them. */
  readonly adapted: ReadonlySet<string>;
}

/** Returns what a repository has to load, folder by folder, if vLLM is told to look for a format. */
export function folderWeights(paths: readonly string[], format: string): FolderWeights {
  const order = loadOrder(format);
  const kinds = new Map(paths.map(path => [path, kindOf(path)]));
  const weights = paths.filter(path => weightKindOf(path) !== undefined);
  const copies = findCopies(weights, kinds);
  const models = weights.filter(
    path => !isAdapter(path) && !isOriginal(path) && isLoadable(path) && !copies.has(path),
  );
  const byFolder = Map.groupBy(models, path => posix.dirname(path));
  const ggufFirst = order[0] === 'gguf' ? models.filter(path => kinds.get(path) === 'gguf') : [];
  const firstOf = (kind: WeightKind, paths: readonly string[]): string | undefined => {
    const found = paths.filter(path => kinds.get(path) === kind);
    if (kind !== 'torch') return found[0];
    const best = torchEndings(format).find(ending => found.some(path => path.endsWith(ending)));
    return best && found.find(path => path.endsWith(best));
  };
  const stems = new Set(weights.filter(path => kinds.get(path) === 'safetensors').map(stemOf));
  const isWhole = (path: string): boolean =>
    kinds.get(path) !== 'torch' || isWholeModel(path) || stems.has(stemOf(path));
  return {
    kinds,
    copies,
    stems,
    wantsMistral: order[0] === 'mistral',
    hasWeights: weights.length > 0,
    adapted: new Set(weights.filter(isAdapter).map(path => posix.dirname(path))),
    loadedIn: memoize(folder => {
      const there = byFolder.get(folder) ?? [];
      // A folder of GGUF files below, when these are asked for, holds what is here too.
      const below = ggufFirst.filter(path => isBelow(path, folder));
      const named = there.filter(isWhole);
      for (const paths of [[...below, ...named], there]) {
        for (const kind of order) {
          const path = firstOf(kind, paths);
          if (path !== undefined) return { kind, path, isWhole: paths !== there };
        }
      }
      return undefined;
    }),
  };
}

/** Whether two of PyTorch's files are the same weights in another wrapping: of `.bin` and `.pt` vLLM reads one. */
export function isOtherWrapping(path: string, loaded: Loaded): boolean {
  const isTorch = isNamedModel(path) && isNamedModel(loaded.path);
  return isTorch && posix.extname(path) !== posix.extname(loaded.path);
}

/** Returns the path of a file without its ending. */
export function stemOf(path: string): string {
  return path.replace(/\.[^./]+$/, '');
}

function findCopies(
  weights: readonly string[],
  kinds: ReadonlyMap<string, FileKind>,
): ReadonlyMap<string, string> {
  const copies = new Map<string, string>();
  const inSeries = weights.filter(path => ['safetensors', 'mistral', 'torch'].includes(kindOf(path)));
  const bySeries = Map.groupBy(
    inSeries.map(path => ({ path, ...seriesOf(path) })),
    ({ series }) => series,
  );
  for (const [series, parts] of bySeries) {
    const [first] = bySeries.get(parts[0]?.plain ?? '') ?? [];
    if (first !== undefined && first.plain !== series) {
      for (const { path } of parts) copies.set(path, first.path);
    } else if (kinds.has(series) && kinds.has(`${series}.index.json`)) {
      const whole = completeParts(parts)[0];
      if (whole !== undefined) copies.set(series, whole.path);
    }
  }
  for (const [path, kind] of kinds) {
    if (kind !== 'index') continue;
    const { series, plain } = seriesOf(indexedSeries(path));
    const [first] = bySeries.get(plain) ?? [];
    if (series !== plain && first !== undefined) copies.set(path, first.path);
  }
  return copies;
}

type Part = SeriesPart & { readonly path: string };

/** The numbered files of a series that are all there. An index names them rather than the one that is not numbered. */
function completeParts(parts: readonly Part[]): readonly Part[] {
  const byTotal = Map.groupBy(
    parts.filter(({ part }) => part !== undefined),
    ({ part }) => part?.total ?? 0,
  );
  const isComplete = ([total, found]: [number, readonly Part[]]): boolean =>
    missingNumbers(
      found.map(({ part }) => part?.number ?? 0),
      total,
    ).length === 0;
  return [...byTotal].find(isComplete)?.[1] ?? [];
}

function isBelow(path: string, folder: string): boolean {
  return folder === '.' || path.startsWith(`${folder}/`);
}

function memoize<T>(of: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return key => {
    if (!known.has(key)) known.set(key, of(key));
    return known.get(key) as T;
  };
}
