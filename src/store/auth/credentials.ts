import path from 'node:path';
import { memoizeAsync } from '../../core/pool.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { findAuth, findHelper, readLoginFile } from './login-file.ts';
import type { Credential, Environment, FindCredential } from './types.ts';

/**
 * Finds logins where Docker, Podman and CI keep them. Files are read once, a helper is asked once per registry.
 * Throws ConfigError for a broken file and RegistryError REGISTRY_LOGIN_HELPER for a helper that does not work.
 */
export function createCredentials(env: Environment): FindCredential {
  const readFile = memoizeAsync((file: string) => readLoginFile(file));
  const askHelper = memoizeAsync(async (key: string) => {
    const [helper, registry, file] = JSON.parse(key) as [string, string, string];
    return await askCredentialHelper({ helper, registry, file, env });
  });

  const inFile = async (file: string, registry: string, repository: string) => {
    const logins = await readFile(file);
    const ask = async (helper: string | undefined) =>
      helper === undefined ? undefined : await askHelper(JSON.stringify([helper, registry, file]));
    // A login written out in the file comes before the general helper: it works where the helper is not installed.
    return (
      (await ask(findHelper(logins, registry))) ??
      findAuth(logins, registry, repository) ??
      (await ask(logins.credsStore))
    );
  };

  return async (registry, repository) => {
    for (const file of loginFiles(env)) {
      const found = await inFile(file, registry, repository);
      if (found !== undefined) return found;
    }
    return fromEnvironment(env, registry);
  };
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
