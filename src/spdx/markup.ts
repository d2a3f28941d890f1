import { table } from '../core/table.ts';

/**
 * Returns a text without HTML tags, entities and Markdown links. Only what a reader does not see is taken out: a tag's
 * name and harmless attributes, a link to where licenses are published. Words in any other place stay, so that no
 * clause hides there. Each character is looked at a bounded number of times.
 */
export function withoutMarkup(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = nextMark(text, 0); at !== -1; at = nextMark(text, at)) {
    const mark = markAt(text, at);
    if (mark === undefined) {
      at += 1;
      continue;
    }
    parts.push(text.slice(from, at), mark.instead);
    at = mark.end;
    from = at;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(from);
}

interface Mark {
  readonly end: number;
  readonly instead: string;
}

const MARKS = /[<&[]/g;

function nextMark(text: string, from: number): number {
  MARKS.lastIndex = from;
  return MARKS.exec(text)?.index ?? -1;
}

function markAt(text: string, at: number): Mark | undefined {
  switch (text[at]) {
    case '&':
      return entityAt(text, at);
    case '<':
      return tagAt(text, at);
    default:
      return linkAt(text, at);
  }
}

const ENTITIES = table<string>({
  amp: '&',
  apos: "'",
  copy: '©',
  gt: '>',
  lt: '<',
  nbsp: ' ',
  quot: '"',
});

function entityAt(text: string, at: number): Mark | undefined {
  const name = /^&(amp|apos|copy|gt|lt|nbsp|quot);/i.exec(text.slice(at, at + 8))?.[1];
  if (name === undefined) return undefined;
  return { end: at + name.length + 2, instead: ENTITIES[name.toLowerCase()] ?? ' ' };
}

const MAX_TAG_CHARACTERS = 400;

const TAG =
  /^<(?:!doctype\b[^<>]*|\/?(?:a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|li|link|meta|ol|p|pre|small|span|strong|style|sub|sup|table|tbody|td|th|title|tr|tt|u|ul)((?:\s[^<>]*)?)\/?)>$/i;

function tagAt(text: string, at: number): Mark | undefined {
  const end = endOf(text, at, '>', '<', MAX_TAG_CHARACTERS);
  const tag = end === -1 ? null : TAG.exec(text.slice(at, end + 1));
  if (tag === null) return undefined;
  return { end: end + 1, instead: `\n${visibleAttributes(tag[1] ?? '')}` };
}

/** Attributes of layout, with one word as value; and links to where licenses are published. */
const ATTRIBUTE =
  /\s+(?:(?:align|bgcolor|border|class|charset|clear|color|dir|face|height|id|lang|name|rel|size|start|type|valign|width|xmlns|xml:lang)\s*=\s*(?:"[^"\s]{0,60}"|'[^'\s]{0,60}'|[^\s"'>]{1,60})|(?:href|src)\s*=\s*(?:"([^"\s]*)"|'([^'\s]*)'|([^\s"'>]+)))/gi;

function visibleAttributes(attributes: string): string {
  return attributes.replace(ATTRIBUTE, (_, ...values: unknown[]) => {
    const link = values.slice(0, 3).find(value => typeof value === 'string');
    return typeof link === 'string' && !isKnownAddress(link) ? ` ${link}` : ' ';
  });
}

const MAX_LINK_CHARACTERS = 400;

/** `[words](address)` */
function linkAt(text: string, at: number): Mark | undefined {
  const close = endOf(text, at, ']', '[', MAX_LINK_CHARACTERS);
  if (close === -1 || text[close + 1] !== '(') return undefined;
  const end = endOf(text, close + 1, ')', '(', MAX_LINK_CHARACTERS);
  if (end === -1) return undefined;
  const words = text.slice(at + 1, close);
  const address = text.slice(close + 2, end).trim();
  const isSame = words.includes(address.replace(/^(?:https?:\/\/|mailto:)/, ''));
  return { end: end + 1, instead: isSame || isKnownAddress(address) ? words : `${words} ${address}` };
}

/** Where `close` comes before `open` and the end of a paragraph, within `max` characters. */
function endOf(text: string, at: number, close: string, open: string, max: number): number {
  const limit = Math.min(text.length, at + max);
  for (let i = at + 1; i < limit; i++) {
    if (text[i] === close) return i;
    if (text[i] === open || (text[i] === '\n' && text[i + 1] === '\n')) return -1;
  }
  return -1;
}

/** Publishers of license texts, and anchors in the same text: no terms of somebody's own are there. */
const KNOWN_ADDRESS =
  /^(?:#[\w-]*|(?:https?:\/\/)?(?:www\.)?(?:ai\.google\.dev\/gemma\/docs\/gemma_4_license|apache\.org\/licenses|choosealicense\.com\/licenses|creativecommons\.org(?:\/|$)|gnu\.org\/licenses|mit-license\.org|opensource\.org\/licen[cs]es?|spdx\.org\/licenses|unlicense\.org)[\w./#-]*)$/i;

/** Returns whether licenses are published at an address. */
export function isKnownAddress(address: string): boolean {
  return KNOWN_ADDRESS.test(address);
}
