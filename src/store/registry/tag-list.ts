import { RegistryError } from '../../core/errors.ts';
import { isRecord, parseJson } from '../../core/json-shape.ts';
import { nextLink } from '../../http/link-header.ts';
import { isTag } from '../../oci/reference.ts';
import { PageTrail } from './page-trail.ts';
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
/**
 * Returns at most `limit` tags of `/v2/<name>/tags/list`, page by page; none for a repository that does not exist.
 * Throws RegistryError, REGISTRY_BAD_ANSWER if the pages do not lead to the end of the list.
 */
export async function readTagList(
  { client, store, scope, signal }: TagPlace,
  list: string,
  limit: number,
): Promise<string[]> {
  const purpose = `listing the tags of ${store}`;
  const tags = new Set<string>();
  const trail = new PageTrail(why => notAList(store, undefined, why));
  let pageTags = Math.min(limit, PAGE_TAGS);
  let url: string | undefined = client.resolve(`${list}?n=${pageTags}`);
  for (let isFirst = true; url !== undefined && tags.size < limit; ) {
    const { response, bytes } = await client.requestBytes({ method: 'GET', url, scope, purpose, signal });
    if (isFirst && response.status === 404) {
      response.discard();
      break;
    }
    if (isFirst && pageTags > SMALL_PAGE_TAGS && TOO_MANY.has(response.status)) {
      response.discard();
      pageTags = SMALL_PAGE_TAGS;
      url = client.resolve(`${list}?n=${pageTags}`);
      continue;
    }
    if (bytes === undefined) throw await client.failure(response, purpose);
    const page = parseTagList(bytes, store);
    const before = tags.size;
    for (const tag of page) {
      // A page may have more than was asked for.
      if (tags.size >= limit) return [...tags];
      tags.add(tag);
    }
    const next = nextLink(response.headers);
    url = trail.after(url, next && client.resolve(next, response.url), {
      ...{ entries: page.length, fresh: tags.size - before },
    });
    isFirst = false;
  }
  return [...tags];
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
