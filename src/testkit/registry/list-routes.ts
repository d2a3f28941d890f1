import type { Exchange } from '../server/exchange.ts';
import { problem } from './problem.ts';
import type { RegistryState } from './state.ts';

/** Answers `/v2/<name>/tags/list`. Throws the registry's refusal: NAME_UNKNOWN, TOO_MANY_TAGS_REQUESTED. */
export async function answerTags(state: RegistryState, exchange: Exchange, name: string): Promise<void> {
  const repository = state.repositories.get(name);
  // A repository that was only asked for by an upload has nothing yet.
  if (repository === undefined || repository.manifests.size === 0) {
    throw problem(404, 'NAME_UNKNOWN', 'repository name not known to registry', { detail: { name } });
  }
  const { maxTagsAsked = Number.POSITIVE_INFINITY, maxTagsPage } = state.quirks;
  if (Number(exchange.url.searchParams.get('n') ?? 0) > maxTagsAsked)
    throw problem(413, 'TOO_MANY_TAGS_REQUESTED', `requested limit is too high, max is ${maxTagsAsked}`);
  await sendPage(exchange, [...repository.tags.keys()], maxTagsPage, tags => ({ name, tags }));
}

/** `/v2/_catalog` */
export async function answerCatalog(state: RegistryState, exchange: Exchange): Promise<void> {
  const names = [...state.repositories.values()]
    .filter(({ manifests }) => manifests.size > 0)
    .map(({ name }) => name);
  await sendPage(exchange, names, undefined, repositories => ({ repositories }));
}

/** The names in order, `n` of them after `last`, and a link to what follows. */
async function sendPage(
  exchange: Exchange,
  names: readonly string[],
  maximum: number | undefined,
  wrap: (page: readonly string[]) => unknown,
): Promise<void> {
  const { url } = exchange;
  const last = url.searchParams.get('last') ?? '';
  const asked = url.searchParams.get('n');
  if (asked !== null && !/^\d+$/.test(asked)) {
    throw problem(400, 'PAGINATION_NUMBER_INVALID', 'invalid number of results requested');
  }
  const limit = Math.min(
    asked === null ? Number.POSITIVE_INFINITY : Number(asked),
    maximum ?? Number.POSITIVE_INFINITY,
  );
  const rest = names.filter(name => name > last).sort();
  const page = rest.slice(0, limit);
  const end = page.at(-1);
  const next = new URLSearchParams([
    ['last', end ?? ''],
    ['n', String(limit)],
  ]);
  const hasMore = end !== undefined && page.length < rest.length;
  await exchange.sendJson(200, wrap(page), hasMore ? { link: `<${url.pathname}?${next}>; rel="next"` } : {});
}
