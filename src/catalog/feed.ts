import type { CatalogData, CatalogImage, CatalogModel } from './catalog-data.ts';

const MAX_ENTRIES = 50;

/**
 * An Atom feed of new images (RFC 4287). `url` is where the site will be, with a slash at its end; without it addresses
 * are relative to the feed, which most readers understand.
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
  <title>${xml(data.title)}: new images</title>
  <id>${xml(url ?? `urn:weighbridge:${encodeURIComponent(data.title)}`)}</id>
  <link rel="self" type="application/atom+xml" href="${xml(`${root}feed.xml`)}"/>
  <link rel="alternate" type="text/html" href="${xml(`${root}index.html`)}"/>
  <updated>${xml(updated)}</updated>
  <author><name>${xml(data.title)}</name></author>
${entries.map(entry => entryText(entry, root)).join('')}</feed>
`;
}

function entryText({ model, image }: { model: CatalogModel; image: CatalogImage }, root: string): string {
  const tags = image.places.flatMap(place => place.tags.map(tag => `${place.repository}:${tag}`));
  const title = `${model.id}: ${image.variant}${image.version === null ? '' : ` on vLLM ${image.version}`}`;
  return `  <entry>
    <title>${xml(title)}</title>
    <id>urn:oci:${xml(image.digest)}</id>
    <link rel="alternate" type="text/html" href="${xml(root + model.page)}"/>
    <updated>${xml(image.firstSeen)}</updated>
    <summary>${xml(`Revision ${image.revision}. ${tags.join(', ')}`)}</summary>
  </entry>
`;
}

function xml(text: string): string {
  return (
    text
      // What XML 1.0 cannot hold at all.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
  );
}
