import type { Digest } from '../../core/digest.ts';
import { nextLink } from '../../http/link-header.ts';
import { parseManifest } from '../../oci/parse.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import { unlessUnauthorized } from './registry-client.ts';
import type { TagPlace } from './tag-list.ts';

const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const MAX_PAGES = 100;
const MAX_REFERRERS = 10_000;

/** Returns the registry's own list of what refers to `subject`; undefined if it keeps none. Throws RegistryError. */
export async function readReferrers(
  { client, store, scope, signal }: TagPlace,
  first: string,
  subject: Digest,
): Promise<Descriptor[] | undefined> {
  const purpose = `listing what refers to ${subject} in ${store}`;
  const found: Descriptor[] = [];
  let url = first;
  for (let page = 0; page < MAX_PAGES && found.length < MAX_REFERRERS; page++) {
    const request = { method: 'GET', url, scope, purpose, signal } as const;
    // GHCR sends those who ask to a page of its own; that is not a list.
    const response = await client.request({ ...request, followRedirects: false }).catch(unlessUnauthorized);
    // Harbor before 2.8 says 401 of what it does not know: https://github.com/regclient/regclient/pull/389
    if (response === undefined) return undefined;
    if (response.status !== 200) {
      if (response.status >= 500 || response.status === 429) throw await client.failure(response, purpose);
      response.discard();
      return undefined;
    }
    const bytes = await response.bytes(MAX_PAGE_BYTES);
    if (!String(response.headers['content-type']).startsWith(MediaType.ociIndex)) return undefined;
    const parsed = parseManifest(bytes, MediaType.ociIndex, purpose);
    if (parsed.kind !== 'index') return undefined;
    // A page may have any number of them, and each may have to be looked at.
    for (const descriptor of parsed.index.manifests.slice(0, MAX_REFERRERS - found.length))
      found.push(descriptor);
    const next = nextLink(response.headers);
    if (next === undefined) break;
    url = client.resolve(next, response.url);
  }
  return found;
}
