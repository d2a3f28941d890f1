import { isAdapter, isWeights, kindOf, weightKindOf } from '../core/model-files.ts';
import { plainLine } from '../core/safe-text.ts';
import { loadFormatOf } from '../core/serve-flags.ts';
import type { HubFile } from './types.ts';

/** A fact about a model's files that keeps vLLM from starting. */
export interface FileFinding {
  readonly rule: 'no-weights' | 'adapter-alone' | 'gguf-alone' | 'weights-pointer' | 'weights-page';
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

/** What findings about files rest on. */
export interface FileFacts {
  /** The files that the image gets. */
  readonly files: readonly Pick<HubFile, 'path'>[];
  /** All files of the repository. */
  readonly all: readonly Pick<HubFile, 'path'>[];
  readonly serveArgs: readonly string[];
  readonly disguised: readonly DisguisedFile[];
  /** The repository, and the models that it names as its base. */
  readonly id?: string;
  readonly bases?: readonly string[];
}

/**
 * Returns what the files say about whether vLLM can start, from paths and first bytes alone: a pure function for `fit`,
 * `plan`, `publish` and `add`. An empty list does not promise that vLLM starts.
 */
export function fileFindings(facts: FileFacts): FileFinding[] {
  return [...facts.disguised.map(disguise), ...weightFindings(facts)];
}

function weightFindings({ files, all, serveArgs, id, bases = [] }: FileFacts): FileFinding[] {
  // It starts with random weights.
  if (loadFormatOf(serveArgs) === 'dummy') return [];
  const weights = files.filter(({ path }) => weightKindOf(path) !== undefined);
  const models = weights.filter(({ path }) => !isAdapter(path));
  // vLLM looks in the folder itself, not in those below.
  const atTop = models.filter(({ path }) => !path.includes('/'));
  const gguf = models.filter(({ path }) => kindOf(path) === 'gguf');
  if (gguf.length > 0 && gguf.length === models.length) {
    return [
      {
        rule: 'gguf-alone',
        message:
          'It has GGUF files only: vLLM wants the path of one of them, so the image does not start as it is.',
        evidence: listed(gguf),
        remedy: 'Use the repository that it was converted from.',
      },
    ];
  }
  if (atTop.length > 0) return [];
  if (models.length > 0) {
    return [
      {
        rule: 'no-weights',
        message: 'Its weights are in folders: vLLM looks for them at the top of the repository.',
        evidence: listed(models),
      },
    ];
  }
  if (weights.length > 0) {
    return [
      {
        rule: 'adapter-alone',
        message: 'It is an adapter (LoRA) without the model that it belongs to: vLLM cannot serve it alone.',
        evidence: listed(weights),
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
      evidence: others.length === 0 ? `none of ${all.length} files holds weights` : listed(others),
      ...(isLeftOut && { remedy: 'Check `files.include` and `files.exclude`.' }),
    },
  ];
}

function adapterRemedy(id: string | undefined, base: string | undefined): string {
  const entry =
    id === undefined ? '' : ` as \`adapters: [{id: ${id}, name: ${id.slice(id.lastIndexOf('/') + 1)}}]\``;
  return `Publish ${base === undefined ? 'the base model' : `its base model ${plainLine(base)}`}, and add the adapter to that entry${entry}.`;
}

function disguise({ path, is }: DisguisedFile): FileFinding {
  return is === 'lfs-pointer'
    ? {
        rule: 'weights-pointer',
        message: `${path} is not the weights but a Git LFS pointer to them.`,
        evidence: `the file begins with ${JSON.stringify(LFS_POINTER)}`,
        remedy: 'Pin another revision, or use another repository: the weights were not uploaded.',
      }
    : {
        rule: 'weights-page',
        message: `${path} is not the weights but a web page.`,
        evidence: 'the file begins as HTML does',
        remedy: 'Pin another revision, or use another repository.',
      };
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

function listed(files: readonly Pick<HubFile, 'path'>[]): string {
  const paths = files.map(({ path }) => path);
  const more = paths.length > MAX_LISTED ? ` and ${paths.length - MAX_LISTED} more` : '';
  return `${paths.slice(0, MAX_LISTED).join(', ')}${more}`;
}
