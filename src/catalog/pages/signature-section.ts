import { STATEMENT_NAMES } from '../../attest/statement.ts';
import type { CatalogImage } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';

/** What is stated of the images, and the command that proves it; nothing for a model whose images are not signed. */
export function signatureSection(images: readonly CatalogImage[]): Markup {
  const signed = images.filter(({ statements }) => statements.includes(STATEMENT_NAMES.image));
  if (signed.length === 0) return null;
  return html`
    <section aria-labelledby="signatures">
      <h2 id="signatures">Signatures</h2>
      <ul>
        ${signed.map(
          ({ variant, statements }) =>
            html`<li><span class=${`chip chip-${variant}`}>${variant}</span> ${statements.join(', ')}</li>`,
        )}
      </ul>
      <p>A page proves nothing. This does, with the publisher's public key:</p>
      ${signed.slice(0, 1).map(image => html`<pre><code>${command(image)}</code></pre>`)}
    </section>
  `;
}

function command({ places, digest }: CatalogImage): string {
  const repository = places[0]?.repository ?? '';
  return `weighbridge verify --signed --key signing.pub ${repository}@${digest}`;
}
