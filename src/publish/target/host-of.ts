/** Returns the host of a repository's full name: `ghcr.io` of `ghcr.io/acme/hf-x`. */
export function hostOf(repository: string): string {
  const slash = repository.indexOf('/');
  return slash === -1 ? repository : repository.slice(0, slash);
}
