import path from 'node:path';
import type { RegistryConnection } from '../config/types.ts';
import { ConfigError } from '../core/errors.ts';
import type { OnEvent } from '../core/events.ts';
import { homeFolder } from '../core/home-folder.ts';
import { readSmallFileSync } from '../core/small-file.ts';
import { reasonOf } from '../core/system-error.ts';
import { HttpClient } from '../http/client.ts';
import { patienceFromEnv } from '../http/retry.ts';
import { hubFromEnv } from '../hub/hub-from-env.ts';
import type { Hub } from '../hub/types.ts';
import type { BootstrapFile } from '../image/types.ts';
import { parseReference } from '../oci/reference.ts';
import { type LayerIndex, openLayerIndex } from '../publish/target/layer-index.ts';
import { createCredentials } from '../store/auth/credentials.ts';
import type { Access, LoginManner } from '../store/auth/registry-auth.ts';
import type { Credential, FindCredential } from '../store/auth/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import {
  certificateFolders,
  type HostCertificates,
  readHostCertificates,
} from '../store/registry/host-certificates.ts';
import { knownRegistry } from '../store/registry/known-registries.ts';
import { type ConnectionSettings, RegistryClient } from '../store/registry/registry-client.ts';
import { RegistryStore } from '../store/registry/registry-store.ts';
import { RegistryCapabilities } from '../store/registry/upload/registry-capabilities.ts';
import { readBootstrap } from './bootstrap-files.ts';
import { packageVersion } from './package-info.ts';

const MAX_CA_BYTES = 1024 * 1024;

/** The outside world, wired once a run. */
export interface Services {
  readonly http: HttpClient;
  readonly hub: Hub;
  readonly credentials: FindCredential;
  /** A repository by its full name, `ghcr.io/acme/hf-x`. */
  openRepository(name: string, access: Access, connection?: ConnectionSettings): ImageStore;
  /** Has registries spoken to as `models.yaml` says, from the next repository that is opened. */
  connect(connections: readonly RegistryConnection[]): void;
  /** What this machine has for connections to a registry. Throws ConfigError. */
  certificatesFor(registry: string): HostCertificates | undefined;
  readonly bootstrap: readonly BootstrapFile[];
  readonly layerIndex: LayerIndex | undefined;
}

/**
 * Connects the Hub, registries and their logins as the environment says and returns them. Throws ConfigError for
 * variables with unusable values.
 */
export function createServices(
  env: NodeJS.ProcessEnv,
  onEvent: OnEvent,
  credentials: FindCredential = createCredentials(env),
): Services {
  const retry = { patienceMs: patienceFromEnv(env) };
  const http = new HttpClient({ userAgent: `weighbridge/${packageVersion()}`, onEvent, env, retry });
  const connections = new Map<string, ConnectionSettings>();
  const clients = new Map<string, RegistryClient>();
  let bootstrap: readonly BootstrapFile[] | undefined;
  const hosts = new Map<string, KnownHost>();
  const knownHost = (registry: string): KnownHost => {
    const known = hosts.get(registry) ?? {
      capabilities: new RegistryCapabilities(knownRegistry(registry).capabilities),
      manner: {},
      certificates: onceGot(() => readHostCertificates(certificateFolders(env, registry))),
    };
    hosts.set(registry, known);
    return known;
  };
  return {
    http,
    hub: hubFromEnv(env, http),
    credentials,
    connect(list) {
      for (const { registry, isPlainHttp, caFile } of list) {
        const ca = caFile === null ? {} : { ca: readAuthority(registry, caFile) };
        connections.set(registry, { isPlainHttp, ...ca });
      }
    },
    openRepository(name, access, connection) {
      const { registry, repository } = parseReference(name);
      // A login may be kept for a part of a registry, so a client is one repository's.
      const client =
        clients.get(name) ??
        new RegistryClient({
          http,
          registry,
          credential: latestLogin(refused => credentials(registry, repository, refused)),
          connection: connection ?? connections.get(registry),
          trouble: () => credentials.trouble?.(registry),
          ...knownHost(registry),
        });
      clients.set(name, client);
      return new RegistryStore(client, repository, access);
    },
    certificatesFor: registry => knownHost(registry).certificates(),
    layerIndex: layerIndexOf(env),
    get bootstrap() {
      bootstrap ??= readBootstrap();
      return bootstrap;
    },
  };
}

/** What is learnt of a registry, for all who talk to it. */
interface KnownHost {
  readonly capabilities: RegistryCapabilities;
  readonly manner: LoginManner;
  readonly certificates: () => HostCertificates | undefined;
}

/** Keeps what `read` returns; what it throws is thrown each time. */
function onceGot<T>(read: () => T): () => T {
  let got: { readonly value: T } | undefined;
  return () => {
    got ??= { value: read() };
    return got.value;
  };
}

/** Keeps what `find` has found until that is refused. */
function latestLogin(
  find: (refused?: Credential) => Promise<Credential | undefined>,
): (refused?: Credential) => Promise<Credential | undefined> {
  let latest: Promise<Credential | undefined> | undefined;
  return refused => {
    if (latest !== undefined && refused === undefined) return latest;
    const found = find(refused);
    latest = found;
    found.catch(() => {
      if (latest === found) latest = undefined;
    });
    return found;
  };
}

/** The certificates of a registry's own authority. Throws ConfigError CONFIG_UNREADABLE. */
function readAuthority(registry: string, file: string): string {
  let text: string;
  try {
    text = readSmallFileSync(file, { maxBytes: MAX_CA_BYTES }).toString('utf8');
    if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it has no certificate in PEM form');
  } catch (cause) {
    throw new ConfigError(`${file}, the \`ca\` of ${registry}, cannot be read: ${reasonOf(cause)}`, {
      code: 'CONFIG_UNREADABLE',
      subject: file,
      remedy: 'Name a file with certificates in PEM form, relative to models.yaml.',
      cause,
    });
  }
  return text;
}

/** `WEIGHBRIDGE_LAYER_INDEX` names the file; if it is set and empty, nothing is kept. */
function layerIndexOf(env: NodeJS.ProcessEnv): LayerIndex | undefined {
  const home = homeFolder(env);
  const cache = env.XDG_CACHE_HOME || (home && path.join(home, '.cache'));
  const file = env.WEIGHBRIDGE_LAYER_INDEX ?? (cache && path.join(cache, 'weighbridge', 'layers.jsonl'));
  return file ? openLayerIndex(file) : undefined;
}
