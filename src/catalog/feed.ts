import type { CatalogData, CatalogImage, CatalogModel } from './catalog-data.ts';

const MAX_ENTRIES = 50;

/**
 * Returns an Atom feed of new images (RFC 4287). `url` is where the site will be, with a slash at its end; without it
 * addresses are relative to the feed, which most readers understand.
 */
export function atomFeed(data: CatalogData, url: string | undefined): string {
  const entries = data.models
    .flatMap(model => model.images.map(image => ({ model, image })))
    .sort((a, b) => b.image.firstSeen.localeCompare(a.image.firstSeen))
    .slice(0, MAX_ENTRIES);
  const root = url ?? '';
  const updated = entries[0]?.image.firstSeen ?? data.generated;
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title>${escapeXml(data.title)}: new images</title>
  <id>${escapeXml(url ?? `urn:weighbridge:${encodeURIComponent(data.title)}`)}</id>
  <link rel="self" type="application/atom+xml" href="${escapeXml(`${root}feed.xml`)}"/>
  <link rel="alternate" type="text/html" href="${escapeXml(`${root}index.html`)}"/>
  <updated>${escapeXml(updated)}</updated>
  <author><name>${escapeXml(data.title)}</name></author>
${entries.map(entry => entryText(entry, root)).join('')}</feed>
`;
}

function entryText({ model, image }: { model: CatalogModel; image: CatalogImage }, root: string): string {
  const tags = image.places.flatMap(place => place.tags.map(tag => `${place.repository}:${tag}`));
  const title = `${model.id}: ${image.variant}${image.version === null ? '' : ` on vLLM ${image.version}`}`;
  return `  <entry>
    <title>${escapeXml(title)}</title>
    <id>urn:oci:${escapeXml(image.digest)}</id>
    <link rel="alternate" type="text/html" href="${escapeXml(root + model.page)}"/>
    <updated>${escapeXml(image.firstSeen)}</updated>
    <summary>${escapeXml(`Revision ${image.revision}. ${tags.join(', ')}`)}</summary>
  </entry>
`;
}

/** Returns text as it has to be written in XML. */
export function escapeXml(text: string): string {
  return (
    text
      // What XML 1.0 cannot hold at all.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
  );
}
