type Environment = Readonly<Record<string, string | undefined>>;

/** What is a secret of this program and its CI job, and of no use to a scanner or a container engine. */
const OWN_SECRETS: ReadonlySet<string> = new Set([
  'HF_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'GITHUB_TOKEN',
  'GH_TOKEN',
  'DOCKERHUB_TOKEN',
  'COSIGN_PASSWORD',
  'SIGSTORE_ID_TOKEN',
  'SIGNING_KEY',
  'NPM_TOKEN',
  'NODE_AUTH_TOKEN',
  'CI_JOB_TOKEN',
  'CI_REGISTRY_PASSWORD',
  'CI_DEPLOY_PASSWORD',
  'CI_DEPENDENCY_PROXY_PASSWORD',
  'ACTIONS_RUNTIME_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
]);

/** `signing.key: env://NAME` gives a key a name of the user's choice. */
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * Returns `env` without the secrets that another program does not need, except those that it is given by name (`-e
 * HF_TOKEN`). Its own settings stay, as do logins of cloud registries for its credential helpers.
 */
export function withoutSecrets(
  env: Environment,
  args: readonly string[] = [],
): Record<string, string | undefined> {
  const given = new Set(args);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name, value]) => given.has(name) || !(OWN_SECRETS.has(name) || PRIVATE_KEY.test(value ?? '')),
    ),
  );
}
