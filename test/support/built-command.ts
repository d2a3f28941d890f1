import { execFileSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BUILT_COMMAND, ROOT } from './command.ts';

// Set up once for all test files (--test-global-setup): the command as the package has it, bundled. It starts in half the CPU
// time of the sources, and it is what users run. A test file that is run alone starts the sources.

let folder: string | undefined;

/** Builds the command and tells the test files where it is. Throws if it cannot be built. */
export async function globalSetup(): Promise<void> {
  const cache = path.join(ROOT, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  folder = await mkdtemp(path.join(cache, 'weighbridge-built-'));
  const dist = path.join(folder, 'dist');
  const script = (name: string, to: string): void => {
    execFileSync(process.execPath, [path.join(ROOT, 'scripts', name), to], { cwd: ROOT, stdio: 'inherit' });
  };
  script('bundle/make-command.ts', path.join(dist, 'cli'));
  script('write-build-info.ts', dist);
  for (const [from, to] of [
    ['src/runtime/bootstrap', 'dist/runtime/bootstrap'],
    ['src/catalog/assets', 'dist/catalog/assets'],
    ['.github/workflows', '.github/workflows'],
    ['docs', 'docs'],
    ['package.json', 'package.json'],
  ] as const)
    await cp(path.join(ROOT, from), path.join(folder, to), { recursive: true });
  const command = path.join(folder, 'weighbridge');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${dist}/cli/main.js' "$@"\n`);
  await chmod(command, 0o755);
  process.env[BUILT_COMMAND] = command;
}

/** Removes it. */
export async function globalTeardown(): Promise<void> {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
}
