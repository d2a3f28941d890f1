import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Config } from '../../../config/types.ts';
import { homeFolder } from '../../../core/home-folder.ts';
import type { Session } from '../../session.ts';
import { writeCatalog } from '../catalog/cataloguing.ts';

/**
 * Writes the catalog of the demo's registries over that of the last demo and returns its folder: the one thing that
 * outlives the demo, since there is nothing to look at without it.
 */
export async function writeDemoCatalog(session: Session, config: Config): Promise<string> {
  const home = homeFolder(session.env);
  const cache = session.env.XDG_CACHE_HOME || (home === undefined ? tmpdir() : path.join(home, '.cache'));
  const parent = path.join(cache, 'weighbridge');
  await mkdir(parent, { recursive: true });
  const fresh = path.join(parent, `demo-catalog-${randomUUID()}`);
  await writeCatalog(session, config, config.models, fresh, {
    title: 'Demo models',
    url: undefined,
    previous: undefined,
    overrides: {},
    hasDocs: true,
    asksHub: true,
  });
  return await putInPlace(fresh, path.join(parent, 'demo-catalog'));
}

/** Another demo may do the same at this moment; the last one stays. */
async function putInPlace(fresh: string, place: string): Promise<string> {
  const old = `${fresh}-old`;
  await rename(place, old).catch(ignoreRace);
  await rename(fresh, place).catch(ignoreRace);
  await Promise.all([fresh, old].map(folder => rm(folder, { recursive: true, force: true })));
  return place;
}

function ignoreRace(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
}
