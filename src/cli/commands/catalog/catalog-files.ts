import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { CatalogData } from '../../../catalog/catalog-data.ts';
import type { SiteFile } from '../../../catalog/make-site.ts';
import type { DocSource } from '../../../catalog/pages/docs-page.ts';
import { ConfigError } from '../../../core/errors.ts';
import { reasonOf } from '../../../core/system-error.ts';

const ASSETS = new URL('../../../catalog/assets/', import.meta.url);
const DOCS = new URL('../../../../docs/', import.meta.url);

/** Latin alone: other scripts are drawn in the reader's own fonts. */
const FONTS = {
  'sans.woff2': '@fontsource-variable/ibm-plex-sans/files/ibm-plex-sans-latin-wght-normal.woff2',
  'mono.woff2': '@fontsource/ibm-plex-mono/files/ibm-plex-mono-latin-400-normal.woff2',
} as const;

/** In the order in which they are joined: of rules that weigh the same, the later one wins. */
const STYLES = ['tokens', 'base', 'frame', 'parts', 'list', 'model', 'run', 'weigh', 'tables', 'docs'];

/** Styles, scripts and fonts of every site; the styles are one file, which a page asks for once. */
export async function readAssets(): Promise<SiteFile[]> {
  const require = createRequire(import.meta.url);
  const own = ['site.js', 'list.js', 'icon.svg'].map(name => [name, new URL(name, ASSETS)] as const);
  const fonts = Object.entries(FONTS).map(([name, file]) => [name, require.resolve(file)] as const);
  const styles = STYLES.map(name => readFile(new URL(`styles/${name}.css`, ASSETS), 'utf8'));
  const files = await Promise.all(
    [...own, ...fonts].map(async ([name, file]) => ({
      path: `assets/${name}`,
      content: await readFile(file),
    })),
  );
  return [{ path: 'assets/site.css', content: (await Promise.all(styles)).join('\n') }, ...files];
}

/** The documentation that came with this program: its topics, and the pictures and examples that they name. */
export async function readDocs(): Promise<{ docs: DocSource[]; others: SiteFile[] }> {
  const entries = await readdir(DOCS, { recursive: true, withFileTypes: true });
  const root = path.resolve(new URL('.', DOCS).pathname);
  const files = entries
    .filter(entry => entry.isFile())
    .map(entry => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
  const docs = files.filter(file => /^[^/]+\.md$/.test(file));
  const others = files.filter(file => !docs.includes(file));
  return {
    docs: await Promise.all(
      docs.map(async file => ({
        name: file.replace(/\.md$/, ''),
        markdown: await readFile(new URL(file, DOCS), 'utf8'),
      })),
    ),
    others: await Promise.all(
      others.map(async file => ({ path: `docs/${file}`, content: await readFile(new URL(file, DOCS)) })),
    ),
  };
}

/** The catalog that is in a folder already; undefined for a new or empty one. Throws ConfigError where the folder has other things. */
export async function readCatalogIn(folder: string): Promise<CatalogData | undefined> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw new ConfigError(`${folder} cannot be written to: ${reasonOf(error)}`, {
      code: 'USAGE',
      subject: folder,
      remedy: 'Name another folder with --output.',
      cause: error,
    });
  });
  if (names.length === 0) return undefined;
  if (names.includes('catalog.json'))
    return parseCatalog(await readFile(path.join(folder, 'catalog.json')), folder);
  throw new ConfigError(`${folder} has other files and no catalog in it`, {
    code: 'USAGE',
    subject: folder,
    remedy: 'Name a new or empty folder with --output.',
  });
}

/** Reads a `catalog.json`; `name` is for the error. Throws ConfigError. */
export function parseCatalog(bytes: Uint8Array, name: string): CatalogData {
  let value: Partial<CatalogData> | undefined;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<CatalogData>;
  } catch {
    // As wrong as one with another content.
  }
  if (value?.schemaVersion === 1 && Array.isArray(value.models)) return value as CatalogData;
  throw new ConfigError(`${name} is no catalog.json of this version`, {
    code: 'USAGE',
    subject: name,
    remedy: 'Name another with --previous, or a new folder with --output.',
  });
}

/** Writes a site; pages of models that are gone go. Gives the number of files. */
export async function writeSite(folder: string, files: Iterable<SiteFile>): Promise<number> {
  await rm(path.join(folder, 'models'), { recursive: true, force: true });
  const made = new Set<string>();
  let count = 0;
  for (const { path: name, content } of files) {
    const target = path.join(folder, name);
    const parent = path.dirname(target);
    if (!made.has(parent)) await mkdir(parent, { recursive: true });
    made.add(parent);
    await writeFile(target, content);
    count += 1;
  }
  return count;
}
