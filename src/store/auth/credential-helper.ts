import { RegistryError } from '../../core/errors.ts';
import { parseJson } from '../../core/json-shape.ts';
import { plainLine } from '../../core/safe-text.ts';
import type { Credential, Environment } from './types.ts';

/** Which login a credential helper is asked for. */
export interface HelperQuestion {
  /** `desktop` for the program `docker-credential-desktop`. */
  readonly helper: string;
  readonly registry: string;
  /** The file that names the helper, for errors. */
  readonly file: string;
  readonly env: Environment;
}

/** Long enough for a keyring to ask its user for a password. */
const HELPER_TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const HELPER_NAME = /^[a-z0-9._-]+$/;

/**
 * Asks a credential helper and returns its login; undefined if it has none.
 * https://github.com/docker/docker-credential-helpers#development has the protocol. Throws RegistryError
 * REGISTRY_LOGIN_HELPER.
 */
export async function askCredentialHelper(question: HelperQuestion): Promise<Credential | undefined> {
  if (!HELPER_NAME.test(question.helper)) throw failure(question, 'its name is not one of a helper');
  for (const server of serversOf(question.registry)) {
    const answer = await runHelper(question, server);
    const credential = answer === undefined ? undefined : parseHelperAnswer(question, answer);
    if (credential !== undefined) return credential;
  }
  return undefined;
}

/** Docker keeps its Hub's login under an address, Podman under the host. */
function serversOf(registry: string): string[] {
  return registry === 'docker.io' ? ['https://index.docker.io/v1/', 'docker.io'] : [registry];
}

async function runHelper(question: HelperQuestion, server: string): Promise<string | undefined> {
  const result = await execute(`docker-credential-${question.helper}`, question.env, server);
  const { stdout, stderr } = result;
  if (!result.failed) return stdout;
  // Helpers print errors, also this one, to stdout.
  if (/credentials not found/i.test(stdout + stderr)) return undefined;
  if (result.code === 'ENOENT') throw failure(question, 'it is not installed');
  if (result.timedOut)
    throw failure(question, `it did not answer within ${HELPER_TIMEOUT_MS / 1000} seconds`);
  throw failure(
    question,
    `it says: ${errorText(stdout, stderr) || `status ${result.exitCode ?? result.code}`}`,
  );
}

/** Returns the login in a helper's answer; undefined if its secret is empty. Throws RegistryError REGISTRY_LOGIN_HELPER. */
export function parseHelperAnswer(question: HelperQuestion, answer: string): Credential | undefined {
  let json: { Username?: unknown; Secret?: unknown } | null;
  try {
    json = parseJson(answer) as typeof json;
  } catch {
    // The parser's message would quote the answer.
    throw failure(question, 'its answer is not JSON');
  }
  const username = json?.Username;
  const secret = json?.Secret;
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw failure(question, 'its answer has no Username and Secret');
  }
  if (secret === '') return undefined;
  if (username === '<token>') return { kind: 'identity', token: secret };
  return { kind: 'basic', username, password: secret };
}

async function execute(program: string, env: Environment, input: string) {
  // Few runs ask a helper; the others do without the time that it takes to load.
  const { execa } = await import('execa');
  return await execa(program, ['get'], {
    env: { ...env },
    extendEnv: false,
    input,
    reject: false,
    timeout: HELPER_TIMEOUT_MS,
    maxBuffer: MAX_ANSWER_BYTES,
  });
}

/** A failed helper's words in one line, unless they look like an answer, which could hold a secret. */
function errorText(stdout: string, stderr: string): string {
  return plainLine([stdout, stderr].filter(output => !output.includes('{')).join(' '), 200);
}

function failure(question: HelperQuestion, why: string): RegistryError {
  const { helper, registry, file } = question;
  const program = `docker-credential-${helper}`;
  return new RegistryError(`cannot get the login for ${registry} from ${program}: ${why}`, {
    code: 'REGISTRY_LOGIN_HELPER',
    subject: registry,
    remedy: `Make ${program} work in this shell, or take it out of ${file} and log in again.`,
  });
}
