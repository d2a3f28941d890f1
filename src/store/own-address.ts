/**
 * Returns `url` as the registry at `origin` means it: one behind a proxy that ends TLS may not know of it, and names
 * itself by plain HTTP, often without its port. Others' addresses are returned as they are.
 */
export function ownAddress(url: URL, origin: string): URL {
  const own = new URL(origin);
  const isItself = url.hostname === own.hostname && (url.port === '' || url.port === own.port);
  if (own.protocol !== 'https:' || url.protocol !== 'http:' || !isItself) return url;
  const secure = new URL(url);
  secure.protocol = own.protocol;
  secure.port = own.port;
  return secure;
}
