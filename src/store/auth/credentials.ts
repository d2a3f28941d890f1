import path from 'node:path';
import { RegistryError } from '../../core/errors.ts';
import { memoizeAsync } from '../../core/pool.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { findAuth, findHelper, findTroubles, readLoginFile } from './login-file.ts';
import type { Credential, Environment, FindCredential } from './types.ts';

/**
 * Returns a lookup of logins that Docker, Podman and CI keep. Files are read once, a helper is asked once per registry.
 * An entry that is invalid and a helper that does not work are passed over, and reported by `trouble`: they matter only
 * if the registry then refuses. Throws ConfigError for a file that is broken as a whole.
 */
export function createCredentials(env: Environment): FindCredential {
  const readFile = memoizeAsync((file: string) => readLoginFile(file));
  const troubles = new Map<string, Set<string>>();
  const note = (registry: string, trouble: string): void => {
    const known = troubles.get(registry) ?? new Set();
    troubles.set(registry, known.add(trouble));
  };
  const askHelper = memoizeAsync(async (key: string) => {
    const [helper, registry, file] = JSON.parse(key) as [string, string, string];
    try {
      return await askCredentialHelper({ helper, registry, file, env });
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      note(registry, error.message);
      return undefined;
    }
  });

  const inFile = async (file: string, registry: string, repository: string) => {
    const logins = await readFile(file);
    for (const trouble of findTroubles(logins, registry)) note(registry, trouble);
    const ask = async (helper: string | undefined) =>
      helper === undefined ? undefined : await askHelper(JSON.stringify([helper, registry, file]));
    // A login written out in the file comes before the general helper: it works where the helper is not installed.
    return (
      (await ask(findHelper(logins, registry))) ??
      findAuth(logins, registry, repository) ??
      (await ask(logins.credsStore))
    );
  };

  const find = async (registry: string, repository: string): Promise<Credential | undefined> => {
    for (const file of loginFiles(env)) {
      const found = await inFile(file, registry, repository);
      if (found !== undefined) return found;
    }
    return fromEnvironment(env, registry);
  };
  const trouble = (registry: string): string | undefined =>
    [...(troubles.get(registry) ?? [])].join('; ') || undefined;
  return Object.assign(find, { trouble });
}

/** In the order they are asked. */
function loginFiles(env: Environment): string[] {
  const home = env.HOME || env.USERPROFILE;
  const dockerFolder = env.DOCKER_CONFIG || (home && path.join(home, '.docker'));
  const runtimeFolder = env.XDG_RUNTIME_DIR;
  return [
    dockerFolder && path.join(dockerFolder, 'config.json'),
    env.REGISTRY_AUTH_FILE,
    runtimeFolder && path.join(runtimeFolder, 'containers', 'auth.json'),
  ].flatMap(file => file || []);
}

function fromEnvironment(env: Environment, registry: string): Credential | undefined {
  const [username, password] =
    registry === 'ghcr.io'
      ? [env.GITHUB_ACTOR, env.GITHUB_TOKEN]
      : registry === 'docker.io'
        ? [env.DOCKERHUB_USERNAME, env.DOCKERHUB_TOKEN]
        : [];
  return username && password ? { kind: 'basic', username, password } : undefined;
}
