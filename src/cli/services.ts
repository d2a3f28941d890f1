import { homedir } from 'node:os';
import path from 'node:path';
import type { OnEvent } from '../core/events.ts';
import { memoizeAsync } from '../core/pool.ts';
import { HttpClient } from '../http/client.ts';
import { patienceFromEnv } from '../http/retry.ts';
import { hubFromEnv } from '../hub/hub-from-env.ts';
import type { Hub } from '../hub/types.ts';
import type { BootstrapFile } from '../image/assemble/types.ts';
import { parseReference } from '../oci/reference.ts';
import { type LayerIndex, openLayerIndex } from '../publish/target/layer-index.ts';
import { createCredentials } from '../store/auth/credentials.ts';
import type { Access, LoginManner } from '../store/auth/registry-auth.ts';
import type { FindCredential } from '../store/auth/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import { knownRegistry } from '../store/registry/known-registries.ts';
import { RegistryClient } from '../store/registry/registry-client.ts';
import { RegistryStore } from '../store/registry/registry-store.ts';
import { UploadTraits } from '../store/registry/upload/upload-traits.ts';
import { readBootstrap } from './bootstrap-files.ts';
import { packageVersion } from './package-info.ts';

/** The outside world, wired once a run. */
export interface Services {
  readonly http: HttpClient;
  readonly hub: Hub;
  readonly credentials: FindCredential;
  /** A repository by its full name, `ghcr.io/acme/hf-x`. */
  openRepository(name: string, access: Access): ImageStore;
  readonly bootstrap: readonly BootstrapFile[];
  readonly layerIndex: LayerIndex | undefined;
}

export function createServices(
  env: NodeJS.ProcessEnv,
  onEvent: OnEvent,
  credentials: FindCredential = createCredentials(env),
): Services {
  const retry = { patienceMs: patienceFromEnv(env) };
  const http = new HttpClient({ userAgent: `weighbridge/${packageVersion()}`, onEvent, env, retry });
  const clients = new Map<string, RegistryClient>();
  let bootstrap: readonly BootstrapFile[] | undefined;
  const hosts = new Map<string, { readonly traits: UploadTraits; readonly manner: LoginManner }>();
  return {
    http,
    hub: hubFromEnv(env, http),
    credentials,
    openRepository(name, access) {
      const { registry, repository } = parseReference(name);
      const login = memoizeAsync((repo: string) => credentials(registry, repo));
      const known = hosts.get(registry) ?? {
        traits: new UploadTraits(knownRegistry(registry).traits),
        manner: {},
      };
      hosts.set(registry, known);
      // A login may be kept for a part of a registry, so a client is one repository's.
      const client =
        clients.get(name) ??
        new RegistryClient({
          http,
          registry,
          credential: () => login(repository),
          trouble: () => credentials.trouble?.(registry),
          ...known,
        });
      clients.set(name, client);
      return new RegistryStore(client, repository, access);
    },
    layerIndex: layerIndexOf(env),
    get bootstrap() {
      bootstrap ??= readBootstrap();
      return bootstrap;
    },
  };
}

/** `WEIGHBRIDGE_LAYER_INDEX` names the file; where it is set and empty, nothing is kept. */
function layerIndexOf(env: NodeJS.ProcessEnv): LayerIndex | undefined {
  const cache = env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  const file = env.WEIGHBRIDGE_LAYER_INDEX ?? path.join(cache, 'weighbridge', 'layers.jsonl');
  return file === '' ? undefined : openLayerIndex(file);
}
