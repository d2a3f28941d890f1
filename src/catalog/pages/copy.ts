import { html, type Markup } from '../html.ts';

/** A hash in short, the whole of it to copy. */
export function hash(hex: string, what: string, whole: string = hex): Markup {
  return html`<button type="button" class="hash mono" data-copy=${whole} title=${whole} aria-label=${`Copy the ${what} ${hex.slice(0, 12)}`}>${hex.slice(0, 12)}</button>`;
}

export function digestButton(digest: string): Markup {
  return hash(digest.replace(/^sha256:/, ''), 'digest', digest);
}

/** Something to copy, under what it is. */
export function codeBlock(title: string, text: string): Markup {
  return html`
    <div class="code">
      <div class="code-head"><span>${title}</span><button type="button" class="copy js-only" data-copy-code aria-label=${`Copy: ${title}`}>Copy</button></div>
      <pre tabindex="0" role="group" aria-label=${title}><code>${text}</code></pre>
    </div>
  `;
}

export function variantChip(variant: string): Markup {
  return html`<span class=${`chip chip-${variant === 'slim' ? 'slim' : 'fat'}`}>${variant}</span>`;
}

export function date(iso: string): Markup {
  return html`<time datetime=${iso}>${iso.slice(0, 10)}</time>`;
}

/** A link to a model. A label may hold anything; what is not the id of a model is not an address. */
export function hubLink(id: string): Markup {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(id)) return html`<bdi>${id}</bdi>`;
  return html`<a href=${`https://huggingface.co/${id}`} rel="external"><bdi>${id}</bdi></a>`;
}
