import type { HttpClient, HttpResponse } from '../http/client.ts';
import { isTransient } from '../http/network-error.ts';
import { badAnswer, explainHubError, type HubQuestion, hubFailure } from './hub-failure.ts';

export interface ApiAnswer {
  readonly body: Buffer;
  readonly response: HttpResponse;
}

/** A model's list of files, and one page of its tree. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_TREE_PAGES = 1000;

/** Asks the Hub's API. Throws HubError for anything but a whole answer of status 200. */
export async function askHub(
  http: HttpClient,
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  question: HubQuestion,
  signal: AbortSignal | undefined,
): Promise<ApiAnswer> {
  const purpose = `asking the Hub about ${question.model}`;
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await http.request({ ...request, method: 'GET', purpose, signal });
      if (response.status !== 200) throw hubFailure(response, question);
      const { body, failure } = await readBody(response);
      if (body !== undefined) return { body, response };
      if (!isTransient(failure) || attempt >= http.retry.attempts) throw failure;
      await http.waitToRetry({ purpose, attempt, reason: (failure as Error).message, signal });
    } catch (error) {
      throw explainHubError(error, question);
    }
  }
}

/** Follows the `Link` headers of a list from its first page to its last. */
export async function* askHubForPages(
  http: HttpClient,
  first: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  question: HubQuestion,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const seen = new Set<string>();
  for (let url: string | undefined = first.url; url !== undefined; ) {
    if (seen.has(url)) throw badAnswer(question.model, 'its list of files goes round in a circle');
    if (seen.size >= MAX_TREE_PAGES)
      throw badAnswer(question.model, `its list of files does not end after ${MAX_TREE_PAGES} pages`);
    seen.add(url);
    const { body, response } = await askHub(http, { ...first, url }, question, signal);
    yield body;
    url = nextPage(response, question);
  }
}

/** The client retries until there is an answer; this tells a body that broke off from one that will not do. */
async function readBody(response: HttpResponse): Promise<{ body?: Buffer; failure?: unknown }> {
  try {
    return { body: await response.bytes(MAX_BODY_BYTES) };
  } catch (failure) {
    return { failure };
  }
}

function nextPage(response: HttpResponse, { endpoint, model }: HubQuestion): string | undefined {
  const link = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(response.headers.link ?? ''))?.[1];
  if (link === undefined) return undefined;
  const next = URL.parse(link, response.url);
  // The token goes with the request, so the next page has to be the Hub's own.
  if (next?.origin !== new URL(endpoint).origin)
    throw badAnswer(model, 'its list of files goes on at another server');
  return next.href;
}
