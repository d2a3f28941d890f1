import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { goTool } from './go-tools.ts';
import { runOk } from './tools.ts';

/**
 * Makes a database for Trivy with advisories, critical ones for the zlib of this machine's Debian, which the base images of
 * tests have. Returns the environment in which Trivy uses it and asks no network. `requireGoTool('trivy-test-db')` goes
 * before it.
 */
export async function makeTrivyDatabase(
  folder: string,
  ...cves: readonly string[]
): Promise<Record<string, string>> {
  const cache = path.join(folder, 'trivy');
  const debian = /^VERSION_ID="(\d+)"/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1];
  await mkdir(cache);
  for (const cve of cves)
    await runOk(goTool('trivy-test-db'), [cache, `debian ${debian}`, 'zlib', cve, 'CRITICAL', '99:1.0']);
  return {
    TRIVY_CACHE_DIR: cache,
    TRIVY_SKIP_DB_UPDATE: 'true',
    TRIVY_SKIP_CHECK_UPDATE: 'true',
    TRIVY_OFFLINE_SCAN: 'true',
  };
}
