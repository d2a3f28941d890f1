import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { runOk } from './tools.ts';

const TOOLS = path.join(import.meta.dirname, '..', '..', 'tools');

/**
 * The program of `tools/<name>`, built on first use, which needs the Go module proxy, and kept in
 * `$XDG_CACHE_HOME/weighbridge-tests/go/bin` until its source changes. `requireTool('go')` goes before it.
 */
export async function goTool(name: string): Promise<string> {
  const source = path.join(TOOLS, name);
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(path.join(source, file)));
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  const folder = path.join(cache, 'weighbridge-tests', 'go', 'bin');
  const program = path.join(folder, `${name}-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(program)) return program;
  await mkdir(folder, { recursive: true });
  const build =
    'test -e "$0" || { go build -C "$1" -trimpath -buildvcs=false -o "$0.part" . && mv "$0.part" "$0"; }';
  await runOk('flock', [`${program}.lock`, 'bash', '-euc', build, program, source], {
    env: { CGO_ENABLED: '0' },
    timeoutMs: 900_000,
  });
  return program;
}
