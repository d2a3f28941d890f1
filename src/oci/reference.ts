import { type Digest, isDigest } from '../core/digest.ts';
import { ConfigError } from '../core/errors.ts';
import type { Platform } from './types.ts';

/** An image in a registry, in full: what Docker's short forms (`debian`) leave out is filled in. */
export interface ImageReference {
  /** Host as people write it, lower case, with its port: `docker.io`, `ghcr.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** `library/debian`, `acme/hf-x`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

// The grammar of https://github.com/distribution/reference/blob/main/reference.go
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const HOST = new RegExp(`^(${LABEL}(?:\\.${LABEL})*|\\[[0-9a-f:.]+\\])(?::([0-9]{1,5}))?$`);
const MAX_NAME_CHARACTERS = 255;

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_API = 'registry-1.docker.io';
const DOCKER_HUB_PAGES = 'hub.docker.com';
const DOCKER_HUB_HOSTS = new Set([DOCKER_HUB, 'index.docker.io', DOCKER_HUB_API]);

/**
 * Reads `[host/]repository[:tag][@digest]` as Docker does and returns its parts. Without a tag there is none, not
 * `latest`. Throws ConfigError USAGE.
 */
export function parseReference(text: string): ImageReference {
  const [scheme] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text) ?? [];
  if (scheme !== undefined) throw invalid(text, `leave out ${scheme}`);
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) {
    throw invalid(text, 'the digest is not sha256: and 64 lower-case hex characters');
  }
  const { name, tag } = splitTag(at === -1 ? text : text.slice(0, at));
  if (tag !== undefined && !isTag(tag)) {
    throw invalid(text, 'a tag has letters, digits, _ . and -, at most 128, and does not start with . or -');
  }
  const { registry, repository } = splitHost(name, text);
  if (registry === DOCKER_HUB_PAGES)
    throw invalid(text, `${DOCKER_HUB_PAGES} has pages about images, which are at ${DOCKER_HUB}`);
  if (!isRepository(repository)) throw invalid(text, explainRepository(repository));
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Returns the host (with port) that serves `/v2/` for a registry. Docker Hub's is not the one in its image names. */
export function apiHost(registry: string): string {
  return DOCKER_HUB_HOSTS.has(registry) ? DOCKER_HUB_API : registry;
}

/** Returns the host of a repository's full name: `ghcr.io` of `ghcr.io/acme/hf-x`. */
export function hostOf(repository: string): string {
  const slash = repository.indexOf('/');
  return slash === -1 ? repository : repository.slice(0, slash);
}

/** Returns whether a name is that of a folder or file of this machine, as `build` writes them: `oci:out`. */
export function isLocalName(name: string): boolean {
  return /^(?:oci|docker-archive):/.test(name);
}

/** Returns whether a text is a tag by the rules of the distribution specification. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether `text` is a repository's path without host, tag and digest: `acme/hf-x`. */
export function isRepository(text: string): boolean {
  return text.length <= MAX_NAME_CHARACTERS && REPOSITORY.test(text);
}

/**
 * Returns the one spelling of a registry host: lower case, Docker Hub's names all `docker.io`, IPv6 as short as it
 * gets. Undefined if `text` is not a host with an optional port.
 */
export function normalizeRegistry(text: string): string | undefined {
  const match = HOST.exec(text.toLowerCase());
  if (match === null) return undefined;
  const port = match[2] === undefined ? undefined : Number(match[2]);
  if (port !== undefined && (port < 1 || port > 65535)) return undefined;
  const host = (match[1] as string).startsWith('[') ? shortestIpv6(match[1] as string) : match[1];
  if (host === undefined) return undefined;
  if (port === undefined) return DOCKER_HUB_HOSTS.has(host) ? DOCKER_HUB : host;
  return `${host}:${port}`;
}

/** Returns the parts of `os/arch[/variant]`. Throws ConfigError USAGE. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/');
  const [os, architecture, variant] = parts;
  if (!os || !architecture || parts.length > 3 || !parts.every(part => /^[a-z0-9_.-]+$/.test(part))) {
    throw new ConfigError(`${quote(text)} is not a platform`, {
      code: 'USAGE',
      subject: presentable(text),
      remedy: 'Write it as os/architecture, for instance linux/amd64 or linux/arm64.',
    });
  }
  const known = ARCHITECTURE_ALIASES.get(architecture) ?? architecture;
  return { os, architecture: known, ...(variant === undefined ? {} : { variant }) };
}

/** Returns `linux/amd64`, or `linux/arm64/v8` with a variant. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/**
 * Whether an image made for `offered` is the one asked for by `wanted`; a missing variant is the usual one. Builders that
 * name architectures as kernels do are understood, as by containerd.
 */
export function matchesPlatform(offered: Platform, wanted: Platform): boolean {
  const [one, other] = [usualNames(offered), usualNames(wanted)];
  return (
    one.os === other.os && one.architecture === other.architecture && variantOf(one) === variantOf(other)
  );
}

function usualNames({ os, architecture, ...rest }: Platform): Platform {
  const name = architecture.toLowerCase();
  return { ...rest, os: os.toLowerCase(), architecture: ARCHITECTURE_ALIASES.get(name) ?? name };
}

const ARCHITECTURE_ALIASES = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
]);
const USUAL_VARIANT = new Map([
  ['amd64', 'v1'],
  ['arm64', 'v8'],
  ['arm', 'v7'],
]);

function variantOf(platform: Platform): string {
  return platform.variant || (USUAL_VARIANT.get(platform.architecture) ?? '');
}

function splitTag(text: string): { name: string; tag?: string } {
  const colon = text.lastIndexOf(':');
  // A colon before the last slash belongs to the host's port.
  if (colon === -1 || text.indexOf('/', colon) !== -1) return { name: text };
  return { name: text.slice(0, colon), tag: text.slice(colon + 1) };
}

function splitHost(name: string, text: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first.toLowerCase() === 'localhost';
  if (!isHost) return { registry: DOCKER_HUB, repository: slash === -1 ? `library/${name}` : name };
  const registry = normalizeRegistry(first);
  if (registry === undefined) throw invalid(text, `${quote(first)} is not a registry host`);
  const rest = name.slice(slash + 1);
  return { registry, repository: registry === DOCKER_HUB && !rest.includes('/') ? `library/${rest}` : rest };
}

function explainRepository(repository: string): string {
  if (repository !== repository.toLowerCase() && isRepository(repository.toLowerCase())) {
    return `a repository is in lower case: ${repository.toLowerCase()}`;
  }
  if (repository.length > MAX_NAME_CHARACTERS) {
    return `the repository is longer than ${MAX_NAME_CHARACTERS} characters`;
  }
  return 'a repository is lower-case letters and digits, with single . _ or - between them, in parts separated by /';
}

function shortestIpv6(bracketed: string): string | undefined {
  return URL.parse(`http://${bracketed}/`)?.hostname;
}

function invalid(text: string, reason: string): ConfigError {
  return new ConfigError(`${quote(text)} is not an image reference: ${reason}`, {
    code: 'USAGE',
    subject: presentable(text),
    remedy: 'Write it as registry/repository:tag, for instance ghcr.io/acme/hf-x:v1.',
  });
}

function quote(text: string): string {
  return JSON.stringify(presentable(text));
}

/** Short enough for a line, and without the password of a `user:password@host` written by mistake. */
function presentable(text: string): string {
  const safe = text.replace(/:[^@]*@(?!sha256:)/g, ':***@');
  return safe.length > 300 ? `${safe.slice(0, 300)}…` : safe;
}
