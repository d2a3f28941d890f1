import { Marked, type Tokens } from 'marked';
import { table } from '../../core/table.ts';
import { html, type Markup, trusted } from '../html.ts';
import { slugger } from '../slug.ts';
import { pageText, type Site } from './page.ts';

/** A topic of the documentation, as it is written. */
export interface DocSource {
  /** `quick-start` */
  readonly name: string;
  readonly markdown: string;
}

/** A topic that can be drawn. */
export interface DocTopic {
  readonly name: string;
  readonly title: string;
  /** The first paragraph, in plain words. */
  readonly summary: string;
  readonly body: Markup;
  readonly headings: readonly { readonly id: string; readonly text: string }[];
}

/** As a newcomer would read them; what is not named follows by name. */
const ORDER = [
  'quick-start',
  'configuration',
  'reference',
  'environment',
  'policy',
  'images',
  'slim',
  'run',
  'registries',
  'uploads',
  'catalog',
  'ci',
  'kubernetes',
  'security',
  'troubleshooting',
  'performance',
];

/** Returns the pages of the documentation in the order in which a newcomer reads them; unknown ones last, by name. */
export function inReadingOrder<T extends { readonly name: string }>(topics: readonly T[]): T[] {
  const place = (name: string): number => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return topics.toSorted((a, b) => place(a.name) - place(b.name) || a.name.localeCompare(b.name));
}

/**
 * Reads Markdown and returns it as a topic of the documentation. Links to other `topics` become links to their pages; a
 * link out of the folder, or to a topic that does not exist, becomes plain text.
 */
export function toTopic({ name, markdown }: DocSource, topics: ReadonlySet<string>): DocTopic {
  const headings: { id: string; text: string; depth: number }[] = [];
  const slug = slugger();
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth }: Tokens.Heading) {
        const inner = this.parser.parseInline(tokens);
        const text = plainText(inner);
        const id = slug(text);
        headings.push({ id, text, depth });
        return depth === 1
          ? `<h1 id="${id}">${inner}</h1>`
          : `<h${depth} id="${id}">${inner}<a class="anchor" href="#${id}" aria-label="Link to this section">#</a></h${depth}>`;
      },
      link({ href, tokens }: Tokens.Link) {
        const inner = this.parser.parseInline(tokens);
        const target = linkTarget(href, topics);
        if (target === undefined) return inner;
        const rel = /^https?:/.test(target) ? ' rel="external"' : '';
        return `<a href="${escapeHtml(target)}"${rel}>${inner}</a>`;
      },
      code({ text, lang }: Tokens.Code) {
        const label = lang ? escapeHtml(lang) : 'text';
        return `<div class="code"><button type="button" class="copy js-only" data-copy-code aria-label="Copy this block">Copy</button><pre tabindex="0" role="group" aria-label="${label}"><code>${escapeHtml(text)}</code></pre></div>`;
      },
    },
    hooks: {
      postprocess: text =>
        text
          .replaceAll('<table>', '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>')
          .replaceAll('</table>', '</table></div>')
          .replaceAll('<th>', '<th scope="col">'),
    },
  });
  const body = marked.parse(markdown, { async: false });
  return {
    name,
    title: headings.find(heading => heading.depth === 1)?.text ?? name,
    summary: plainText(/<p>(.*?)<\/p>/s.exec(body)?.[1] ?? ''),
    body: html`<div>${trusted(body)}</div>`,
    headings: headings.filter(heading => heading.depth === 2),
  };
}

/** Returns the HTML of one page of the documentation. */
export function docPage(topic: DocTopic, topics: readonly DocTopic[], site: Site): string {
  const index = topics.findIndex(one => one.name === topic.name);
  const next = topics[index + 1];
  return pageText({
    site,
    root: '../',
    path: `docs/${topic.name}.html`,
    title: topic.title,
    description: topic.summary.slice(0, 200),
    section: 'docs',
    main: html`
      <div class="wide docs">
        ${topicList(topics, topic.name)}
        <article class="prose">
          ${topic.body}
          ${next === undefined ? null : html`<p class="next"><a href=${`${next.name}.html`}>Next: ${next.title}</a></p>`}
        </article>
        ${
          topic.headings.length < 2
            ? null
            : html`
                <nav class="toc" aria-label="On this page">
                  <p class="toc-head">On this page</p>
                  <ul>${topic.headings.map(({ id, text }) => html`<li><a href=${`#${id}`}>${text}</a></li>`)}</ul>
                </nav>
              `
        }
      </div>
    `,
  });
}

/** Returns the first page of the documentation. */
export function docsIndexPage(topics: readonly DocTopic[], site: Site): string {
  return pageText({
    site,
    root: '../',
    path: 'docs/index.html',
    title: 'Docs',
    description: 'How to publish models as container images with Weighbridge, and how to run them.',
    section: 'docs',
    main: html`
      <div class="wide docs">
        ${topicList(topics, undefined)}
        <article class="prose">
          <h1>Docs</h1>
          <p>How to publish Hugging Face models as ready-to-run vLLM container images, and how to run them.</p>
          <ul class="topics">
            ${topics.map(
              topic =>
                html`<li><a href=${`${topic.name}.html`}>${topic.title}</a><p>${firstSentence(topic.summary)}</p></li>`,
            )}
          </ul>
        </article>
      </div>
    `,
  });
}

function topicList(topics: readonly DocTopic[], here: string | undefined): Markup {
  return html`
    <nav class="topic-list" aria-label="Topics">
      <ul>
        ${topics.map(
          ({ name, title }) =>
            html`<li><a href=${`${name}.html`} aria-current=${name === here ? 'page' : undefined}>${title}</a></li>`,
        )}
      </ul>
    </nav>
  `;
}

function linkTarget(href: string, topics: ReadonlySet<string>): string | undefined {
  if (/^(https?:|mailto:|#)/.test(href)) return href;
  if (href.startsWith('../') || href.startsWith('/')) return undefined;
  const [, topic, anchor = ''] = /^([^#]*)\.md(#.*)?$/.exec(href) ?? [];
  if (topic === undefined) return href;
  return topics.has(topic) ? `${topic}.html${anchor}` : undefined;
}

function plainText(markup: string): string {
  const entities = table<string>({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" });
  return markup
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '')
    .replace(/\s+/g, ' ');
}

function firstSentence(text: string): string {
  return /^.*?[.:](?=\s|$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);
}
