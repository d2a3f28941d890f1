import { renderCard } from '../card/render-card.ts';
import type { CatalogModel } from '../catalog-data.ts';
import { html, type Markup, trusted } from '../html.ts';

/** Returns the section with the model's card, made safe; undefined for a model whose card is not available. */
export function cardSection(model: CatalogModel, markdown: string | undefined): Markup {
  const onHub = html`<a href=${model.url} rel="external">on the Hub</a>`;
  if (markdown === undefined) {
    return html`
      <section aria-labelledby="card">
        <h2 id="card">Model card</h2>
        <p class="quiet">The card is ${onHub}; it could not be read when this page was made.</p>
      </section>
    `;
  }
  const { html: card, isCut } = renderCard({ markdown, url: model.url, revision: model.revision });
  return html`
    <section aria-labelledby="card">
      <h2 id="card">Model card</h2>
      <p class="quiet">
        Written by the model's authors, as of revision <span class="mono">${model.revision.slice(0, 12)}</span>. Pictures and everything
        interactive are left out; the whole of it is ${onHub}.
      </p>
      <div class="prose card" dir="auto">${trusted(card)}</div>
      ${isCut && html`<p class="quiet">The card goes on ${onHub}.</p>`}
    </section>
  `;
}
