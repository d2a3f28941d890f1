import { Parser } from 'htmlparser2';
import { table } from '../../core/table.ts';
import { escapeText } from '../html.ts';

/** Where the addresses of a document lead; undefined drops the link and keeps its words. */
export interface SafeHtmlOptions {
  /** What a `href` becomes. */
  readonly link: (href: string) => string | undefined;
  /** What the address of a picture becomes: a picture is a link to itself, since pages load nothing from elsewhere. */
  readonly picture: (src: string) => string | undefined;
  /** The anchor of a heading, by its words. */
  readonly anchor: (text: string) => string;
  /** How much deeper headings are on the page than in the document. */
  readonly headingShift: number;
}

/** Tags that may be in the result. Whatever is not here is dropped, and its content stays. */
const ALLOWED = new Set(
  'p br hr h1 h2 h3 h4 h5 h6 strong b em i u s del ins sub sup small mark abbr cite q code pre kbd samp var blockquote ul ol li dl dt dd table caption thead tbody tfoot tr th td details summary figure figcaption a'.split(
    ' ',
  ),
);

const VOID = new Set(['br', 'hr']);

/** Tags whose content is not text of the document, and goes with them. */
const DROPPED = new Set(
  'script style iframe object embed svg math template noscript noembed noframes textarea title head select option button audio video canvas applet frameset xmp plaintext'.split(
    ' ',
  ),
);

/** Counts that may stand on a tag. */
const COUNTS = table<readonly string[]>({
  td: ['colspan', 'rowspan'],
  th: ['colspan', 'rowspan'],
  ol: ['start'],
});

const REL = 'external nofollow noopener noreferrer ugc';
const MAX_DEPTH = 64;

/**
 * Returns foreign HTML as HTML that holds only allowed tags. The result is written anew: every tag and attribute in it is
 * this module's, and every text is escaped, so what a parser and a browser read differently can do nothing. Open tags are
 * closed.
 */
export function safeHtml(foreign: string, options: SafeHtmlOptions): string {
  const writer = new Writer(options);
  const parser = new Parser(
    {
      onopentag: (name, attributes) => writer.open(name, attributes),
      ontext: text => writer.text(text),
      onclosetag: name => writer.close(name),
    },
    { decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  );
  parser.write(foreign);
  parser.end();
  return writer.end();
}

interface OpenTag {
  readonly name: string;
  /** What it is in the result; undefined if it is not there. */
  readonly written: string | undefined;
}

class Writer {
  readonly #options: SafeHtmlOptions;
  readonly #out: string[] = [];
  readonly #open: OpenTag[] = [];
  #dropping = 0;
  /** A heading waits for its words, which are its anchor. */
  #heading: { readonly tag: string; readonly start: number; text: string } | undefined;

  constructor(options: SafeHtmlOptions) {
    this.#options = options;
  }

  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (DROPPED.has(name)) this.#dropping += 1;
    if (this.#dropping > 0) {
      this.#open.push({ name, written: undefined });
      return;
    }
    if (name === 'img') this.#picture(attributes);
    else if (name === 'input') this.#checkbox(attributes);
    else if (VOID.has(name)) this.#out.push(`<${name}>`);
    else this.#open.push({ name, written: this.#opened(name, attributes) });
  }

  text(text: string): void {
    if (this.#dropping > 0) return;
    const plain = withoutOverrides(text);
    if (this.#heading !== undefined) this.#heading.text += plain;
    this.#out.push(escapeText(plain));
  }

  close(name: string): void {
    const index = this.#open.findLastIndex(tag => tag.name === name);
    if (index === -1) return;
    while (this.#open.length > index) this.#closeLast();
  }

  end(): string {
    while (this.#open.length > 0) this.#closeLast();
    return this.#out.join('');
  }

  #opened(name: string, attributes: Readonly<Record<string, string>>): string | undefined {
    if (!ALLOWED.has(name) || this.#open.length > MAX_DEPTH) return undefined;
    if (name === 'a') {
      const href = this.#isInLink() ? undefined : this.#options.link(attributes.href ?? '');
      if (href === undefined) return undefined;
      this.#out.push(anchorTag(href));
      return 'a';
    }
    if (/^h[1-6]$/.test(name)) {
      const tag = `h${Math.min(6, Number(name[1]) + this.#options.headingShift)}`;
      if (this.#heading === undefined) this.#heading = { tag, start: this.#out.push('') - 1, text: '' };
      else return undefined;
      return tag;
    }
    const scroll =
      name === 'table' ? '<div class="scroll" role="group" aria-label="Table" tabindex="0">' : '';
    const focus = name === 'pre' ? ' tabindex="0"' : '';
    this.#out.push(`${scroll}<${name}${focus}${countsOf(name, attributes)}>`);
    return name;
  }

  #closeLast(): void {
    const tag = this.#open.pop();
    if (tag === undefined) return;
    if (DROPPED.has(tag.name)) this.#dropping -= 1;
    if (tag.written === undefined) return;
    if (this.#heading?.tag === tag.written) {
      const { start, text } = this.#heading;
      this.#out[start] = `<${tag.written} id="${escapeText(this.#options.anchor(text))}">`;
      this.#heading = undefined;
    }
    this.#out.push(`</${tag.written}>${tag.written === 'table' ? '</div>' : ''}`);
  }

  #picture({ src = '', alt = '' }: Readonly<Record<string, string>>): void {
    const words = withoutOverrides(alt).trim();
    // A picture without words is a decoration, or a counter.
    if (words === '') return;
    const label = `Picture: ${words}`;
    const href = this.#isInLink() ? undefined : this.#options.picture(src);
    const text = `<span class="picture">${escapeText(label)}</span>`;
    this.#out.push(href === undefined ? text : `${anchorTag(href)}${text}</a>`);
  }

  /** Of a list of tasks. */
  #checkbox({ type, checked }: Readonly<Record<string, string>>): void {
    if (type === 'checkbox') this.#out.push(checked === undefined ? '☐ ' : '☑ ');
  }

  #isInLink(): boolean {
    return this.#open.some(({ written }) => written === 'a');
  }
}

/** An address inside the page begins with `#`; all others leave the site. */
function anchorTag(href: string): string {
  const rel = href.startsWith('#') ? '' : ` rel="${REL}"`;
  return `<a href="${escapeText(href)}"${rel}>`;
}

function countsOf(name: string, attributes: Readonly<Record<string, string>>): string {
  return (COUNTS[name] ?? [])
    .filter(key => /^[1-9]\d{0,2}$/.test(attributes[key] ?? ''))
    .map(key => ` ${key}="${attributes[key]}"`)
    .join('');
}

/** Without characters that make text read in another order than it is written, or that no text has. */
function withoutOverrides(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u202a-\u202e\u2066-\u2069]/g, '');
}
