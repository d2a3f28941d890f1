import path from 'node:path';
import { plainValue } from '../../core/env-text.ts';
import { ConfigError } from '../../core/errors.ts';
import { HelperAnswers } from './helper-answers.ts';
import {
  findAuth,
  findHelper,
  findTroubles,
  type LoginFile,
  parseLogins,
  readLoginFile,
} from './login-file.ts';
import type { Credential, Environment, FindCredential } from './types.ts';

/** Where logins are kept. */
interface LoginPlace {
  readonly file: string;
  /** What names it, where that is more than a default. */
  readonly namedBy?: string | undefined;
}

/** Which login is looked for. */
interface Wanted {
  readonly registry: string;
  readonly repository: string;
  readonly refused: Credential | undefined;
}

/**
 * Returns a lookup of logins that Docker, Podman and CI keep. Files are read once, a helper is asked once per registry,
 * and again for a login that is refused. An entry that is invalid and a helper that does not work are passed over, and
 * reported by `trouble`: they matter only if the registry then refuses. Throws ConfigError for a file that is broken as a
 * whole.
 */
export function createCredentials(env: Environment): FindCredential {
  const files = new Map<string, Promise<LoginFile>>();
  const troubles = new Map<string, Set<string>>();
  const note = (registry: string, trouble: string): void => {
    const known = troubles.get(registry) ?? new Set();
    troubles.set(registry, known.add(trouble));
  };
  const helpers = new HelperAnswers(env, note);
  const readFile = async (file: string, isAgain: boolean): Promise<LoginFile> => {
    const reading = (isAgain ? undefined : files.get(file)) ?? readLoginFile(file);
    files.set(file, reading);
    reading.catch(() => files.delete(file));
    return await reading;
  };

  const inLogins = async (logins: LoginFile, { registry, repository, refused }: Wanted) => {
    const { file, credsStore } = logins;
    for (const trouble of findTroubles(logins, registry)) note(registry, trouble);
    const ask = async (helper: string | undefined) =>
      helper ? await helpers.ask({ helper, registry, file }, refused) : undefined;
    const own = findHelper(logins, registry);
    // A login written out in the file comes before the general helper: it works where the helper is not installed.
    return (
      (await ask(own)) ??
      findAuth(logins, registry, repository) ??
      (own === '' ? undefined : await ask(credsStore))
    );
  };

  const find = async (registry: string, repository: string, refused?: Credential) => {
    const wanted = { registry, repository, refused };
    const inVariable = loginsInVariable(env, trouble => note(registry, trouble));
    const first = inVariable && (await inLogins(inVariable, wanted));
    if (first !== undefined) return first;
    for (const { file, namedBy } of loginPlaces(env)) {
      const logins = await readFile(file, refused !== undefined);
      if (logins.isMissing && namedBy) note(registry, `${namedBy}: there is no file ${file}`);
      const found = await inLogins(logins, wanted);
      if (found !== undefined) return found;
    }
    return fromEnvironment(env, registry);
  };
  const trouble = (registry: string): string | undefined =>
    [...(troubles.get(registry) ?? [])].join('; ') || undefined;
  return Object.assign(find, { trouble });
}

/**
 * What GitLab's runners, and Docker, take from the environment. Often it is there for the runner alone, so one that
 * cannot be read does not fail the run.
 */
function loginsInVariable(env: Environment, onTrouble: (trouble: string) => void): LoginFile | undefined {
  const name = 'DOCKER_AUTH_CONFIG';
  const text = env[name];
  if (!text) return undefined;
  try {
    return parseLogins(text, name);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    onTrouble(error.message);
    return undefined;
  }
}

/** In the order they are asked; https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md has Podman's. */
function loginPlaces(env: Environment): LoginPlace[] {
  const home = env.HOME || env.USERPROFILE;
  const dockerFolder = env.DOCKER_CONFIG || (home && path.join(home, '.docker'));
  const configFolder = env.XDG_CONFIG_HOME || (home && path.join(home, '.config'));
  const runtimeFolder = env.XDG_RUNTIME_DIR || (home && `/run/containers/${process.getuid?.() ?? 0}`);
  const runtimeFile = env.XDG_RUNTIME_DIR ? 'containers/auth.json' : 'auth.json';
  const places: (LoginPlace | undefined | '')[] = [
    dockerFolder && {
      file: path.join(dockerFolder, 'config.json'),
      namedBy: env.DOCKER_CONFIG && 'DOCKER_CONFIG',
    },
    env.REGISTRY_AUTH_FILE && { file: env.REGISTRY_AUTH_FILE, namedBy: 'REGISTRY_AUTH_FILE' },
    runtimeFolder && { file: path.join(runtimeFolder, runtimeFile) },
    configFolder && { file: path.join(configFolder, 'containers', 'auth.json') },
  ];
  return places.flatMap(place => place || []);
}

function fromEnvironment(env: Environment, registry: string): Credential | undefined {
  const [username, password] = (
    registry === 'ghcr.io'
      ? [env.GITHUB_ACTOR, env.GITHUB_TOKEN]
      : registry === 'docker.io'
        ? [env.DOCKERHUB_USERNAME, env.DOCKERHUB_TOKEN]
        : []
  ).map(plainValue);
  return username && password ? { kind: 'basic', username, password } : undefined;
}
