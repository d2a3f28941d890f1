import { releaseOfBase } from '../fit/base-version.ts';
import { findRelease } from '../fit/releases.ts';
import { parseReference } from '../oci/reference.ts';
import type { PlannedModel } from './types.ts';

const VERSION = /^(v?)(\d+)\.(\d+)\.(\d+)(?:\.(\d+))?(?:\.?post(\d+))?(-[\w.-]+)?$/;
/** `v0.9.0-rc1` and the like are not releases. */
const UNFINISHED = /^-?(?:rc|alpha|beta|dev|nightly)/;
const NAMED_MODELS = 3;

/** The tag that a base image moves to, or why it stays. */
export type BaseChoice = { readonly tag: string } | { readonly reason: string };

/**
 * Returns the newest release among a repository's tags that all models on the base image run on, as far as the data about
 * vLLM tells. Tags are compared within one build: `v0.9.0-cu129` moves to another `-cu129`.
 */
export function chooseBase(
  baseImage: string,
  tags: readonly string[],
  models: readonly Pick<PlannedModel, 'model' | 'fit'>[],
): BaseChoice {
  const { tag } = parseReference(baseImage);
  const current = tag === undefined ? undefined : parseVersion(tag);
  if (current === undefined) return { reason: 'its tag is not a version' };
  const newer = tags
    .flatMap(name => {
      const version = parseVersion(name);
      return version !== undefined && version.build === current.build ? [{ name, ...version }] : [];
    })
    .filter(({ numbers }) => compareNumbers(numbers, current.numbers) > 0)
    .sort((a, b) => compareNumbers(b.numbers, a.numbers));
  const [newest] = newer;
  if (newest === undefined) return { reason: 'it is the newest release' };
  const isVllm = releaseOfBase(baseImage) !== undefined;
  const blockers = newer.map(({ name }) => (isVllm ? whyNot(name, models) : undefined));
  const found = newer[blockers.indexOf(undefined)];
  return found === undefined ? { reason: `${newest.name}: ${blockers[0]}` } : { tag: found.name };
}

/** Returns the newest release among tags, of the plain builds (`v0.9.0`); undefined if there is none. */
export function newestReleaseTag(tags: readonly string[]): string | undefined {
  const releases = tags.flatMap(name => {
    const version = parseVersion(name);
    return version?.build === 'v' ? [{ name, ...version }] : [];
  });
  return releases.sort((a, b) => compareNumbers(b.numbers, a.numbers))[0]?.name;
}

/** Why models do not run on a release of vLLM; undefined if all do. */
function whyNot(tag: string, models: readonly Pick<PlannedModel, 'model' | 'fit'>[]): string | undefined {
  const version = tag.replace(/^v/, '').replace(/-.*$/, '');
  const release = findRelease(version) ?? findRelease(version.replace(/\.?post\d+$/, ''));
  if (release === undefined) return 'this version of Weighbridge does not know the release';
  const unfit = models.filter(({ fit }) => fit.newer !== undefined && !fit.newer.includes(release.version));
  if (unfit.length === 0) return undefined;
  const names = unfit.slice(0, NAMED_MODELS).map(({ model }) => model.short);
  return `${names.join(', ')}${unfit.length > NAMED_MODELS ? ` and ${unfit.length - NAMED_MODELS} more` : ''} would not run on it`;
}

function parseVersion(
  tag: string,
): { readonly numbers: readonly number[]; readonly build: string } | undefined {
  const [match, prefix = '', ...parts] = VERSION.exec(tag) ?? [];
  const suffix = parts.at(-1) ?? '';
  if (match === undefined || UNFINISHED.test(suffix)) return undefined;
  return { numbers: parts.slice(0, 5).map(part => Number(part ?? 0)), build: `${prefix}${suffix}` };
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (const [index, number] of a.entries()) {
    const difference = number - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
