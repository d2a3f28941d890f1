import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KeyPair } from '../../src/testkit/authority.ts';
import { freePort } from '../support/free-port.ts';
import { goTool, requireGoTool } from '../support/go-tools.ts';
import { IS_LONG } from '../support/long.ts';
import { requireTool, runOk } from '../support/tools.ts';

/** The registry of Docker and most that are made of it: as Debian has it, and as it is today. */
export type Edition = 'distribution 2.8' | 'distribution 3';

export interface RegistryOptions {
  /** Default: 2.8. */
  readonly edition?: Edition;
  /** Asks for this login. Default: open to all. */
  readonly login?: { readonly user: string; readonly password: string };
  /**
   * Keeps its blobs here, and leaves them when it stops: for one that is started again. Default: a temporary folder that goes
   * with the registry. In its memory they would be copied with each piece that comes: 17 s of CPU for a base image.
   */
  readonly rootFolder?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** HTTPS, at `0.0.0.0`, for clients that show a certificate of `clientCa`, as `client` is. */
  readonly tls?: KeyPair & { readonly clientCa: string; readonly client: KeyPair };
}

export interface RealRegistry {
  /** `localhost:<port>`, as it stands in references; `0.0.0.0:<port>` over TLS. */
  readonly host: string;
  readonly log: () => string;
  stop(): Promise<void>;
}

/** Every real registry that can be started, with what `skip` takes where it is not here. */
export const EDITIONS: readonly { readonly edition: Edition; readonly skip: () => false | string }[] = [
  { edition: 'distribution 2.8', skip: () => requireTool('docker-registry', 'perl') },
  {
    edition: 'distribution 3',
    skip: () =>
      IS_LONG
        ? requireGoTool('registry') || requireTool('perl')
        : 'the long form has it (WEIGHBRIDGE_LONG=1)',
  },
];

/** Starts the CNCF distribution registry on a free loopback port and waits until it answers. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RealRegistry> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options);
    } catch (error) {
      // Between finding a free port and taking it, somebody else may have taken it.
      const isTaken = options.port === undefined && String(error).includes('address already in use');
      if (!isTaken || attempt === MAX_PORTS) throw error;
    }
  }
}

/**
 * Collects garbage as an administrator does: the registry that has its blobs there has been stopped before. Not with
 * `--delete-untagged`, which in 2.8 takes the platforms of every index; https://github.com/distribution/distribution/issues/3178
 */
export async function collectGarbage(rootFolder: string, edition: Edition): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-registry-'));
  const config = path.join(folder, 'config.yml');
  await writeFile(config, JSON.stringify(await configuration({ rootFolder }, folder, 'localhost:1')));
  try {
    return await runOk(programOf(edition), ['garbage-collect', config], {
      env: { OTEL_TRACES_EXPORTER: 'none' },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function programOf(edition: Edition | undefined): string {
  return edition === 'distribution 3' ? goTool('registry') : 'docker-registry';
}

const MAX_PORTS = 5;
/** Far from what anything takes, also where many programs share the machine. */
const MAX_WAIT_MS = 600_000;

async function startOnce(options: RegistryOptions): Promise<RealRegistry> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-registry-'));
  const name = options.tls === undefined ? 'localhost' : '0.0.0.0';
  const host = `${name}:${options.port ?? (await freePort())}`;
  const config = path.join(folder, 'config.yml');
  await writeFile(config, JSON.stringify(await configuration(options, folder, host)));

  let log = '';
  const child = spawn(programOf(options.edition), ['serve', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Version 3 sends what it does to a collector that nobody has started, and logs each failure to.
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(
      () => ownerOf(host, options),
      folder,
      child,
      () => log,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { host, log: () => log, stop };
}

/** In each answer, whose registry it is: another test may have taken the same port a moment earlier. */
const OWNER = 'X-Test-Folder';

/** The registry reads YAML, of which JSON is a part. */
async function configuration(options: RegistryOptions, folder: string, host: string): Promise<object> {
  const storage = { filesystem: { rootdirectory: options.rootFolder ?? folder } };
  const base = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { ...storage, delete: { enabled: true } },
    http: {
      ...{ addr: host.replace('localhost', '127.0.0.1'), secret: 'for tests' },
      headers: { [OWNER]: [folder] },
      ...(options.tls && { tls: await tlsFiles(options.tls, folder) }),
    },
  };
  if (options.login === undefined) return base;
  const file = path.join(folder, 'htpasswd');
  await writeFile(file, `${options.login.user}:${await bcrypt(options.login.password)}\n`);
  return { ...base, auth: { htpasswd: { realm: 'weighbridge tests', path: file } } };
}

/** The registry takes bcrypt only, and the C library's crypt, which Perl gives out, knows it: nothing to install. */
async function bcrypt(password: string): Promise<string> {
  const salt = '$2b$05$weighbridgetestsaltxxu';
  const hash = await runOk('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, salt]);
  if (!hash.startsWith('$2b$05$')) throw new Error('the C library of this machine has no bcrypt');
  return hash;
}

/** Writes what the registry reads of TLS from files. */
async function tlsFiles(
  { cert, key, clientCa }: NonNullable<RegistryOptions['tls']>,
  folder: string,
): Promise<object> {
  const files = { 'server.crt': cert, 'server.key': key, 'clients.crt': clientCa };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  const [certificate, keyFile, clients] = Object.keys(files).map(name => path.join(folder, name));
  return { certificate, key: keyFile, clientcas: [clients] };
}

/** Whose registry answers, undefined if none does. */
async function ownerOf(host: string, { tls }: RegistryOptions): Promise<unknown> {
  const { cert, key } = tls?.client ?? {};
  const outgoing =
    tls === undefined
      ? http.get(`http://${host}/v2/`)
      : https.get(`https://${host}/v2/`, { cert, key, rejectUnauthorized: false });
  try {
    const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
    response.resume();
    return response.headers[OWNER.toLowerCase()];
  } catch {
    return undefined;
  }
}

async function untilReady(
  owner: () => Promise<unknown>,
  folder: string,
  child: ChildProcess,
  log: () => string,
): Promise<void> {
  let failure: Error | undefined;
  child.once('error', error => {
    failure = error;
  });
  for (const deadline = Date.now() + MAX_WAIT_MS; Date.now() < deadline; ) {
    if (failure !== undefined) throw failure;
    if (child.exitCode !== null) throw new Error(`the registry ended at once:\n${log()}`);
    if ((await owner()) === folder) return;
    await sleep(50);
  }
  throw new Error(`the registry does not answer:\n${log()}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise(resolve => child.once('close', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(timer);
}
