import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../../core/errors.ts';
import { readSmallFileSync } from '../../core/small-file.ts';
import { isSystemError, reasonOf } from '../../core/system-error.ts';
import { certificatesIn } from '../../http/system-authorities.ts';
import { ClientIdentity } from '../../http/trust.ts';

// What Docker and Podman have in `certs.d`: https://docs.docker.com/engine/security/certificates/,
// https://github.com/containers/image/blob/main/docs/containers-certs.d.5.md

/** What is configured for connections to one registry. */
export interface HostCertificates {
  readonly folder: string;
  /** Certificates of authorities, in PEM form; undefined if there is none. */
  readonly ca: string | undefined;
  readonly identity: ClientIdentity | undefined;
  /** Files that say nothing, a sentence each: clients pass them over. */
  readonly troubles: readonly string[];
}

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Returns the folders that may have the certificates of a registry, those of the user first. As for Podman, the first that
 * exists is the one that counts.
 */
export function certificateFolders(env: NodeJS.ProcessEnv, registry: string): string[] {
  const home = env.HOME || env.USERPROFILE;
  const config = env.XDG_CONFIG_HOME || (home && path.join(home, '.config'));
  const isWindows = process.platform === 'win32';
  // A colon has another meaning there, and Docker leaves it out.
  const name = isWindows ? registry.replaceAll(':', '') : registry;
  const ofSystem = isWindows
    ? [env.ProgramData && path.join(env.ProgramData, 'docker')]
    : ['/etc/containers', '/etc/docker'];
  return [
    home && path.join(home, '.config', 'containers'),
    // Docker Desktop, and Docker without root.
    home && path.join(home, '.docker'),
    config && path.join(config, 'docker'),
    ...ofSystem,
  ].flatMap(folder => (folder ? path.join(folder, 'certs.d', name) : []));
}

/**
 * Returns what the first of `folders` that exists has, undefined if none does: authorities in `*.crt`, certificates of the
 * client in `*.cert` with their keys in `*.key`. Throws ConfigError CONFIG_UNREADABLE or CONFIG_INVALID, never with
 * content.
 */
export function readHostCertificates(folders: readonly string[]): HostCertificates | undefined {
  const folder = folders.find(isThere);
  if (folder === undefined) return undefined;
  const names = readOrFail(folder, () => readdirSync(folder).sort());
  const troubles: string[] = [];
  const authorities = names
    .filter(name => name.endsWith('.crt'))
    .flatMap(name => authoritiesIn(path.join(folder, name), troubles));
  return {
    folder,
    ca: authorities.length === 0 ? undefined : authorities.join('\n'),
    identity: identityOf(folder, names),
    troubles,
  };
}

/** As Podman has it, one that this user may not look at is passed over. */
function isThere(folder: string): boolean {
  try {
    statSync(folder);
    return true;
  } catch (error) {
    if (isSystemError(error) && ['ENOENT', 'ENOTDIR', 'EACCES'].includes(error.code)) return false;
    throw unreadable(folder, error);
  }
}

function authoritiesIn(file: string, troubles: string[]): string[] {
  let text: string;
  try {
    text = readSmallFileSync(file, { maxBytes: MAX_FILE_BYTES }).toString('latin1');
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw unreadable(file, error);
    troubles.push(`${file} is a link to a file that does not exist`);
    return [];
  }
  const found = certificatesIn(text);
  if (found.length === 0) troubles.push(`${file} has no certificate in PEM form`);
  return found;
}

function identityOf(folder: string, names: readonly string[]): ClientIdentity | undefined {
  const stems = (ending: string): string[] =>
    names.filter(name => name.endsWith(ending)).map(name => name.slice(0, -ending.length));
  const [certs, keys] = [stems('.cert'), stems('.key')];
  for (const stem of certs)
    if (!keys.includes(stem)) throw halfPair(path.join(folder, `${stem}.cert`), `${stem}.key`);
  for (const stem of keys)
    if (!certs.includes(stem)) throw halfPair(path.join(folder, `${stem}.key`), `${stem}.cert`);
  if (certs.length === 0) return undefined;
  // Of two pairs with keys of one kind OpenSSL keeps the last, and Docker shows the first.
  const pairs = certs.reverse().map(stem => readPair(path.join(folder, stem)));
  return new ClientIdentity(folder, {
    cert: pairs.map(({ cert }) => cert),
    key: pairs.map(({ key }) => key),
  });
}

function readPair(stem: string): { readonly cert: Buffer; readonly key: Buffer } {
  const [cert, key] = [`${stem}.cert`, `${stem}.key`].map(file =>
    readOrFail(file, () => readSmallFileSync(file, { maxBytes: MAX_FILE_BYTES })),
  ) as [Buffer, Buffer];
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    const why = key.includes('ENCRYPTED') ? 'the key has a passphrase' : whyUnusable(cause);
    // What OpenSSL says is not passed on: nothing of a key may come to be shown.
    throw new ConfigError(`${stem}.cert with the key in ${stem}.key cannot be used: ${why}`, {
      code: 'CONFIG_INVALID',
      subject: `${stem}.cert`,
      remedy: 'Both must be in PEM form, belong together, and the key must have no passphrase.',
    });
  }
  return { cert, key };
}

function whyUnusable(error: unknown): string {
  const { code } = error as { code?: unknown };
  return code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
    ? 'the key is not that of the certificate'
    : 'one of them is not in PEM form';
}

function halfPair(file: string, missing: string): ConfigError {
  return new ConfigError(`${file} has no ${missing} beside it`, {
    code: 'CONFIG_INVALID',
    subject: file,
    remedy:
      'A client certificate is a .cert file with a .key file of the same name; certificates of authorities end in .crt.',
  });
}

function readOrFail<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): ConfigError {
  return new ConfigError(`${file}, for connections to its registry, cannot be read: ${reasonOf(cause)}`, {
    code: 'CONFIG_UNREADABLE',
    subject: file,
    remedy: 'Make it readable for this user, or remove it.',
    cause,
  });
}
