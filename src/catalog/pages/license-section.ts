import { holdsWeights } from '../../config/variants.ts';
import type { CatalogModel } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { hubLink } from './copy.ts';

/** Returns the model's license, why its weights are in an image or not, and what it was made from. */
export function licenseSection(model: CatalogModel): Markup {
  const { license, lineage, url, access } = model;
  return html`
    <section aria-labelledby="license">
      <h2 id="license">License and access</h2>
      <p>${license === null ? 'No license is named.' : html`The license of the model: <strong>${license}</strong>.`}</p>
      ${access === 'gated' && html`<p><strong>The model is gated.</strong> Accept its terms on the Hub, and give the container a token with access: <code>HF_TOKEN</code>.</p>`}
      ${access === 'private' && html`<p><strong>The model is private.</strong> The container needs a token of its owner: <code>HF_TOKEN</code>.</p>`}
      ${weights(model)}
      ${lineage.length > 0 && lineageList(lineage)}
      <p><a href=${url} rel="external">Terms and model card on the Hub</a></p>
    </section>
  `;
}

function weights({ variants, fatRefusal }: CatalogModel): Markup {
  if (variants.some(holdsWeights)) {
    return html`<p>The full texts are in the images with the weights, in <code>/licenses</code>: of the model, and of what was added to it.</p>`;
  }
  if (fatRefusal === null)
    return html`<p>No image with the weights is published. The slim image downloads them from the Hub.</p>`;
  return html`
    <div class="note">
      <p><strong>Why there is no fat image:</strong> ${fatRefusal.reason}</p>
      <p class="quiet">Rule: <code>${fatRefusal.rule}</code>. The slim image downloads the weights from the Hub.</p>
    </div>
  `;
}

function lineageList(lineage: CatalogModel['lineage']): Markup {
  return html`
    <p>It was made from, nearest first:</p>
    <ol>
      ${lineage.map(({ id, license }) => html`<li>${hubLink(id)}: ${license ?? 'no license declared'}</li>`)}
    </ol>
  `;
}
