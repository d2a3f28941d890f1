import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version in `package.json`, which is two folders up in a clone (`src/engine`) and in a package (`dist/engine`) alike. */
export function packageVersion(): string {
  return readPackage().version;
}

/** `owner/name` of this project on GitHub. */
export function projectRepository(): string {
  return readPackage().repository.replace(/^github:/, '');
}

/**
 * What names this program in a workflow: the commit of a clone, so that what is written exists, or the tag of a package's
 * release.
 */
export function projectRef(): string {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  if (!existsSync(path.join(root, '.git'))) return `v${packageVersion()}`;
  const { stdout = '' } = spawnSync('git', ['-C', root, 'rev-parse', 'HEAD'], { encoding: 'utf8' });
  const commit = stdout?.trim() ?? '';
  return /^[0-9a-f]{40}$/.test(commit) ? commit : `v${packageVersion()}`;
}

/** A workflow of this project itself, which `init` writes with another address in it. */
export type CallerWorkflow = 'build-publish.yml' | 'comment-plan.yml' | 'update-models.yml';

/** Returns the text of a workflow. */
export function workflowText(name: CallerWorkflow): string {
  return readFileSync(new URL(`../../.github/workflows/${name}`, import.meta.url), 'utf8');
}

function readPackage(): { readonly version: string; readonly repository: string } {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
}
