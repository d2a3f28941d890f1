import { STATEMENT_NAMES } from '../../attest/statement.ts';
import type { CatalogImage } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { codeBlock, variantChip } from './copy.ts';

/** Returns how to check an image, and what is stated of it: a page proves nothing. */
export function verifySection(images: readonly CatalogImage[], dir: string): Markup {
  const [image] = images;
  if (image === undefined) return null;
  const stated = images.filter(({ statements }) => statements.length > 0);
  const signed = images.find(isSigned);
  const reference = referenceOf(signed ?? image);
  return html`
    <section aria-labelledby="verify">
      <h2 id="verify">Verify it</h2>
      <p>Compare every file in the image with the Hub's hashes at this commit:</p>
      ${codeBlock('With Weighbridge', `weighbridge verify --deep ${reference}`)}
      ${
        signed === undefined
          ? html`<p class="quiet">The images are not signed.</p>`
          : html`
              <p>Who made it, with the publisher's public key or, for keyless signatures, with <code>--identity</code> and
                <code>--issuer</code> in place of the key:</p>
              ${codeBlock('With Weighbridge', `weighbridge verify --signed --key signing.pub ${reference}`)}
              ${codeBlock('With cosign', `cosign verify --key signing.pub --insecure-ignore-tlog ${reference}`)}
              ${
                signed.statements.includes(STATEMENT_NAMES.model) &&
                codeBlock(
                  'The files, with model_signing',
                  `weighbridge verify --signed --key signing.pub --save-model-signature model.sig ${reference}\nmodel_signing verify key --signature model.sig --public_key signing.pub ${dir}`,
                )
              }
            `
      }
      ${
        stated.length > 0 &&
        html`<ul>${stated.map(({ variant, statements }) => html`<li>${variantChip(variant)} ${statements.join(', ')}</li>`)}</ul>`
      }
    </section>
  `;
}

/** Whether the image itself is signed; other statements do not count. */
export function isSigned({ statements }: CatalogImage): boolean {
  return statements.includes(STATEMENT_NAMES.image);
}

function referenceOf({ places, digest }: CatalogImage): string {
  return `${places[0]?.repository ?? ''}@${digest}`;
}
