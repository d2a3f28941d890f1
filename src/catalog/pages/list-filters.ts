import { GIB } from '../../core/units.ts';
import { GPU_SIZES_GB } from '../../fit/gpu-need.ts';
import { html, type Markup } from '../html.ts';
import { count } from './count.ts';
import { COLUMNS, type ListRow } from './list-row.ts';

const BILLION = 1e9;
/** More than this many values of one kind are no choice; the search finds the others. */
const MAX_OPTIONS = 40;

type Option = readonly [value: string, text: string];

/** Returns what a list can be narrowed and sorted by. Only what tells models apart is offered; the script does the rest. */
export function filters(rows: readonly ListRow[]): Markup {
  const has = (is: (row: ListRow) => boolean): boolean => rows.some(is);
  return html`
    <form class="filters" role="search" aria-label="Models" data-filters>
      <div class="search">
        <label class="sr" for="q">Search by name</label>
        <input id="q" name="q" type="search" placeholder="Search models" autocomplete="off" spellcheck="false" />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <button type="button" class="button more-filters" aria-expanded="false" aria-controls="facets" data-more-filters>
        Filters <span class="badge" data-active hidden></span>
      </button>
      <div class="facets" id="facets">
        ${select(
          'task',
          'Task',
          valuesOf(rows, row => [row.task]),
        )}
        ${select('parameters', 'Parameters', [
          [`0-${2 * BILLION}`, 'Up to 2 B'],
          [`${2 * BILLION}-${10 * BILLION}`, '2 to 10 B'],
          [`${10 * BILLION}-${40 * BILLION}`, '10 to 40 B'],
          [`${40 * BILLION}-${150 * BILLION}`, '40 to 150 B'],
          [`${150 * BILLION}-`, 'Over 150 B'],
        ])}
        ${select(
          'quantization',
          'Quantization',
          valuesOf(
            rows,
            row => [row.quantization],
            value => (value === 'none' ? 'Not quantized' : value),
          ),
        )}
        ${select('context', 'Context', [
          ['8192', '8k or more'],
          ['32768', '32k or more'],
          ['131072', '128k or more'],
          ['1000000', '1M or more'],
        ])}
        ${select('gpu', 'GPU', [
          ...GPU_SIZES_GB.map((size): Option => [String(size), `One of ${size} GB`]),
          ['many', 'Several GPUs'],
        ])}
        ${select('size', 'Weights', [
          [`0-${4 * GIB}`, 'Up to 4 GiB'],
          [`${4 * GIB}-${16 * GIB}`, '4 to 16 GiB'],
          [`${16 * GIB}-${80 * GIB}`, '16 to 80 GiB'],
          [`${80 * GIB}-`, 'Over 80 GiB'],
        ])}
        ${select(
          'license',
          'License',
          valuesOf(
            rows,
            row => [row.license || 'none'],
            value => (value === 'none' ? 'None named' : value),
          ),
        )}
        ${select(
          'variant',
          'Images',
          valuesOf(rows, row => row.variants.split(' '), variantText),
        )}
        ${
          has(row => row.access !== '') &&
          select('access', 'Access', [
            ['open', 'Open'],
            ['gated', 'Gated'],
            ['private', 'Private'],
          ])
        }
        ${select('scan', 'Scan', [
          ['clean', 'No critical finding'],
          ['critical', 'Critical findings'],
          ['none', 'Not scanned'],
        ])}
        ${
          has(row => row.fit !== '') &&
          select('fit', 'Runs', [
            ['ok', 'Nothing against it'],
            ['warn', 'May not run'],
          ])
        }
        ${
          has(row => row.isSigned) &&
          select('signed', 'Signed', [
            ['yes', 'Signed'],
            ['no', 'Not signed'],
          ])
        }
        ${
          has(row => row.languages !== '') &&
          select(
            'language',
            'Language',
            valuesOf(rows, row => row.languages.split(' '), languageText),
          )
        }
        ${select('age', 'First seen', [
          ['7', 'In the last week'],
          ['30', 'In the last month'],
          ['90', 'In the last 3 months'],
        ])}
      </div>
      <div class="list-bar">
        <output class="count" data-count>${count(rows.length, 'model')}</output>
        <button type="button" class="link" data-clear hidden>Clear all filters</button>
        ${select('sort', 'Sort by', SORTS, 'Name')}
      </div>
    </form>
  `;
}

/** Of the columns up and down: the header's buttons and this list are one choice. */
const SORTS: readonly Option[] = [
  ['-updated', 'Newest first'],
  ['parameters', 'Fewest parameters'],
  ['-parameters', 'Most parameters'],
  ['-context', 'Longest context'],
  ['gpu', 'Least GPU memory'],
  ['size', 'Smallest'],
  ['-size', 'Largest'],
  ['checks', 'Fewest critical findings'],
  ...COLUMNS.flatMap(({ key, name }): Option[] => [
    [key, `${name}, up`],
    [`-${key}`, `${name}, down`],
  ]),
];

function select(name: string, label: string, options: readonly Option[], any = 'Any'): Markup {
  const once = [...new Map(options.toReversed()).entries()].reverse();
  const isPlain = (value: string): boolean => name !== 'sort' || SORTS.findIndex(one => one[0] === value) < 8;
  if (once.length === 0) return null;
  return html`
    <div class="select">
      <label for=${name}>${label}</label>
      <select id=${name} name=${name}>
        <option value="">${any}</option>
        ${once.map(([value, text]) => html`<option value=${value} hidden=${!isPlain(value)}>${text}</option>`)}
      </select>
    </div>
  `;
}

/** The values that there are, the most frequent first, with how often. */
function valuesOf(
  rows: readonly ListRow[],
  read: (row: ListRow) => readonly string[],
  words: (value: string) => string = value => value,
): Option[] {
  const counts = new Map<string, number>();
  for (const value of rows.flatMap(read)) if (value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
    .slice(0, MAX_OPTIONS)
    .map(([value, n]) => [value, `${words(value)} (${n})`]);
}

function variantText(variant: string): string {
  return (
    (
      { fat: 'With weights (fat)', slim: 'Slim', weights: 'Weights alone', modelpack: 'ModelPack' } as Record<
        string,
        string
      >
    )[variant] ?? variant
  );
}

const languages = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });

/** Returns `Chinese` of `zh`; a code that is not a language's as it is. */
export function languageText(code: string): string {
  try {
    return languages.of(code) ?? code;
  } catch {
    return code;
  }
}
