import { createHash } from 'node:crypto';
import { documentText, html, type Markup, trusted } from '../html.ts';

/** What all pages of a site share. */
export interface Site {
  readonly title: string;
  readonly hasDocs: boolean;
  /** Where the site will be, with a slash at its end; undefined if it is not said. */
  readonly url: string | undefined;
}

/** One page of the site, before its HTML. */
export interface Page {
  readonly site: Site;
  /** From the page to the root of the site: empty, or `../`. */
  readonly root: string;
  /** Of the page, relative to the root of the site; empty for the first page. */
  readonly path: string;
  readonly title: string;
  readonly description: string;
  readonly section: 'models' | 'docs';
  readonly main: Markup;
  /** Scripts in `assets/` besides the one of all pages. */
  readonly scripts?: readonly string[];
}

/** Before the first paint, so that nothing flashes: a chosen theme, and that scripts run. */
const EARLY = `document.documentElement.classList.add('js');try{const t=localStorage.getItem('theme');if(t)document.documentElement.dataset.theme=t}catch{}`;

/** Everything comes from the site itself, and the one script that is in a page is named by its hash. */
const CONTENT_POLICY = [
  "default-src 'none'",
  `script-src 'self' 'sha256-${createHash('sha256').update(EARLY).digest('base64')}'`,
  "style-src 'self'",
  // The arrow of a select is in the styles.
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Returns the HTML of a page: its head with the content policy, the navigation, and `main`. */
export function pageText(page: Page): string {
  const { site, root, title, description, main, scripts = [] } = page;
  const fullTitle = title === site.title ? title : `${title} · ${site.title}`;
  return documentText(html`
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content=${CONTENT_POLICY} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${fullTitle}</title>
        <meta name="description" content=${description} />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
 ${preview(page)}
        <link rel="icon" type="image/svg+xml" href=${`${root}assets/icon.svg`} />
        <link rel="stylesheet" href=${`${root}assets/site.css`} />
        <link rel="alternate" type="application/atom+xml" title=${`${site.title}: new images`} href=${`${root}feed.xml`} />
        <script>${trusted(EARLY)}</script>
        <script defer src=${`${root}assets/site.js`}></script>
        ${scripts.map(name => html`<script defer src=${`${root}assets/${name}`}></script>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        ${header(page)}
        <main id="main" tabindex="-1">${main}</main>
        ${footer(page)}
        <div class="sr" role="status" aria-live="polite" data-announce></div>
      </body>
    </html>
  `);
}

/** What other sites show of a link to the page; https://ogp.me */
function preview({ site, path, title, description }: Page): Markup {
  const property = (name: string, content: string): Markup =>
    html`<meta property=${`og:${name}`} content=${content} />`;
  return html`
    ${property('type', 'website')}
    ${property('site_name', site.title)}
    ${property('title', title)}
    ${property('description', description)}
    ${
      site.url !== undefined && [
        property('url', site.url + path),
        property('image', `${site.url}assets/preview.png`),
        html`<link rel="canonical" href=${site.url + path} />`,
      ]
    }
    <meta name="twitter:card" content="summary" />
  `;
}

function header({ site, root, section }: Page): Markup {
  const link = (name: string, href: string, isHere: boolean): Markup =>
    html`<a href=${href} aria-current=${isHere ? 'true' : undefined}>${name}</a>`;
  return html`
    <header class="top">
      <div class="wide top-row">
        <a class="brand" href=${`${root}index.html`}>${mark()}<span>${site.title}</span></a>
        <nav aria-label="Site">
          ${link('Models', `${root}index.html`, section === 'models')}
          ${site.hasDocs ? link('Docs', `${root}docs/index.html`, section === 'docs') : null}
          <button class="theme" type="button" data-theme-toggle aria-label="Switch between light and dark">
            <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
              <path d="M10 2a8 8 0 1 0 0 16z" fill="currentColor" />
              <circle cx="10" cy="10" r="7.25" fill="none" stroke="currentColor" stroke-width="1.5" />
            </svg>
          </button>
        </nav>
      </div>
    </header>
  `;
}

function footer({ root }: Page): Markup {
  return html`
    <footer class="wide bottom">
      <p>Made by Weighbridge from what the registries hold.</p>
      <p><a href=${`${root}catalog.json`}>catalog.json</a> <a href=${`${root}feed.xml`}>Atom feed</a></p>
    </footer>
  `;
}

/** Layers on a weighing platform. */
function mark(): Markup {
  return html`
    <svg class="mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
      <rect x="8.5" y="3" width="7" height="4" rx="1" />
      <rect x="6" y="8" width="12" height="4" rx="1" />
      <rect class="mark-weight" x="3.5" y="13" width="17" height="4" rx="1" />
      <path d="M1 19h22v2H1z" />
    </svg>
  `;
}
