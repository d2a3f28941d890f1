import { createHash } from 'node:crypto';
import { access, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runOk } from './tools.ts';

/** The versions of huggingface_hub that images in use carry: the last one of the old line, and a new one. */
export const HUB_VERSIONS = ['0.36.2', '2.4.0'] as const;

/** The Python of an environment with `huggingface_hub`; made on first use, which needs the package registry. */
export async function pythonWithHub(version: string = HUB_VERSIONS[1]): Promise<string> {
  return await pythonWith([`huggingface_hub==${version}`]);
}

/**
 * The Python of an environment with these packages, kept in `$XDG_CACHE_HOME/weighbridge-tests` (default
 * `~/.cache/weighbridge-tests`) for the next run. `requireTool('python3')` goes before it.
 */
export async function pythonWith(requirements: readonly string[]): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  const key = createHash('sha256').update(requirements.join('\n')).digest('hex').slice(0, 12);
  const folder = path.join(cache, 'weighbridge-tests', `python-${key}`);
  const python = path.join(folder, 'bin', 'python');
  const ready = path.join(folder, 'ready');
  await mkdir(path.dirname(folder), { recursive: true });
  await withFolderLock(`${folder}.lock`, async () => {
    if (await exists(ready)) return;
    await rm(folder, { recursive: true, force: true });
    await runOk('python3', ['-m', 'venv', folder]);
    await runOk(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...requirements]);
    await writeFile(ready, '');
  });
  return python;
}

/** Test files run in processes of their own, and two may want the same environment. */
async function withFolderLock(lock: string, work: () => Promise<void>): Promise<void> {
  const staleAfterMs = 10 * 60_000;
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch {
      const since = await stat(lock).catch(() => undefined);
      if (since !== undefined && Date.now() - since.mtimeMs > staleAfterMs)
        await rm(lock, { recursive: true, force: true });
      await sleep(200);
    }
  }
  try {
    await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}
