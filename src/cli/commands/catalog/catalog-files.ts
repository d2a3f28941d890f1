import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CatalogData } from '../../../catalog/catalog-data.ts';
import type { SiteFile } from '../../../catalog/make-site.ts';
import type { DocSource } from '../../../catalog/pages/docs-page.ts';
import { ConfigError } from '../../../core/errors.ts';
import { reasonOf } from '../../../core/system-error.ts';
import { listOwnFiles, listOwnFonts, readOwnFile } from '../../../engine/own-files.ts';

/** In the order in which they are joined: of rules that weigh the same, the later one wins. */
const STYLES = ['tokens', 'base', 'frame', 'parts', 'list', 'model', 'run', 'weigh', 'tables', 'docs'];

/** Returns the styles, scripts and fonts of every site; the styles are one file, which a page asks for once. */
export function readAssets(): SiteFile[] {
  const styles = STYLES.map(name => readOwnFile(`assets/styles/${name}.css`).toString('utf8'));
  const own = ['site.js', 'list.js', 'icon.svg'].map(name => `assets/${name}`);
  return [
    { path: 'assets/site.css', content: styles.join('\n') },
    ...own.map(name => ({ path: name, content: readOwnFile(name) })),
    ...listOwnFonts().map(name => ({
      path: `assets/${path.posix.basename(name)}`,
      content: readOwnFile(name),
    })),
  ];
}

/** Returns the documentation that came with this program: its topics, and the pictures and examples that they name. */
export function readDocs(): { docs: DocSource[]; others: SiteFile[] } {
  const files = listOwnFiles('docs/');
  const docs = files.filter(file => /^docs\/[^/]+\.md$/.test(file));
  return {
    docs: docs.map(file => ({
      name: path.posix.basename(file, '.md'),
      markdown: readOwnFile(file).toString('utf8'),
    })),
    others: files
      .filter(file => !docs.includes(file))
      .map(file => ({ path: file, content: readOwnFile(file) })),
  };
}

/** The catalog that is in a folder already; undefined for a new or empty one. Throws ConfigError if the folder has other things. */
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
  throw new ConfigError(`${name} is not a catalog.json of this version`, {
    code: 'USAGE',
    subject: name,
    remedy: 'Name another with --previous, or a new folder with --output.',
  });
}

/** Writes a site; pages of models that are gone go. Returns the number of files. */
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
