import { table } from '../core/table.ts';

/** Text that is markup already: escaped where it came from elsewhere. Only this module makes it. */
class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What can be put between two tags; null, undefined and booleans draw nothing. */
export type Markup = Html | string | number | boolean | null | undefined | readonly Markup[];

/** The static parts of a template, cut where values go. */
interface Template {
  readonly parts: readonly string[];
  /** Of each value: the attribute that it is the value of, or undefined between tags. */
  readonly attributes: readonly (string | undefined)[];
}

const templates = new WeakMap<TemplateStringsArray, Template>();

/**
 * Returns markup: `html\`<p title=${tip}>${text}</p>\``. Values are escaped, so no word from a registry becomes markup.
 * As in JSX, an attribute whose value is null, undefined or false is left out, one that is true stands alone, and
 * whitespace with a line break next to a tag or a value is dropped.
 * Throws TypeError for a value that cannot be escaped in its place (a tag's name, inside quotes).
 */
export function html(strings: TemplateStringsArray, ...values: readonly Markup[]): Markup {
  const template = templates.get(strings) ?? compile(strings);
  templates.set(strings, template);
  const { parts, attributes } = template;
  let text = parts[0] ?? '';
  values.forEach((value, index) => {
    const name = attributes[index];
    text += name === undefined ? render(value) : attribute(name, value);
    text += parts[index + 1] ?? '';
  });
  return new Html(text);
}

/** Returns text as the markup that it is. For what this program has made itself, or has made safe. */
export function trusted(markup: string): Markup {
  return new Html(markup);
}

/** Returns a whole document, from its one root element. */
export function documentText(root: Markup): string {
  return `<!doctype html>\n${render(root)}\n`;
}

function render(value: Markup): string {
  if (value === null || value === undefined || typeof value === 'boolean') return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return value.map(render).join('');
}

function attribute(name: string, value: Markup): string {
  if (value === null || value === undefined || value === false) return '';
  if (value === true) return ` ${name}`;
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new TypeError(`the value of attribute ${name} is not text`);
  return ` ${name}="${escapeText(String(value))}"`;
}

const ENTITIES = table<string>({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' });

/** Returns text as it has to be written in a document, between tags or in quotes. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, character => ENTITIES[character] ?? character);
}

function compile(strings: TemplateStringsArray): Template {
  const attributes: (string | undefined)[] = [];
  let isInTag = false;
  const parts = strings.map((string, index) => {
    let part = '';
    for (const [piece, mark] of pieces(string)) {
      part += isInTag ? piece : piece.replace(/^\s*\n\s*|\s*\n\s*$/g, '');
      part += mark;
      if (mark !== '') isInTag = mark === '<';
    }
    if (index === strings.length - 1) return part;
    const slot = /\s+([\w:-]+)=$/.exec(part);
    if (!isInTag) attributes.push(undefined);
    else if (slot?.[1] === undefined) throw new TypeError(`a value cannot be put after ${string.slice(-40)}`);
    else {
      attributes.push(slot[1]);
      part = part.slice(0, slot.index);
    }
    return part;
  });
  return { parts, attributes };
}

/** Cuts at the ends of tags: each piece with the `<` or `>` after it, the last one without. */
function* pieces(text: string): Iterable<readonly [string, '<' | '>' | '']> {
  let start = 0;
  for (const { index, 0: mark } of text.matchAll(/[<>]/g)) {
    yield [text.slice(start, index), mark as '<' | '>'];
    start = index + 1;
  }
  yield [text.slice(start), ''];
}
