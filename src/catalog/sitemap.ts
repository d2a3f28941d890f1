import { escapeXml } from './feed.ts';

/** As many as one file may have; https://www.sitemaps.org/protocol.html */
const MAX_PAGES = 50_000;

/** Returns the sitemap of pages whose addresses are relative to `url`, which ends with a slash. */
export function sitemap(paths: readonly string[], url: string): string {
  const entries = paths
    .slice(0, MAX_PAGES)
    .map(path => `  <url><loc>${escapeXml(new URL(path, url).href)}</loc></url>\n`);
  return `<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${entries.join('')}</urlset>
`;
}
