import { html, type Markup } from '../html.ts';

/** Returns the markup of a shortened hash with a button that copies the whole. */
export function hash(hex: string, what: string, whole: string = hex): Markup {
  return html`<button type="button" class="hash mono" data-copy=${whole} title=${whole} aria-label=${`Copy the ${what} ${hex.slice(0, 12)}`}>${hex.slice(0, 12)}</button>`;
}

/** Returns the markup of a shortened digest, without its `sha256:`, with a button that copies the whole. */
export function digestButton(digest: string): Markup {
  return hash(digest.replace(/^sha256:/, ''), 'digest', digest);
}

/** Returns a block of text to copy under its title. */
export function codeBlock(title: string, text: string): Markup {
  return html`
    <div class="code">
      <div class="code-head"><span>${title}</span><button type="button" class="copy js-only" data-copy-code aria-label=${`Copy: ${title}`}>Copy</button></div>
      <pre tabindex="0" role="group" aria-label=${title}><code>${text}</code></pre>
    </div>
  `;
}

/** Returns the markup of a variant's name in a chip; all but `slim` are colored as images that hold weights. */
export function variantChip(variant: string): Markup {
  return html`<span class=${`chip chip-${variant === 'slim' ? 'slim' : 'fat'}`}>${variant}</span>`;
}

/** Returns the markup of a day, `2026-11-27`, of a time in ISO 8601. */
export function date(iso: string): Markup {
  return html`<time datetime=${iso}>${iso.slice(0, 10)}</time>`;
}

/** Returns a link to a model. A label may hold anything: text that is not a model's id becomes no address. */
export function hubLink(id: string): Markup {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(id)) return html`<bdi>${id}</bdi>`;
  return html`<a href=${`https://huggingface.co/${id}`} rel="external"><bdi>${id}</bdi></a>`;
}
