import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readOwnFile } from './own-files.ts';

/** What `npm run build` wrote about the build, and a release about itself. */
interface Build {
  /** The commit that was built; null if it was not built from a clone. */
  readonly commit: string | null;
  /** The tag of the release; null for any other build. */
  readonly tag: string | null;
  /** The release's container image of Weighbridge, with its digest where it was known. */
  readonly image: string | null;
}

const UNKNOWN: Build = { commit: null, tag: null, image: null };

/** Returns the version in `package.json`. */
export function packageVersion(): string {
  return readPackage().version;
}

/** Returns `owner/name` of this project on GitHub. */
export function projectRepository(): string {
  return readPackage().repository.replace(/^github:/, '');
}

/**
 * Returns what names this program in a workflow: the commit that is running, and behind it, as a comment, the tag of a
 * release. Only a build that knows neither names the tag of its version.
 */
export function projectRef(): { readonly ref: string; readonly comment: string } {
  const { commit, tag } = build();
  return {
    ref: commit ?? tag ?? `v${packageVersion()}`,
    comment: commit === null || tag === null ? '' : ` # ${tag}`,
  };
}

/** Returns the container image of this release of Weighbridge; undefined if this is not a release. */
export function releaseImage(): string | undefined {
  return build().image ?? undefined;
}

/** A workflow of this project itself, which `init` writes with another address in it. */
export type CallerWorkflow = 'build-publish.yml' | 'comment-plan.yml' | 'update-models.yml';

/** Returns the text of a workflow. */
export function workflowText(name: CallerWorkflow): string {
  return readOwnFile(`workflows/${name}`).toString('utf8');
}

function readPackage(): { readonly version: string; readonly repository: string } {
  return JSON.parse(readOwnFile('package.json').toString('utf8'));
}

/** Of a clone what git says now; of a package and a bundle what they were built from. */
function build(): Build {
  if (import.meta.url.endsWith('.ts')) return { ...UNKNOWN, commit: commitOfClone() };
  try {
    return { ...UNKNOWN, ...(JSON.parse(readOwnFile('build.json').toString('utf8')) as Partial<Build>) };
  } catch {
    return UNKNOWN;
  }
}

function commitOfClone(): string | null {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  // Not the commit of a repository around this one.
  if (!existsSync(path.join(root, '.git'))) return null;
  const { stdout } = spawnSync('git', ['-C', root, 'rev-parse', 'HEAD'], { encoding: 'utf8' });
  const commit = stdout?.trim() ?? '';
  return /^[0-9a-f]{40}$/.test(commit) ? commit : null;
}
