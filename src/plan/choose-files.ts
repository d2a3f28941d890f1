import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { ModelConfig } from '../config/types.ts';
import { type GlobTest, matched } from '../core/glob.ts';
import {
  aboveCheckpoint,
  isAdapter,
  isOriginal,
  isWholeModel,
  type WeightKind,
  weightKindOf,
} from '../core/model-files.ts';
import { loadFormatOf } from '../core/serve-flags.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import { type FolderWeights, folderWeights, isOtherWrapping, type Loaded, stemOf } from './folder-weights.ts';

/** Why a file does not go into the image. */
export type LeftOutRule =
  | 'excluded'
  | 'not-included'
  | 'second-copy'
  | 'other-format'
  | 'adapter'
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
  const excluded = matchedByGlobs(choice.exclude ?? [], [...all, ...unusable].map(pathOf));
  const candidates = all.filter(({ path }) => !excluded.has(path));
  const verdictOf =
    choice.include === null
      ? builtInChoice(candidates, loadFormatOf(serveArgs), choice.allowPickle)
      : includeChoice(choice.include, candidates);
  const files: HubFile[] = [];
  const leftOut: LeftOutFile[] = unusable.map(file => ({
    ...file,
    ...(excluded.has(file.path) ? EXCLUDED : NOT_INCLUDED),
  }));
  for (const file of all) {
    const { path, sizeBytes } = file;
    const verdict = excluded.has(path) ? EXCLUDED : verdictOf(path);
    if (verdict === undefined) files.push(file);
    else leftOut.push({ path, sizeBytes, ...verdict });
  }
  return { files, leftOut };
}

/** Returns the paths that `files` of models.yaml leaves out, whatever they are. */
export function notWanted(
  { include, exclude }: ModelConfig['files'],
  paths: readonly string[],
): ReadonlySet<string> {
  const excluded = matchedByGlobs(exclude ?? [], paths);
  if (include === null) return excluded;
  const included = matchedByGlobs(include, paths);
  return new Set(paths.filter(path => excluded.has(path) || !included.has(path)));
}

function includeChoice(globs: readonly string[], candidates: readonly HubFile[]): (path: string) => Verdict {
  const included = matchedByGlobs(globs, candidates.map(pathOf));
  return path => (included.has(path) ? undefined : NOT_INCLUDED);
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
  const weights = folderWeights(files.map(pathOf), format);
  const { kinds, hasWeights, loadedIn } = weights;
  return path => {
    const kind = kinds.get(path) ?? 'other';
    const folder = posix.dirname(path);
    if (kind === 'extra') return { rule: 'not-for-serving', reason: 'is of no use to a server' };
    if (kind === 'training' && hasWeights)
      return { rule: 'training', reason: 'was left by training; a server does not load it' };
    if (isLeftBehind(path, weights))
      return { rule: 'training', reason: 'is of an earlier step of the training; a server does not load it' };
    if (kind === 'other-framework' && hasWeights)
      return { rule: 'other-framework', reason: 'is for another program; vLLM does not load it' };
    if (isOriginal(path)) {
      const above = loadedIn(folderAbove(path));
      if (above !== undefined) return secondCopy(above.path);
    }
    if (kind === 'pickle' && !allowPickle) {
      const safe = foldersUp(folder).some(up => isSafe(loadedIn(up)?.kind));
      const reason = 'is a pickle in a model of safetensors; `files.allow_pickle: true` takes it';
      return safe ? { rule: 'pickle', reason } : undefined;
    }
    if (kind === 'index') return indexVerdict(path, loadedIn(folder), weights);
    return weightVerdict(path, weightKindOf(path), weights);
  };
}

/** A folder such as `checkpoint-500/`, where the folder above has the model, or the adapter, as it became. */
function isLeftBehind(path: string, { loadedIn, adapted }: FolderWeights): boolean {
  const above = aboveCheckpoint(path);
  if (above === undefined) return false;
  return (
    loadedIn(above || '.')?.isWhole === true ||
    (adapted.has(above || '.') && loadedIn(posix.dirname(path)) === undefined)
  );
}

function weightVerdict(path: string, kind: WeightKind | undefined, weights: FolderWeights): Verdict {
  if (kind === undefined) return undefined;
  const { stems, loadedIn, copies } = weights;
  const folder = posix.dirname(path);
  if (kind === 'gguf' || kind === 'tensorizer') {
    const loaded = foldersUp(folder)
      .map(loadedIn)
      .find(found => found !== undefined && found.kind !== kind);
    if (loaded === undefined) return undefined;
    // An image serves the folder of its model, and vLLM loads GGUF by the path of a file.
    const instead =
      kind === 'gguf'
        ? 'vLLM loads no GGUF from a folder'
        : `\`--load-format ${kind}\` in serve_args takes it`;
    return {
      rule: 'other-format',
      reason: `is another format of the weights in ${loaded.path}; ${instead}`,
    };
  }
  const loaded = loadedIn(folder);
  if (isAdapter(path)) {
    if (kind === 'torch' && stems.has(stemOf(path))) return secondCopy(`${stemOf(path)}.safetensors`);
    return isMistaken(path, loaded, weights)
      ? {
          rule: 'adapter',
          reason: `is an adapter beside ${loaded?.path}, and vLLM would take it for weights of the model; \`adapters\` serves it`,
        }
      : undefined;
  }
  if (loaded === undefined) return undefined;
  if (loaded.kind !== kind) {
    // `sparse_linear.pt` beside `model.safetensors` holds other tensors.
    const isPart = kind === 'torch' && !isWholeModel(path) && !stems.has(stemOf(path));
    return isPart ? undefined : secondCopy(loaded.path);
  }
  const copied = copies.get(path) ?? (isOtherWrapping(path, loaded) ? loaded.path : undefined);
  return copied === undefined ? undefined : secondCopy(copied);
}

/**
 * Whether vLLM would load an adapter as weights of the model in the same folder, or in their place: it takes all files of
 * an ending, unless an index of safetensors says which.
 */
function isMistaken(
  path: string,
  loaded: Loaded | undefined,
  { kinds, wantsMistral }: FolderWeights,
): boolean {
  if (!loaded?.isWhole) return false;
  const isSafetensors = weightKindOf(path) === 'safetensors';
  if (loaded.kind === 'mistral') return isSafetensors && !wantsMistral;
  if (loaded.kind === 'torch') return isSafetensors || posix.extname(path) === posix.extname(loaded.path);
  const index = posix.join(posix.dirname(path), 'model.safetensors.index.json');
  return loaded.kind === 'safetensors' && isSafetensors && !kinds.has(index);
}

/** An index goes with its files: one that names files that are not there misleads loaders. */
function indexVerdict(path: string, loaded: Loaded | undefined, { copies }: FolderWeights): Verdict {
  if (loaded === undefined) return undefined;
  const name = posix.basename(path).toLowerCase();
  const kind = name.startsWith('consolidated')
    ? 'mistral'
    : /\.bin\.index/.test(name)
      ? 'torch'
      : 'safetensors';
  if (kind !== loaded.kind) return secondCopy(loaded.path);
  const copied = copies.get(path);
  return copied === undefined ? undefined : secondCopy(copied);
}

function isSafe(kind: WeightKind | undefined): boolean {
  return kind === 'safetensors' || kind === 'mistral';
}

function secondCopy(of: string): Verdict {
  return { rule: 'second-copy', reason: `is a second copy of the weights in ${of}` };
}

function folderAbove(path: string): string {
  return path.slice(0, path.search(/(?:^|\/)original\//i)) || '.';
}

/** The folder and all that it is in, up to the repository's top. */
function foldersUp(folder: string): string[] {
  const parts = folder === '.' ? [] : folder.split('/');
  return [...parts.map((_, index) => parts.slice(0, parts.length - index).join('/')), '.'];
}

/**
 * As in .gitignore: a glob without a slash matches a name in any folder, one that ends in a slash a whole folder, and one
 * that begins with a slash begins at the top.
 */
function matchedByGlobs(globs: readonly string[], paths: readonly string[]): ReadonlySet<string> {
  const tests = globs.map((glob): GlobTest => {
    const anchored = glob.replace(/^\.?\//, '');
    const isAnywhere = anchored === glob && !glob.slice(0, -1).includes('/');
    const pattern = `${isAnywhere && glob.endsWith('/') ? '**/' : ''}${anchored}${glob.endsWith('/') ? '**' : ''}`;
    const isMatch = picomatch(pattern, {
      dot: true,
      nocase: true,
      basename: isAnywhere && !pattern.includes('/'),
    });
    // A name with brackets or a backslash in it is meant as it is written, too.
    return { glob, isMatch: path => isMatch(path) || path === glob || posix.basename(path) === glob };
  });
  return matched(tests, paths);
}

function pathOf({ path }: { readonly path: string }): string {
  return path;
}
