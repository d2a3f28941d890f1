import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { ModelConfig } from '../config/types.ts';
import {
  type FileKind,
  isAdapter,
  isOriginal,
  isWholeModel,
  kindOf,
  loadOrder,
  type WeightKind,
  weightKindOf,
} from '../core/model-files.ts';
import { loadFormatOf } from '../core/serve-flags.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';

/** Why a file does not go into the image. */
export type LeftOutRule =
  | 'excluded'
  | 'not-included'
  | 'second-copy'
  | 'other-format'
  | 'other-framework'
  | 'training'
  | 'pickle'
  | 'not-for-serving';

/** A file that images do not get, and why. */
export interface LeftOutFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly rule: LeftOutRule;
  /** For people, to be read after the path: `is a second copy of the weights in model.safetensors`. */
  readonly reason: string;
}

/** Which files images get. */
export interface FileChoice {
  /** Both in the order of the snapshot, by path. */
  readonly files: readonly HubFile[];
  readonly leftOut: readonly LeftOutFile[];
}

type Choosing = Pick<ModelConfig, 'files' | 'serveArgs'>;
/** The weights of a folder that vLLM loads: the first of these files. */
interface Loaded {
  readonly kind: WeightKind;
  readonly path: string;
}

type Verdict = Pick<LeftOutFile, 'rule' | 'reason'> | undefined;

const EXCLUDED = { rule: 'excluded', reason: 'matches `files.exclude`' } as const;
const NOT_INCLUDED = { rule: 'not-included', reason: 'matches nothing in `files.include`' } as const;

/**
 * Returns the repository's files that go into the image, and why the others do not. `files.include` replaces the built-in
 * choice; `files.exclude` takes away from either, first: what is excluded makes nothing else a second copy.
 */
export function chooseFiles(
  { files: all, unusable = [] }: Pick<ModelSnapshot, 'files' | 'unusable'>,
  { files: choice, serveArgs }: Choosing,
): FileChoice {
  const isExcluded = matcher(choice.exclude ?? []);
  const candidates = all.filter(({ path }) => !isExcluded(path));
  const verdictOf =
    choice.include === null
      ? builtInChoice(candidates, loadFormatOf(serveArgs), choice.allowPickle)
      : includeChoice(choice.include);
  const files: HubFile[] = [];
  const leftOut: LeftOutFile[] = unusable.map(file => ({
    ...file,
    ...(isExcluded(file.path) ? EXCLUDED : NOT_INCLUDED),
  }));
  for (const file of all) {
    const { path, sizeBytes } = file;
    const verdict = isExcluded(path) ? EXCLUDED : verdictOf(path);
    if (verdict === undefined) files.push(file);
    else leftOut.push({ path, sizeBytes, ...verdict });
  }
  return { files, leftOut };
}

/** Whether `files` of models.yaml leave a path out, whatever it is. */
export function isNotWanted({ include, exclude }: ModelConfig['files']): (path: string) => boolean {
  const isExcluded = matcher(exclude ?? []);
  const isIncluded = include === null ? () => true : matcher(include);
  return path => isExcluded(path) || !isIncluded(path);
}

function includeChoice(globs: readonly string[]): (path: string) => Verdict {
  const isIncluded = matcher(globs);
  return path => (isIncluded(path) ? undefined : NOT_INCLUDED);
}

/**
 * What vLLM needs, decided folder by folder: of several copies of the same weights in one folder it loads one, and what
 * stands alone in its folder (the `2_Dense/` of an embedding model) is a copy of nothing. The bootstrap decides the same
 * way for models that it looks up itself: `model_files.py` in the bootstrap.
 */
function builtInChoice(
  files: readonly HubFile[],
  format: string,
  allowPickle: boolean,
): (path: string) => Verdict {
  const weights = weightsOf(files, format);
  const { kinds, hasWeights, loadedIn } = weights;
  return path => {
    const kind = kinds.get(path) ?? 'other';
    const folder = posix.dirname(path);
    if (kind === 'extra') return { rule: 'not-for-serving', reason: 'is of no use to a server' };
    if (kind === 'training' && hasWeights)
      return { rule: 'training', reason: 'was left by training; a server does not load it' };
    if (kind === 'other-framework' && hasWeights)
      return { rule: 'other-framework', reason: 'is for another program; vLLM does not load it' };
    if (isOriginal(path)) {
      const above = loadedIn(folderAbove(path));
      if (above !== undefined) return secondCopy(above.path);
    }
    if (kind === 'pickle' && !allowPickle) {
      const safe = foldersUp(folder).some(up => loadedIn(up)?.kind === 'safetensors');
      const reason = 'is a pickle in a model of safetensors; `files.allow_pickle: true` takes it';
      return safe ? { rule: 'pickle', reason } : undefined;
    }
    if (kind === 'index') return indexVerdict(path, loadedIn(folder));
    return weightVerdict(path, weightKindOf(path), weights);
  };
}

/** What a repository has to load. */
interface Weights {
  /** Of every file, by path. */
  readonly kinds: ReadonlyMap<string, FileKind>;
  readonly hasWeights: boolean;
  /** Paths of safetensors without their ends. */
  readonly stems: ReadonlySet<string>;
  /** What vLLM loads from a folder. */
  readonly loadedIn: (folder: string) => Loaded | undefined;
}

function weightsOf(files: readonly HubFile[], format: string): Weights {
  const order = loadOrder(format);
  const kinds = new Map(files.map(({ path }) => [path, kindOf(path)]));
  const weights = files.map(({ path }) => path).filter(path => weightKindOf(path) !== undefined);
  const models = weights.filter(path => !isAdapter(path) && !isOriginal(path));
  const byFolder = Map.groupBy(models, path => posix.dirname(path));
  const ggufFirst = order[0] === 'gguf' ? models.filter(path => kinds.get(path) === 'gguf') : [];
  return {
    kinds,
    hasWeights: weights.length > 0,
    stems: new Set(weights.filter(path => kinds.get(path) === 'safetensors').map(stemOf)),
    loadedIn: memoize(folder => {
      const there = byFolder.get(folder) ?? [];
      // A folder of GGUF files below, when these are asked for, holds what is here too.
      const below = ggufFirst.filter(path => isBelow(path, folder));
      const named = there.filter(path => kinds.get(path) !== 'torch' || isWholeModel(path));
      for (const paths of [[...below, ...named], there]) {
        for (const kind of order) {
          const path = paths.find(one => kinds.get(one) === kind);
          if (path !== undefined) return { kind, path };
        }
      }
      return undefined;
    }),
  };
}

function weightVerdict(
  path: string,
  kind: WeightKind | undefined,
  { stems, loadedIn }: Pick<Weights, 'stems' | 'loadedIn'>,
): Verdict {
  if (kind === undefined) return undefined;
  const folder = posix.dirname(path);
  if (kind === 'gguf' || kind === 'tensorizer') {
    const loaded = foldersUp(folder)
      .map(loadedIn)
      .find(found => found !== undefined && found.kind !== kind);
    if (loaded === undefined) return undefined;
    return {
      rule: 'other-format',
      reason: `is another format of the weights in ${loaded.path}; \`--load-format ${kind}\` in serve_args takes it`,
    };
  }
  if (isAdapter(path)) {
    const isCopy = kind === 'torch' && stems.has(stemOf(path));
    return isCopy ? secondCopy(`${stemOf(path)}.safetensors`) : undefined;
  }
  const loaded = loadedIn(folder);
  if (loaded === undefined || loaded.kind === kind) return undefined;
  // `sparse_linear.pt` beside `model.safetensors` holds other tensors.
  const isPart = kind === 'torch' && !isWholeModel(path) && !stems.has(stemOf(path));
  return isPart ? undefined : secondCopy(loaded.path);
}

/** An index goes with its files: one that names files that are not there misleads loaders. */
function indexVerdict(path: string, loaded: Loaded | undefined): Verdict {
  if (loaded === undefined) return undefined;
  const name = posix.basename(path).toLowerCase();
  const kind = name.startsWith('consolidated')
    ? 'mistral'
    : /\.bin\.index/.test(name)
      ? 'torch'
      : 'safetensors';
  return kind === loaded.kind ? undefined : secondCopy(loaded.path);
}

function secondCopy(of: string): Verdict {
  return { rule: 'second-copy', reason: `is a second copy of the weights in ${of}` };
}

function stemOf(path: string): string {
  return path.replace(/\.[^./]+$/, '');
}

function folderAbove(path: string): string {
  return path.slice(0, path.search(/(?:^|\/)original\//i)) || '.';
}

/** The folder and all that it is in, up to the repository's top. */
function foldersUp(folder: string): string[] {
  return folder === '.' ? ['.'] : [folder, ...foldersUp(posix.dirname(folder))];
}

function isBelow(path: string, folder: string): boolean {
  return folder === '.' || path.startsWith(`${folder}/`);
}

/** As in .gitignore: a glob without a slash matches a name in any folder, one that ends in a slash a whole folder. */
function matcher(globs: readonly string[]): (path: string) => boolean {
  const tests = globs.map(glob => {
    const pattern = glob.endsWith('/') ? `${glob}**` : glob;
    const isMatch = picomatch(pattern, { dot: true, nocase: true, basename: !pattern.includes('/') });
    // A name with brackets or a backslash in it is meant as it is written, too.
    return (path: string) => isMatch(path) || path === glob || posix.basename(path) === glob;
  });
  return path => tests.some(test => test(path));
}

function memoize<T>(of: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return key => {
    if (!known.has(key)) known.set(key, of(key));
    return known.get(key) as T;
  };
}
