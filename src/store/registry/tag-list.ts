import { RegistryError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import { nextLink } from '../../http/link-header.ts';
import { isTag } from '../../oci/reference.ts';
import type { RegistryClient } from './registry-client.ts';

/** A repository whose tags are read. `store` is its name in errors, `scope` what its token has to permit. */
export interface TagPlace {
  readonly client: RegistryClient;
  readonly store: string;
  readonly scope: string;
  readonly signal: AbortSignal | undefined;
}

/** ECR takes no page of more: https://github.com/google/go-containerregistry/issues/681 */
const PAGE_TAGS = 1000;
/** What every registry has to take, and quay.io takes at most: https://github.com/google/go-containerregistry/issues/1963 */
const SMALL_PAGE_TAGS = 100;
/** A registry that leaves tags out of its pages may have pages without any. */
const MAX_EMPTY_PAGES = 20;
/** Far more than a registry that may be asked for 100 tags at once needs. */
const MAX_PAGES = 1000;

/**
 * Returns at most `limit` tags of `/v2/<name>/tags/list`, page by page; none for a repository that does not exist.
 * Throws RegistryError.
 */
export async function readTagList(
  { client, store, scope, signal }: TagPlace,
  list: string,
  limit: number,
): Promise<string[]> {
  const purpose = `listing the tags of ${store}`;
  const tags: string[] = [];
  const seen = new Set<string>();
  let emptyPages = 0;
  let pageTags = Math.min(limit, PAGE_TAGS);
  for (let url = `${list}?n=${pageTags}`; tags.length < limit && !seen.has(url); ) {
    // What is only part of a list must not be taken for the whole.
    if (seen.size >= MAX_PAGES) throw notAList(store, undefined, `it does not end after ${MAX_PAGES} pages`);
    seen.add(url);
    const { response, bytes } = await client.requestBytes({ method: 'GET', url, scope, purpose, signal });
    if (response.status === 404) {
      response.discard();
      break;
    }
    if (seen.size === 1 && pageTags > SMALL_PAGE_TAGS && TOO_MANY.has(response.status)) {
      response.discard();
      pageTags = SMALL_PAGE_TAGS;
      url = `${list}?n=${pageTags}`;
      continue;
    }
    if (bytes === undefined) throw await client.failure(response, purpose);
    const page = parseTagList(bytes, store);
    // A page may have more than was asked for, and more than a call can have arguments.
    for (const tag of page.slice(0, limit - tags.length)) tags.push(tag);
    const next = nextLink(response.headers);
    emptyPages = page.length === 0 ? emptyPages + 1 : 0;
    if (next === undefined || emptyPages > MAX_EMPTY_PAGES) break;
    url = client.resolve(next, response.url);
  }
  return tags;
}

/** How a page of too many tags is refused. */
const TOO_MANY: ReadonlySet<number> = new Set([400, 405, 413, 416, 422]);

/**
 * Returns the tags of a page of `GET /v2/<name>/tags/list`;
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags. Throws RegistryError
 * REGISTRY_BAD_ANSWER.
 */
export function parseTagList(bytes: Buffer, subject: string): string[] {
  let json: unknown;
  try {
    json = parseJson(bytes.toString('utf8'));
  } catch (cause) {
    throw notAList(subject, cause);
  }
  if (json !== null && !isRecord(json)) throw notAList(subject);
  const tags = json?.tags ?? [];
  if (!Array.isArray(tags)) throw notAList(subject);
  // What no tag can be would end up in addresses and commands.
  return tags.filter(tag => typeof tag === 'string' && isTag(tag));
}

function notAList(subject: string, cause?: unknown, why?: string): RegistryError {
  return new RegistryError(`unexpected list of tags from ${subject}${why ? `: ${why}` : ''}`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject,
    cause,
  });
}
