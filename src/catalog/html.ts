import { createRequire } from 'node:module';

// Preact's own types bring the browser's with them, into a program that runs in none: so what is used of it is typed here.
const load = createRequire(import.meta.url);
const { h } = load('preact') as { h: (type: string, props: object | null, ...children: Markup[]) => Element };
const { renderToStaticMarkup } = load('preact-render-to-string') as {
  renderToStaticMarkup: (root: Element) => string;
};
const htm = load('htm') as { bind: (create: typeof h) => Html };

interface Element {
  readonly type: unknown;
}

/** What can stand between two tags; nothing is drawn for null, undefined and booleans. */
export type Markup = Element | string | number | boolean | null | undefined | readonly Markup[];

type Html = (strings: TemplateStringsArray, ...values: readonly unknown[]) => Markup;

/**
 * Markup in place: `html\`<p>${text}</p>\``. What is put in is escaped, so no word from a registry becomes markup.
 * Tagged templates, because the sources run as they are and so cannot have JSX.
 */
export const html: Html = htm.bind(h);

/** A whole document, from its one root element. */
export function documentText(root: Markup): string {
  return `<!doctype html>\n${renderToStaticMarkup(root as Element)}\n`;
}
