import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import binaries from './node-binaries.json' with { type: 'json' };

export type Architecture = keyof typeof binaries.packages;

/** The official builds of Node.js, as the npm packages of the pinned `node` have them. */
export interface NodeBinary {
  readonly version: string;
  readonly program: Buffer;
  readonly license: Buffer;
}

/**
 * Returns the program for Linux on an architecture, whatever this machine is. The package is fetched once and kept in the
 * cache folder; its hash is the one in node-binaries.json. Throws an Error if it is another, or npm cannot fetch it.
 */
export function nodeBinary(architecture: Architecture): NodeBinary {
  const { version } = binaries;
  const { name, integrity } = binaries.packages[architecture];
  const tarball = fetchPackage(`${name}@${version}`, `${name}-${version}.tgz`);
  const found = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (found !== integrity) {
    rmSync(tarball);
    throw new Error(`${name}@${version} has ${found}, and node-binaries.json says ${integrity}`);
  }
  const read = (file: string): Buffer =>
    execFileSync('tar', ['-xzOf', tarball, `package/${file}`], { maxBuffer: 512 * 1024 * 1024 });
  return { version, program: read('bin/node'), license: read('LICENSE') };
}

function fetchPackage(spec: string, file: string): string {
  const cache = path.join(
    process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'),
    'weighbridge',
    'node',
  );
  const target = path.join(cache, file);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(tmpdir(), 'weighbridge-node-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', cache, spec], {
      cwd: folder,
    });
    if (!existsSync(target)) renameSync(path.join(cache, path.basename(file)), target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return target;
}
