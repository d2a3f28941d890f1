import type { Digest } from '../../core/digest.ts';
import { RegistryError } from '../../core/errors.ts';
import { nextLink } from '../../http/link-header.ts';
import { parseManifest } from '../../oci/parse.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import { MAX_REFERRERS } from '../image-store.ts';
import { PageTrail } from './page-trail.ts';
import { unlessUnauthorized } from './registry-client.ts';
import type { TagPlace } from './tag-list.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/**
 * Returns the registry's own list of what refers to `subject`, at most MAX_REFERRERS; undefined if it keeps none. Throws
 * RegistryError, REGISTRY_BAD_ANSWER if the pages do not lead to the end of the list.
 */
export async function readReferrers(
  { client, store, scope, signal }: TagPlace,
  first: string,
  subject: Digest,
): Promise<Descriptor[] | undefined> {
  const purpose = `listing what refers to ${subject} in ${store}`;
  const found = new Map<Digest, Descriptor>();
  const trail = new PageTrail(why => badList(store, `${purpose}: ${why}`));
  let url: string | undefined = client.resolve(first);
  for (let isFirst = true; url !== undefined && found.size < MAX_REFERRERS; isFirst = false) {
    const request = { method: 'GET', url, scope, purpose, signal } as const;
    // GHCR sends those who ask to a page of its own; that is not a list.
    const response = await client.request({ ...request, followRedirects: false }).catch(unlessUnauthorized);
    const bytes = response?.status === 200 ? await response.bytes(MAX_PAGE_BYTES) : undefined;
    const isIndex = String(response?.headers['content-type']).startsWith(MediaType.ociIndex);
    const parsed = bytes && isIndex ? parseManifest(bytes, MediaType.ociIndex, purpose) : undefined;
    if (response === undefined || parsed?.kind !== 'index') {
      const { status = 401 } = response ?? {};
      if (response !== undefined && (status >= 500 || status === 429))
        throw await client.failure(response, purpose);
      if (bytes === undefined) response?.discard();
      // Harbor before 2.8 says 401 of what it does not know: https://github.com/regclient/regclient/pull/389
      if (isFirst) return undefined;
      throw badList(store, `${purpose}: a later page is not there (status ${status})`);
    }
    const { manifests } = parsed.index;
    const before = found.size;
    for (const descriptor of manifests) {
      // A page may have any number of them, and each may have to be looked at.
      if (found.size >= MAX_REFERRERS) break;
      found.set(descriptor.digest, descriptor);
    }
    const next = nextLink(response.headers);
    url = trail.after(url, next && client.resolve(next, response.url), {
      ...{ entries: manifests.length, fresh: found.size - before },
    });
  }
  return [...found.values()];
}

function badList(subject: string, message: string): RegistryError {
  return new RegistryError(message, { code: 'REGISTRY_BAD_ANSWER', subject });
}
