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

/** `url` fit for logs and errors: no user info, no fragment, unknown query values hidden (signed links are in there). */
export function redactUrl(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return '(not a URL)';
  }
  const query = [...parsed.searchParams].map(([name, value]) =>
    SHOWN_PARAMETERS.has(name) ? `${name}=${value}` : `${name}=…`,
  );
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${query.length > 0 ? `?${query.join('&')}` : ''}`;
}
