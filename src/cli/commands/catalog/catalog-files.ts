import { lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SiteFile } from '../../../catalog/make-site.ts';
import type { DocSource } from '../../../catalog/pages/docs-page.ts';
import { type PreviousCatalog, readPreviousCatalog } from '../../../catalog/previous-catalog.ts';
import { ConfigError } from '../../../core/errors.ts';
import { parsedJson } from '../../../core/json-shape.ts';
import { readSmallFile } from '../../../core/small-file.ts';
import { reasonOf } from '../../../core/system-error.ts';
import { listOwnFiles, listOwnFonts, readOwnFile } from '../../../engine/own-files.ts';
import { withFolderLock } from '../../../store/local/folder-lock.ts';
import { removeLeftovers, temporaryName } from '../../../store/local/leftovers.ts';

/** In the order in which they are joined: of rules that weigh the same, the later one wins. */
const STYLES = ['tokens', 'base', 'frame', 'parts', 'list', 'model', 'run', 'weigh', 'tables', 'docs'];

/** Returns the styles, scripts and fonts of every site; the styles are one file, which a page asks for once. */
export function readAssets(): SiteFile[] {
  const styles = STYLES.map(name => readOwnFile(`assets/styles/${name}.css`).toString('utf8'));
  const own = ['site.js', 'list.js', 'icon.svg', 'preview.png'].map(name => `assets/${name}`);
  return [
    { path: 'assets/site.css', content: compact(styles.join('\n')) },
    ...own.map(name => ({ path: name, content: readOwnFile(name) })),
    ...listOwnFonts().map(name => ({
      path: `assets/${path.posix.basename(name)}`,
      content: readOwnFile(name),
    })),
  ];
}

/** Without comments and white space: a page loads it first. For our own styles, which have none of these in strings. */
function compact(css: string): string {
  return css
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s*([{};])\s*/g, '$1')
    .replace(/: /g, ':')
    .replace(/\n\s*/g, ' ');
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

/**
 * Returns the catalog that is in a folder already; undefined for a new or empty one. Throws ConfigError if the folder
 * has other things.
 */
export async function readCatalogIn(folder: string): Promise<PreviousCatalog | undefined> {
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
    return parseCatalog(
      await readSmallFile(path.join(folder, 'catalog.json'), { maxBytes: MAX_CATALOG_BYTES }),
      folder,
    );
  throw new ConfigError(`${folder} has other files and no catalog in it`, {
    code: 'USAGE',
    subject: folder,
    remedy: 'Name a new or empty folder with --output.',
  });
}

/** Reads a `catalog.json` and returns the catalog; `name` is for the error. Throws ConfigError. */
export function parseCatalog(bytes: Uint8Array, name: string): PreviousCatalog {
  const catalog = readPreviousCatalog(parsedJson(Buffer.from(bytes).toString('utf8')));
  if (catalog !== undefined) return catalog;
  throw new ConfigError(`${name} is not a catalog.json of this version`, {
    code: 'USAGE',
    subject: name,
    remedy: 'Name another with --previous, or a new folder with --output.',
  });
}

/** Of a `catalog.json`. */
export const MAX_CATALOG_BYTES = 256 * 1024 * 1024;
const ASIDE = '.weighbridge-new-';

/**
 * Writes a site: all of it aside first, then every file into its place, and last the pages of models that are gone go. What
 * fails on the way leaves the site as it was; two that are written at once follow each other. Returns the number of files.
 */
export async function writeSite(folder: string, files: Iterable<SiteFile>): Promise<number> {
  await mkdir(folder, { recursive: true });
  const aside = path.join(folder, temporaryName(ASIDE));
  const names: string[] = [];
  try {
    for (const { path: name, content } of files) {
      await mkdir(path.dirname(path.join(aside, name)), { recursive: true });
      await writeFile(path.join(aside, name), content);
      names.push(name);
    }
    await withFolderLock(folder, async () => {
      for (const name of names) {
        await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
        await rename(path.join(aside, name), path.join(folder, name));
      }
      await removeOtherPages(path.join(folder, 'models'), new Set(names));
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  await removeLeftovers(folder, ASIDE);
  return names.length;
}

/** Pages alone, and of a folder that is in the site: nothing else that somebody keeps there, or to which a link leads. */
async function removeOtherPages(folder: string, kept: ReadonlySet<string>): Promise<void> {
  if (!(await lstat(folder).catch(() => undefined))?.isDirectory()) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const isPage = entry.isFile() && entry.name.endsWith('.html');
    if (isPage && !kept.has(`models/${entry.name}`)) await rm(path.join(folder, entry.name), { force: true });
  }
}
