import type { IncomingHttpHeaders } from 'node:http';

/**
 * Returns the target of `Link: <…>; rel="next"`, as it is there: relative or absolute, and not to be trusted.
 * https://www.rfc-editor.org/rfc/rfc8288#section-3
 */
export function nextLink(headers: IncomingHttpHeaders): string | undefined {
  const { link } = headers;
  const text = Array.isArray(link) ? link.join(', ') : (link ?? '');
  for (const [, target, parameters = ''] of text.matchAll(/<([^<>]*)>\s*((?:;[^,;<>]*)*)/g)) {
    if (/;\s*rel\s*=\s*("(?:[^"]*\s)?next(?:\s[^"]*)?"|next)\s*(?:;|$)/i.test(parameters)) return target;
  }
  return undefined;
}
