import { holdsWeights } from '../../config/variants.ts';
import type { ErrorJson } from '../../core/errors.ts';
import { formatBytes } from '../../core/text.ts';
import type { FileCheck } from '../../inspect/verify-files.ts';
import { type ImageCheck, isRight } from '../../inspect/verify-image.ts';
import type { VerifiedImage } from '../json/verify-json.ts';
import { clean, counted, paragraph } from '../layout/text-layout.ts';
import { textTable } from '../layout/text-table.ts';
import { type Style, styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';

/** Returns the text of `verify` for people: per image its files, what differs, and the verdict. No line break at its end. */
export function verifyTable(
  images: readonly VerifiedImage[],
  isDeep: boolean,
  { columns, isColor }: TextOptions,
): string {
  const style = styleFor(isColor);
  return images
    .flatMap(({ reference, checks = [], error }) => [
      ...(error === undefined ? [] : [errorSection(reference, error, { columns, style })]),
      ...checks.map(check => section(reference, check, { columns, style, isDeep })),
    ])
    .map(lines => lines.join('\n'))
    .join('\n\n');
}

/** Returns the lines about an image that could not be checked, also for `verify --signed`. */
export function errorSection(
  reference: string,
  { code, message, remedy }: ErrorJson,
  { columns, style }: { readonly columns: number; readonly style: Style },
): string[] {
  const what = code === 'REGISTRY_NOT_FOUND' ? 'Not found' : 'Could not be verified';
  const say = (text: string): string[] => paragraph(clean(text), { columns, indent: 2 });
  return [
    style.strong(clean(reference)),
    ...say(`✗ ${what}: ${message}.`).map(style.bad),
    ...(remedy === undefined ? [] : say(remedy)),
  ];
}

interface SectionOptions {
  readonly columns: number;
  readonly style: Style;
  readonly isDeep: boolean;
}

const HEAD = [{ title: 'FILE', minWidth: 16 }, { title: 'SIZE' }, { title: 'ON THE HUB' }];
const STATUS_WORDS: Readonly<Record<FileCheck['status'], string>> = {
  same: 'same',
  different: 'DIFFERENT',
  unlisted: 'NOT THERE',
};

function section(reference: string, check: ImageCheck, { columns, style, isDeep }: SectionOptions): string[] {
  const { files, leftOut, problems, platform, variant, digest } = check;
  const rows = files.map(file => [clean(file.path), formatBytes(file.sizeBytes), STATUS_WORDS[file.status]]);
  const paint = (cell: string, text: string): string => {
    if (text === STATUS_WORDS.same) return style.good(cell);
    return text === STATUS_WORDS.different || text === STATUS_WORDS.unlisted ? style.bad(cell) : cell;
  };
  const indented = columns - 2;
  const table = textTable(HEAD, rows, indented, paint) ?? rows.map(row => row.join(' '));
  const faults = [
    ...files.flatMap(({ path, detail }) => (detail === undefined ? [] : [`${path}: ${detail}`])),
    ...problems,
  ];
  const say = (text: string): string[] => paragraph(text, { columns, indent: 2 });
  return [
    style.strong(clean(reference)),
    ...say(`${variant} for ${platform}, ${digest}`).map(style.quiet),
    ...say(`${clean(check.id)} at ${check.revision}`).map(style.quiet),
    ...(check.base === undefined ? [] : say(`on ${clean(check.base)}`).map(style.quiet)),
    ...(files.length === 0
      ? say('It has no file of the model.').map(style.bad)
      : table.map(line => `  ${line}`)),
    ...faults.flatMap(fault => say(clean(fault)).map(style.bad)),
    ...(leftOut.length === 0 ? [] : say(leftOutText(leftOut)).map(style.quiet)),
    ...say(verdict(check, isDeep)).map(isRight(check) ? style.good : style.bad),
  ];
}

const MAX_NAMED = 6;

function leftOutText(leftOut: readonly string[]): string {
  const named = leftOut.slice(0, MAX_NAMED).map(clean).join(', ');
  const more = leftOut.length > MAX_NAMED ? ` and ${leftOut.length - MAX_NAMED} more` : '';
  return `Not in the image: ${named}${more}.`;
}

function verdict(check: ImageCheck, isDeep: boolean): string {
  const { files, variant, bytesRead } = check;
  const what = holdsWeights(variant) ? 'in the image' : 'in the list that it fetches';
  const how = isDeep
    ? `${formatBytes(bytesRead)} read and hashed`
    : 'by their digests; --deep reads every byte as well';
  if (isRight(check)) return `✓ ${counted(files.length, 'file')} ${what}, all as the Hub has them (${how}).`;
  const wrong = files.filter(file => file.status !== 'same').length;
  const problems = check.problems.length;
  const parts = [
    ...(wrong === 0 ? [] : [`${wrong} of ${counted(files.length, 'file')} differ from the Hub`]),
    ...(problems === 0 ? [] : [counted(problems, 'problem')]),
  ];
  return `✗ ${parts.length === 0 ? 'Nothing to compare' : parts.join(', ')} (${how}).`;
}
