/** A wording to avoid, and what to write. */
interface Wording {
  readonly pattern: RegExp;
  readonly instead: string;
}

export interface Finding {
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

const WORDINGS: readonly Wording[] = [
  { pattern: /\bGives /, instead: '"Returns", or what happens' },
  { pattern: /\bhand(?:s|ed)? (?:\w+ )?(?:on|out)\b/, instead: '"redistribute" or "pass on"' },
  {
    pattern:
      /\b(?:undefined|null|empty|absent|false|only) where\b|\bwhere (?:absent|nothing|there (?:is|are) no)/i,
    instead: '"if"',
  },
  { pattern: /\b(?:throws|rejects)(?: [\w.]+){0,4} where\b/i, instead: '"Throws X if"' },
  { pattern: /\bwhere none\b/i, instead: '"if there is none"' },
  { pattern: /(?<!\bthere )\bis no (?!longer|more|less|other)[a-z]+/i, instead: '"is not a", "invalid"' },
  { pattern: /\bthat (?:is|are) none\b/, instead: '"invalid", "is not a"' },
  { pattern: /\b(?:lies|lie) (?:beside|in)\b/, instead: '"is attached to", "is in"' },
  { pattern: /\bstands? (?:in|beside|behind)\b/, instead: '"is in", "is next to"' },
  { pattern: /\bby itself\b/, instead: '"automatically"' },
  { pattern: /\bnobody\b/i, instead: 'what is not done, or not configured' },
  { pattern: /\bwhoever\b/i, instead: 'the person or program: "the caller"' },
  { pattern: /\bof ours\b/, instead: '"our"' },
  { pattern: /\b(?:hold(?:s|ing)?|held)(?: \w+){0,4} against\b/, instead: '"compare with"' },
  { pattern: /\bmakes no sense\b/, instead: '"unexpected"' },
  { pattern: /\bis another one\b/, instead: '"changed", "differs"' },
  { pattern: /\bone too many\b/, instead: '"unexpected"' },
  { pattern: /\bwhichever is there\b/, instead: '"whichever is installed"' },
  { pattern: /\bcan be given more than once\b/, instead: '"repeatable"' },
  { pattern: /\blicence/i, instead: '"license", as in keys' },
  {
    pattern:
      /\b(?:colou|neighbou|behaviou|favou)r|\blabell(?:ed|ing)\b|\b(?:normal|summar|recogn|organ)is(?:e|ing)/i,
    instead: 'the American spelling',
  },
];

/** Returns the wordings to avoid in a text, with the lines they begin in. */
export function findWordings(text: string): readonly Finding[] {
  return WORDINGS.flatMap(({ pattern, instead }) =>
    [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map(({ index, 0: found }) => ({
      line: text.slice(0, index).split('\n').length,
      found: found.replace(/\s+/g, ' '),
      instead,
    })),
  ).sort((a, b) => a.line - b.line);
}

/** Returns the prose of a Markdown page in its lines: code and the targets of links are blank. */
export function proseOf(markdown: string): string {
  return markdown
    .replace(/^```[\s\S]*?^```/gm, blank)
    .replace(/`[^`\n]*`/g, blank)
    .replace(/\]\([^)\n]*\)/g, blank);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
