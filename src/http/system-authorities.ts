import { type Dirent, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { getCACertificates } from 'node:tls';
import { readSmallFileSync } from '../core/small-file.ts';
import { isSystemError, reasonOf } from '../core/system-error.ts';

// Node has a list of authorities of its own, as browsers do. Docker, Podman, curl and what is written in Go or Python
// believe those of the system, to which companies add theirs.

/** The certificates of the system's store. */
export interface SystemAuthorities {
  /** In PEM form, each once. */
  readonly certificates: readonly string[];
  /** Where they are from, for people. */
  readonly sources: readonly string[];
  /** Why a part of the store could not be read, a sentence each. */
  readonly troubles: readonly string[];
}

/** The order of https://github.com/golang/go/blob/master/src/crypto/x509/root_linux.go: the first that exists is read. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/usr/local/share/certs/ca-root-nss.crt',
];
/** As Go, all of them: containers have a company's certificate mounted there as one more file. */
const FOLDERS = ['/etc/ssl/certs', '/etc/pki/tls/certs'];
const MAX_FILE_BYTES = 8 * 1024 * 1024;

/**
 * Returns the authorities that the system trusts: its store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name in place of
 * it, as OpenSSL and Go have it. What cannot be read is one of the `troubles`.
 */
export function readSystemAuthorities(env: NodeJS.ProcessEnv): SystemAuthorities {
  const store = new Store();
  const hasFiles = process.platform !== 'darwin' && process.platform !== 'win32';
  if (!hasFiles) store.addAll(getCACertificates('system'), "the system's store");
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folders } = env;
  if (file) store.addFile(file, `SSL_CERT_FILE: ${file}`);
  else if (hasFiles) BUNDLES.some(bundle => store.addFile(bundle));
  if (folders)
    for (const folder of folders.split(path.delimiter)) store.addFolder(folder, `SSL_CERT_DIR: ${folder}`);
  else if (hasFiles) for (const folder of FOLDERS) store.addFolder(folder);
  return store;
}

/** Returns the certificates in a text, in PEM form. OpenSSL's own form with trust settings (`TRUSTED CERTIFICATE`) is left out, as in Go. */
export function certificatesIn(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
}

class Store implements SystemAuthorities {
  readonly sources: string[] = [];
  readonly troubles: string[] = [];
  readonly #certificates = new Set<string>();
  /** Files and folders that have been read, where links lead. */
  readonly #read = new Set<string>();

  get certificates(): string[] {
    return [...this.#certificates];
  }

  addAll(pems: readonly string[], source: string): void {
    if (pems.length > 0) this.sources.push(source);
    for (const pem of pems) this.#certificates.add(pem.trim());
  }

  /** Returns whether there is such a file. One that has a name of its own (`source`) has to be there. */
  addFile(file: string, source?: string): boolean {
    try {
      this.addAll(this.#certificatesOf(file), source ?? file);
      return true;
    } catch (error) {
      const isMissing = isAbsent(error);
      if (!isMissing || source !== undefined) this.#note(source ?? file, error);
      return !isMissing;
    }
  }

  /** Adds what all of its files hold; the first that cannot be read is told of. */
  addFolder(folder: string, source?: string): void {
    let files: string[];
    try {
      const place = realpathSync(folder);
      if (this.#read.has(place)) return;
      this.#read.add(place);
      // Where there is a bundle, links are made with it, to files that are all in it.
      const hasBundle = BUNDLES.some(file => path.dirname(file) === place && this.#read.has(file));
      files = readdirSync(place, { withFileTypes: true })
        .filter(entry => entry.isFile() || (!hasBundle && entry.isSymbolicLink() && leadsToFile(entry)))
        .map(({ name }) => path.join(place, name));
    } catch (error) {
      if (!isAbsent(error) || source !== undefined) this.#note(source ?? folder, error);
      return;
    }
    const before = this.#certificates.size;
    let isTold = false;
    for (const file of files.sort()) {
      try {
        for (const pem of this.#certificatesOf(file)) this.#certificates.add(pem);
      } catch (error) {
        if (isTold || isAbsent(error)) continue;
        isTold = true;
        this.#note(file, error);
      }
    }
    if (this.#certificates.size > before || source !== undefined) this.sources.push(source ?? folder);
  }

  #certificatesOf(file: string): string[] {
    if (this.#read.has(file)) return [];
    const text = readSmallFileSync(file, { maxBytes: MAX_FILE_BYTES }).toString('latin1');
    this.#read.add(file);
    return certificatesIn(text);
  }

  #note(place: string, error: unknown): void {
    this.troubles.push(`${place} cannot be read: ${reasonOf(error)}`);
  }
}

/** Not to a device, and not one of those to each file under the hash of its subject, by which OpenSSL looks it up. */
function leadsToFile({ parentPath, name }: Dirent): boolean {
  const link = path.join(parentPath, name);
  const isHash = /^[0-9a-f]{8}\.\d+$/.test(name);
  if (isHash && !readlinkSync(link).includes('/')) return false;
  return statSync(link, { throwIfNoEntry: false })?.isFile() === true;
}

/** Nothing that is there could not be read: no file, a link to none, or a folder. */
function isAbsent(error: unknown): boolean {
  return isSystemError(error) && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.code);
}
