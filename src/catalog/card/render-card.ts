import { Marked } from 'marked';
import { slugger } from '../slug.ts';
import { safeHtml } from './safe-html.ts';

interface CardSource {
  /** README.md of the repository, with or without its front matter. */
  readonly markdown: string;
  /** The model's page on the Hub. */
  readonly url: string;
  readonly revision: string;
}

interface RenderedCard {
  /** Safe to put into a page. */
  readonly html: string;
  /** Whether the card is longer than what is shown. */
  readonly isCut: boolean;
}

/** Few cards have a tenth of it; a page has to open on a phone. */
export const MAX_CARD_CHARACTERS = 128 * 1024;
/** The page's own headings are above. */
const HEADING_SHIFT = 2;
const PREFIX = 'card-';

/**
 * Returns a model's card as HTML without anything that runs, loads or lays out: see `safeHtml`. Relative addresses lead to the
 * files of that revision on the Hub, anchors to the card's own headings.
 */
export function renderCard({ markdown, url, revision }: CardSource): RenderedCard {
  const body = withoutFrontMatter(markdown);
  const isCut = body.length > MAX_CARD_CHARACTERS;
  const text = isCut ? body.slice(0, Math.max(0, body.lastIndexOf('\n', MAX_CARD_CHARACTERS))) : body;
  const anchors = new Set<string>();
  const slug = slugger();
  const hub = (kind: 'blob' | 'resolve', href: string): string | undefined =>
    addressOf(href, `${url}/${kind}/${revision}/`);
  const html = safeHtml(markdownHtml(text), {
    headingShift: HEADING_SHIFT,
    anchor: words => {
      const name = `${PREFIX}${slug(words)}`;
      anchors.add(name);
      return name;
    },
    link: href =>
      href.startsWith('#') ? `#${PREFIX}${decoded(href.slice(1)).toLowerCase()}` : hub('blob', href),
    picture: src => hub('resolve', src),
  });
  return { html: withoutLooseAnchors(html, anchors), isCut };
}

/** Text that the library cannot read (nested ten thousand deep) is shown as it is written. */
function markdownHtml(text: string): string {
  const marked = new Marked({ gfm: true });
  try {
    return marked.parse(calmed(text), { async: false });
  } catch {
    return `<pre>${text.replace(/[&<]/g, character => `&#${character.charCodeAt(0)};`)}</pre>`;
  }
}

/** What opens something takes time that grows with the square of how often it is there. */
const OPENERS = /[*_~`[\]<>!]/g;
const MAX_OPENERS = 3000;
const MAX_LINE_CHARACTERS = 8192;

/** Without lines that are not text (pictures in base64), and with paragraphs that are nothing but marks as plain text. */
function calmed(text: string): string {
  const lines = text
    .split('\n')
    .map(line => (line.length > MAX_LINE_CHARACTERS ? `${line.slice(0, MAX_LINE_CHARACTERS)}…` : line));
  return lines
    .join('\n')
    .split(/\n(?=[ \t]*\n)/)
    .map(block =>
      (block.match(OPENERS)?.length ?? 0) > MAX_OPENERS ? block.replace(OPENERS, '\\$&') : block,
    )
    .join('\n');
}

function withoutFrontMatter(markdown: string): string {
  const text = markdown.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const [, , rest] = /^---[ \t]*\n([\s\S]*?\n)?---[ \t]*(?:\n|$)([\s\S]*)$/.exec(text) ?? [];
  return rest ?? text;
}

/** Whole http(s) addresses as they are, others from the repository's folder; undefined for other schemes. */
function addressOf(href: string, folder: string): string | undefined {
  const trimmed = href.trim();
  if (trimmed === '') return undefined;
  const resolved = URL.parse(trimmed, folder);
  if (resolved === null || !/^https?:$/.test(resolved.protocol)) return undefined;
  // A login in an address is a disguise: `https://known.example@other.example/`.
  if (resolved.username !== '' || resolved.password !== '') return undefined;
  return resolved.href;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Links to headings that the card does not have lose their address; headings come after the links to them. */
function withoutLooseAnchors(html: string, anchors: ReadonlySet<string>): string {
  return html.replace(/<a href="#([^"]*)">/g, (tag, name: string) =>
    anchors.has(unescaped(name)) ? tag : '<a>',
  );
}

function unescaped(text: string): string {
  return text.replace(
    /&(amp|lt|gt|quot);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? '',
  );
}
