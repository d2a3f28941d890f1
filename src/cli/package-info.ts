import { readFileSync } from 'node:fs';

/** The version in `package.json`, which is two folders up in a clone (`src/cli`) and in a package (`dist/cli`) alike. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
