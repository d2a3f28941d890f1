import { formatBytes } from '../../core/text.ts';
import type { LeftOutFile, LeftOutRule } from '../../plan/choose-files.ts';
import { counted } from '../layout/text-layout.ts';

/** In the order in which people want to know them: weights that may be missing first. */
const WORDS: Readonly<Record<LeftOutRule, string>> = {
  'second-copy': 'second copies of the weights',
  'other-format': 'weights in a format that is not loaded',
  adapter: 'adapters that would be taken for the model',
  'other-framework': 'weights for other programs',
  pickle: 'pickles',
  training: 'left by training',
  excluded: 'excluded by `files.exclude`',
  'not-included': 'not in `files.include`',
  'not-for-serving': 'of no use to a server',
};

const MAX_LISTED = 20;

/**
 * Returns what is left out, by reason, with sizes: `second copies of the weights: 2 files, 3.0 GiB`. Pictures are not
 * worth a line.
 */
export function leftOutSummary(leftOut: readonly LeftOutFile[]): string {
  return byRule(leftOut.filter(({ rule }) => rule !== 'not-for-serving'))
    .map(([rule, files]) => `${WORDS[rule]}: ${amount(files)}`)
    .join('; ');
}

/** Returns each file that is left out with its reason, and how many more there are. */
export function leftOutLines(leftOut: readonly LeftOutFile[]): string[] {
  return byRule(leftOut).flatMap(([, files]) => {
    const more = files.slice(MAX_LISTED);
    return [
      ...files
        .slice(0, MAX_LISTED)
        .map(({ path, sizeBytes, reason }) => `${path} (${formatBytes(sizeBytes)}) ${reason}.`),
      ...(more.length === 0 ? [] : [`${amount(more)} more of the same kind.`]),
    ];
  });
}

function byRule(leftOut: readonly LeftOutFile[]): [LeftOutRule, LeftOutFile[]][] {
  const groups = Map.groupBy(leftOut, ({ rule }) => rule);
  const rules = Object.keys(WORDS) as LeftOutRule[];
  return rules.flatMap(rule => {
    const files = groups.get(rule);
    return files === undefined ? [] : [[rule, files] as [LeftOutRule, LeftOutFile[]]];
  });
}

function amount(files: readonly LeftOutFile[]): string {
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  return `${counted(files.length, 'file')}, ${formatBytes(sizeBytes)}`;
}
