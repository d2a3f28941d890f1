import { HubError } from '../core/errors.ts';
import type { HttpClient } from '../http/client.ts';
import { nextLink } from '../http/link-header.ts';
import type { HttpResponse } from '../http/types.ts';
import { badAnswer, explainHubError, type HubQuestion, hubFailure } from './hub-failure.ts';

/** An answer of the Hub's API, and where the next page is. */
export interface ApiAnswer<T> {
  readonly value: T;
  readonly response: HttpResponse;
}

/** A model's list of files, and one page of its tree. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const MAX_TREE_PAGES = 1000;

/**
 * Asks the Hub's API and returns its answer as `parse` reads it. Throws HubError for anything but a whole answer of
 * status 200 that `parse` can read; one that it cannot is asked for once more, because something on the way may have
 * cut it.
 */
export async function askHub<T>(
  http: HttpClient,
  request: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  question: HubQuestion,
  parse: (body: Buffer) => T,
  signal: AbortSignal | undefined,
): Promise<ApiAnswer<T>> {
  const purpose = `asking the Hub about ${question.model}`;
  const ask = async (): Promise<ApiAnswer<T>> => {
    const asked = { ...request, method: 'GET' as const, purpose, signal };
    const { response, bytes } = await http.requestBytes(asked, MAX_BODY_BYTES);
    if (bytes === undefined) throw hubFailure(response, question);
    return { value: parse(bytes), response };
  };
  try {
    return await ask();
  } catch (error) {
    if (!isCutShort(error)) throw explainHubError(error, question);
    await http.waitToRetry({ purpose, attempt: 1, reason: error.message, signal });
  }
  return await ask().catch((error: unknown) => {
    throw explainHubError(error, question);
  });
}

function isCutShort(error: unknown): error is HubError {
  return error instanceof HubError && error.cause instanceof SyntaxError;
}

/** Yields the items of a list page by page, following `Link` headers from its first page to its last. Throws HubError. */
export async function* askHubForPages<T>(
  http: HttpClient,
  first: { readonly url: string; readonly headers: Readonly<Record<string, string>> },
  question: HubQuestion,
  parse: (body: Buffer) => T,
  signal: AbortSignal | undefined,
): AsyncGenerator<T> {
  const seen = new Set<string>();
  for (let url: string | undefined = first.url; url !== undefined; ) {
    if (seen.has(url)) throw badAnswer(question.model, 'its list of files goes round in a circle');
    if (seen.size >= MAX_TREE_PAGES)
      throw badAnswer(question.model, `its list of files does not end after ${MAX_TREE_PAGES} pages`);
    seen.add(url);
    const { value, response } = await askHub(http, { ...first, url }, question, parse, signal);
    yield value;
    url = nextPage(response, question);
  }
}

function nextPage(response: HttpResponse, { endpoint, model }: HubQuestion): string | undefined {
  const link = nextLink(response.headers);
  if (link === undefined) return undefined;
  const next = URL.parse(link, response.url);
  // The token goes with the request, so the next page has to be the Hub's own.
  if (next?.origin !== new URL(endpoint).origin)
    throw badAnswer(model, 'its list of files goes on at another server');
  return next.href;
}
