import { readFileSync } from 'node:fs';

/** The version in `package.json`, which is two folders up in a clone (`src/engine`) and in a package (`dist/engine`) alike. */
export function packageVersion(): string {
  return readPackage().version;
}

/** `owner/name` of this project on GitHub. */
export function projectRepository(): string {
  return readPackage().repository.replace(/^github:/, '');
}

/** The workflow of this project itself, which `init` writes with another address in it. */
export function workflowText(): string {
  return readFileSync(new URL('../../.github/workflows/build-publish.yml', import.meta.url), 'utf8');
}

function readPackage(): { readonly version: string; readonly repository: string } {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
}
