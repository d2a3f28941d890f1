/** Query parameters that carry no secret; every other value is hidden. */
const SHOWN_PARAMETERS = new Set([
  'blobs',
  'digest',
  'from',
  'mount',
  'n',
  'last',
  'recursive',
  'scope',
  'service',
  'artifactType',
]);

/**
 * Returns `url` fit for logs and errors: no user info, no fragment, unknown query values hidden (signed links are in
 * there).
 */
export function redactUrl(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return '(not a URL)';
  }
  // Taken as it is and not decoded, or a line break in a value would become one in the log.
  const query = parsed.search.slice(1).split('&').filter(Boolean).map(redactParameter);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}

function redactParameter(text: string): string {
  const equals = text.indexOf('=');
  // What has no `=` may be a bare signature.
  if (equals === -1) return '…';
  const name = text.slice(0, equals);
  return SHOWN_PARAMETERS.has(name) ? text : `${name}=…`;
}
