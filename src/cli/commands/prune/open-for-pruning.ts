import type { Digest } from '../../../core/digest.ts';
import { RegistryError } from '../../../core/errors.ts';
import { memoizeAsync } from '../../../core/pool.ts';
import { GithubPackages } from '../../../retention/github-packages.ts';
import type { PrunedRepository } from '../../../retention/prune-repository.ts';
import type { ImageStore } from '../../../store/image-store.ts';
import type { Session } from '../../session.ts';

const GHCR = 'ghcr.io';

/** Returns a repository with the way in which its registry deletes: GHCR has an API of its own. */
export function openForPruning(session: Session, repository: string): PrunedRepository {
  const { services, env, signal } = session;
  if (!repository.startsWith(`${GHCR}/`)) {
    const store = services.openRepository(repository, 'delete');
    return { store, tellsAges: false, openDeleter: async () => ociDeleter(store) };
  }
  const open = memoizeAsync(async () => {
    const token = env.GITHUB_TOKEN || (await passwordOf(session, repository));
    if (token === undefined) throw noToken(repository);
    const apiUrl = (env.GITHUB_API_URL || 'https://api.github.com').replace(/\/+$/, '');
    return await GithubPackages.open({ http: services.http, apiUrl, token, repository }, signal);
  });
  return {
    store: services.openRepository(repository, 'pull'),
    tellsAges: true,
    openDeleter: () => open(''),
  };
}

function ociDeleter(store: ImageStore) {
  return {
    async deleteManifest(digest: Digest, signal?: AbortSignal) {
      if (store.deleteManifest === undefined) throw new TypeError(`${store.name} deletes nothing`);
      return await store.deleteManifest(digest, signal);
    },
  };
}

async function passwordOf({ services }: Session, repository: string): Promise<string | undefined> {
  const credential = await services.credentials(GHCR, repository.slice(GHCR.length + 1));
  return credential?.kind === 'basic' ? credential.password : undefined;
}

function noToken(repository: string): RegistryError {
  return new RegistryError(`GHCR deletes images through GitHub's packages API, which needs a token`, {
    code: 'REGISTRY_UNAUTHORIZED',
    subject: repository,
    remedy:
      'Set GITHUB_TOKEN to one with `read:packages` and `delete:packages`, or log in to ghcr.io with it.',
  });
}
