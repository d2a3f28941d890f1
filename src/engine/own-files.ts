import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { table } from '../core/table.ts';

// Files that come with this program and are read as data. In a clone and in a package they are on disk; the single-file bundle
// has them inside, with another module in place of this one (scripts/bundle).

const CODE = new URL('../', import.meta.url);
const ROOT = new URL('../../', import.meta.url);

/** What the first part of a name stands for; a folder ends with "/". */
const PLACES = {
  'assets/': new URL('catalog/assets/', CODE),
  'bootstrap/': new URL('runtime/bootstrap/', CODE),
  'docs/': new URL('docs/', ROOT),
  'workflows/': new URL('.github/workflows/', ROOT),
} as const;

/** Latin alone: other scripts are drawn in the reader's own fonts. */
const FONTS = table<string>({
  'fonts/sans.woff2': '@fontsource-variable/ibm-plex-sans/files/ibm-plex-sans-latin-wght-normal.woff2',
  'fonts/mono.woff2': '@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-400-normal.woff2',
});

type OwnFolder = keyof typeof PLACES;

/** Returns the bytes of a file by its name, such as `docs/ci.md` or `package.json`. Throws if there is none. */
export function readOwnFile(name: string): Buffer {
  return readFileSync(placeOf(name));
}

/** Returns the names of all files in a folder and below, sorted: `docs/ci.md`. */
export function listOwnFiles(folder: OwnFolder): string[] {
  const root = fileURLToPath(PLACES[folder]);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .map(name => `${folder}${name}`)
    .sort();
}

/** Returns the names of the fonts that catalogs use. */
export function listOwnFonts(): string[] {
  return Object.keys(FONTS);
}

function placeOf(name: string): URL | string {
  const font = FONTS[name];
  if (font !== undefined) return createRequire(import.meta.url).resolve(font);
  for (const [folder, place] of Object.entries(PLACES))
    if (name.startsWith(folder)) return new URL(name.slice(folder.length), place);
  return new URL(name, name === 'build.json' ? CODE : ROOT);
}
