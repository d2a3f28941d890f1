import { posix } from 'node:path';
import { isAdapter, isWeights, kindOf, lookedFor, weightKindOf } from '../core/model-files.ts';
import { plainLine } from '../core/safe-text.ts';
import { givenLoadFormat, loadFormatOf } from '../core/serve-flags.ts';
import { indexedSeries, missingNumbers, seriesOf } from '../core/weight-series.ts';
import type { HubFile } from './types.ts';

/** A fact about a model's files that keeps vLLM from starting. */
export interface FileFinding {
  readonly rule:
    | 'no-weights'
    | 'adapter-alone'
    | 'gguf-alone'
    | 'weights-pointer'
    | 'weights-page'
    | 'weights-incomplete';
  readonly message: string;
  /** What it rests on. */
  readonly evidence: string;
  readonly remedy?: string;
}

/** What a file that should hold weights holds in truth. */
export interface DisguisedFile {
  readonly path: string;
  readonly is: 'lfs-pointer' | 'html';
}

/** An index of weights, and the files that it names. */
export interface ReadIndex {
  readonly path: string;
  readonly names: readonly string[];
}

/** What findings about files rest on. */
export interface FileFacts {
  /** The files that the image gets. */
  readonly files: readonly Pick<HubFile, 'path' | 'sizeBytes'>[];
  /** All files of the repository. */
  readonly all: readonly Pick<HubFile, 'path'>[];
  readonly serveArgs: readonly string[];
  readonly disguised: readonly DisguisedFile[];
  /** Indexes whose files seem not to be there; those that were read. */
  readonly indexes?: readonly ReadIndex[];
  /** The repository, and the models that it names as its base. */
  readonly id?: string;
  readonly bases?: readonly string[];
}

/**
 * Returns what the files say about whether vLLM can start, from paths and first bytes alone: a pure function for `fit`,
 * `plan`, `publish` and `add`. An empty list does not promise that vLLM starts.
 */
export function fileFindings(facts: FileFacts): FileFinding[] {
  // It starts with random weights, and reads none.
  if (loadFormatOf(facts.serveArgs) === 'dummy') return [];
  return [
    ...facts.disguised.map(file => disguise(file, facts)),
    ...emptyFindings(facts),
    ...missingFindings(facts),
    ...weightFindings(facts),
  ];
}

function emptyFindings(facts: FileFacts): FileFinding[] {
  const empty = facts.files.filter(
    ({ path, sizeBytes }) => sizeBytes === 0 && weightKindOf(path) !== undefined,
  );
  return empty.map(({ path }) => ({
    rule: 'weights-incomplete',
    message: `${path} is empty: it holds no weights.`,
    evidence: 'the file has 0 bytes',
    remedy: withoutFile(path, facts),
  }));
}

/** vLLM stops at an index that names a file that is not there, and older releases serve what is left. */
function missingFindings({ files, all, indexes = [] }: FileFacts): FileFinding[] {
  const chosen = new Set(files.map(({ path }) => path));
  const found = indexes.flatMap(({ path, names }): FileFinding[] => {
    const absent = names.filter(name => !chosen.has(name));
    if (absent.length === 0 && names.length > 0) return [];
    const others = partsAtTop(files).filter(part => part.series === indexedSeries(path));
    const evidence = `${path} names ${names.length} files`;
    return others.length > 0 && absent.length === names.length
      ? [
          {
            rule: 'weights-incomplete',
            message: `${path} names ${names.length === 0 ? 'no files' : listed(absent)}, and the weights are in ${listed(others.map(part => part.path))}: vLLM loads only what it names.`,
            evidence,
            remedy: `Leave the index out with \`files.exclude\`: ["${path}"].`,
          },
        ]
      : names.length === 0
        ? []
        : [incomplete(absent, all, evidence)];
  });
  // Only an index that was read tells whether a gap in the numbers is meant. In one piece all of them are there.
  const gaps = seriesWithGaps(files).filter(
    ({ series }) => !chosen.has(`${series}.index.json`) && !chosen.has(series),
  );
  return [...found, ...gaps.map(({ missing, evidence }) => incomplete(missing, all, evidence))];
}

function incomplete(missing: readonly string[], all: FileFacts['all'], evidence: string): FileFinding {
  const listedOnHub = new Set(all.map(({ path }) => path));
  const isLeftOut = missing.every(path => listedOnHub.has(path));
  const other = otherWeights(missing[0] ?? '', all);
  const upload = 'Pin another revision, or use another repository: not all of the weights were uploaded.';
  return {
    rule: 'weights-incomplete',
    message: `The weights are incomplete: ${listed(missing)} ${missing.length === 1 ? 'is' : 'are'} missing.`,
    evidence,
    remedy: isLeftOut
      ? 'Check `files.include` and `files.exclude`.'
      : other === undefined
        ? upload
        : `Leave what is there of them out with \`files.exclude\`: ${plainLine(other)} counts then. Or pin another revision.`,
  };
}

interface SeriesWithGaps {
  readonly series: string;
  readonly missing: readonly string[];
  readonly evidence: string;
}

/** Returns the numbered weights at the top of a repository that are not all there, by their names. */
export function seriesWithGaps(files: FileFacts['files']): readonly SeriesWithGaps[] {
  const bySeries = Map.groupBy(
    partsAtTop(files).filter(({ part }) => part !== undefined),
    ({ series, part }) => `${part?.total} ${series}`,
  );
  return [...bySeries.values()].flatMap(parts => {
    const [{ path, series, part: { total } = { total: 0 } } = { path: '', series: '' }] = parts;
    const missing = missingNumbers(
      parts.map(({ part }) => part?.number ?? 0),
      total,
    );
    // As many digits as its neighbor has.
    const nameOf = (number: number): string =>
      path.replace(
        /-(\d+)(?=-of-\d+\.[^/]*$)/,
        (_, digits: string) => `-${String(number).padStart(digits.length, '0')}`,
      );
    const evidence = `${parts.length} of ${total} files are there`;
    return missing.length === 0 ? [] : [{ series, missing: missing.map(nameOf), evidence }];
  });
}

function partsAtTop(files: FileFacts['files']) {
  return files
    .filter(({ path }) => !path.includes('/') && weightKindOf(path) !== undefined)
    .map(({ path }) => ({ path, ...seriesOf(path) }));
}

function weightFindings({ files, all, serveArgs, id, bases = [] }: FileFacts): FileFinding[] {
  const weights = files.filter(({ path }) => weightKindOf(path) !== undefined);
  const models = weights.filter(({ path }) => !isAdapter(path));
  // vLLM looks in the folder itself, not in those below.
  const atTop = models.filter(({ path }) => !path.includes('/'));
  const gguf = models.filter(({ path }) => kindOf(path) === 'gguf');
  if (gguf.length > 0 && gguf.length === models.length) return [ggufFinding(gguf, all)];
  if (atTop.length > 0) return nameFindings(atTop, serveArgs);
  if (models.length > 0) {
    return [
      {
        rule: 'no-weights',
        message: 'Its weights are in folders: vLLM looks for them at the top of the repository.',
        evidence: pathsOf(models),
        remedy: 'Use a repository that has them at its top.',
      },
    ];
  }
  if (weights.length > 0) {
    return [
      {
        rule: 'adapter-alone',
        message: 'It is an adapter (LoRA) without the model that it belongs to: vLLM cannot serve it alone.',
        evidence: pathsOf(weights),
        remedy: adapterRemedy(id, bases[0]),
      },
    ];
  }
  const others = all.filter(({ path }) => isWeights(path));
  const isLeftOut = others.some(({ path }) => weightKindOf(path) !== undefined);
  return [
    {
      rule: 'no-weights',
      message: isLeftOut
        ? 'No weights that vLLM could load go into the image: all of them are left out.'
        : 'It has no weights that vLLM could load.',
      evidence: others.length === 0 ? `none of ${all.length} files holds weights` : pathsOf(others),
      ...(isLeftOut && { remedy: 'Check `files.include` and `files.exclude`.' }),
    },
  ];
}

/** Weights that a flag makes vLLM pass over, or that have names that it does not look for. */
function nameFindings(weights: readonly { readonly path: string }[], args: readonly string[]): FileFinding[] {
  const format = givenLoadFormat(args);
  const globs = lookedFor(format);
  const isFound = (among: readonly string[]): boolean =>
    weights.some(({ path }) => among.some(glob => isNamed(path, glob)));
  if (globs === undefined || isFound(globs)) return [];
  const flag = format === 'auto' ? '' : `With \`--load-format ${plainLine(format)}\` `;
  const isFlag = flag !== '' && isFound(lookedFor('auto') ?? []);
  return [
    {
      rule: 'no-weights',
      message: `${flag}vLLM looks for ${globs.join(', ')} at the top of the repository, and none of the weights in the image has such a name.`,
      evidence: pathsOf(weights),
      remedy: isFlag
        ? `Remove \`--load-format ${plainLine(format)}\` from serve_args.`
        : 'Use a repository that has the weights as *.safetensors.',
    },
  ];
}

/** On Linux upper and lower case differ, for vLLM too. */
function isNamed(path: string, glob: string): boolean {
  const [start = '', end = ''] = glob.split('*');
  return path.startsWith(start) && path.endsWith(end);
}

function ggufFinding(gguf: FileFacts['all'], all: FileFacts['all']): FileFinding {
  const others = all.filter(
    ({ path }) =>
      !path.includes('/') && !isAdapter(path) && ![undefined, 'gguf'].includes(weightKindOf(path)),
  );
  const what = others.length === 0 ? 'It has GGUF files only' : 'Of its weights only GGUF files are taken';
  return {
    rule: 'gguf-alone',
    message: `${what}: vLLM wants the path of one of them, so the image does not start as it is.`,
    evidence: pathsOf(gguf),
    remedy:
      others.length === 0
        ? 'Use the repository that it was converted from.'
        : `Remove what asks for GGUF from serve_args, or what leaves out ${pathsOf(others)} from \`files\`.`,
  };
}

function adapterRemedy(id: string | undefined, base: string | undefined): string {
  const entry =
    id === undefined ? '' : ` as \`adapters: [{id: ${id}, name: ${id.slice(id.lastIndexOf('/') + 1)}}]\``;
  return `Publish ${base === undefined ? 'the base model' : `its base model ${plainLine(base)}`}, and add the adapter to that entry${entry}.`;
}

function disguise({ path, is }: DisguisedFile, facts: FileFacts): FileFinding {
  return is === 'lfs-pointer'
    ? {
        rule: 'weights-pointer',
        message: `${path} is not the weights but a Git LFS pointer to them.`,
        evidence: `the file begins with ${JSON.stringify(LFS_POINTER)}`,
        remedy: withoutFile(path, facts),
      }
    : {
        rule: 'weights-page',
        message: `${path} is not the weights but a web page.`,
        evidence: 'the file begins as HTML does',
        remedy: withoutFile(path, facts),
      };
}

/** What is to be done about a file without the weights that it should hold. */
function withoutFile(path: string, { all }: FileFacts): string {
  const other = otherWeights(path, all);
  const another = 'Pin another revision, or use another repository';
  return other === undefined || seriesOf(path).part !== undefined
    ? `${another}: the weights were not uploaded.`
    : `Leave it out with \`files.exclude\`: ${plainLine(other)} counts then. Or pin another revision.`;
}

/** Weights of another format in the folder of a file: they count where that one does not. */
function otherWeights(path: string, all: FileFacts['all']): string | undefined {
  const others = all.filter(one => posix.dirname(one.path) === posix.dirname(path) && !isAdapter(one.path));
  return others.find(one => ![undefined, weightKindOf(path)].includes(weightKindOf(one.path)))?.path;
}

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** Weights are larger, so that most models cost no request; what is kept as a large object is smaller only by mistake. */
export const MAX_DISGUISED_BYTES = 64 * 1024;
/** Of a file, to tell what it is. */
export const HEAD_BYTES = 256;

/** Returns what the first bytes of a file of weights show it to be; undefined if they may be weights. */
export function disguiseOf(path: string, head: Uint8Array): DisguisedFile | undefined {
  const text = Buffer.from(head).toString('latin1');
  if (text.startsWith(LFS_POINTER)) return { path, is: 'lfs-pointer' };
  return /^(\u00ef\u00bb\u00bf)?\s*<(!doctype html|html|head)[\s>]/i.test(text)
    ? { path, is: 'html' }
    : undefined;
}

const MAX_LISTED = 4;

function pathsOf(files: readonly Pick<HubFile, 'path'>[]): string {
  return listed(files.map(({ path }) => path));
}

function listed(paths: readonly string[]): string {
  const more = paths.length > MAX_LISTED ? ` and ${paths.length - MAX_LISTED} more` : '';
  return `${paths
    .slice(0, MAX_LISTED)
    .map(path => plainLine(path))
    .join(', ')}${more}`;
}
