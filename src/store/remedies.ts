/** What to do if a registry answers with a status of 500 or above, which is retried before it is an error. */
export const SERVER_FAULT_REMEDY =
  'The registry, or a proxy in front of it, has a problem of its own: run the command again later.';

/** What to do about a registry that names its own addresses by plain HTTP although it was reached by HTTPS. */
export const PROXY_REMEDY =
  'The registry seems to sit behind a proxy that does not tell it about HTTPS (X-Forwarded-Proto).';

/** Returns how to log in to a registry, as a sentence. */
export function loginRemedy(registry: string): string {
  if (registry === 'ghcr.io') {
    return 'Run `docker login ghcr.io` with a token that may write packages, or set GITHUB_ACTOR and GITHUB_TOKEN.';
  }
  if (registry === 'docker.io') return 'Run `docker login`, or set DOCKERHUB_USERNAME and DOCKERHUB_TOKEN.';
  return `Run \`docker login ${registry}\` or \`podman login ${registry}\` with an account that may write there.`;
}
