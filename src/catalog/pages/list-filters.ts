import { table } from '../../core/table.ts';
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
        ${facets(rows).map(({ name, label, options }) => select(name, label, options))}
      </div>
      <div class="list-bar">
        <output class="count" data-count>${count(rows.length, 'model')}</output>
        <button type="button" class="link" data-clear hidden>Clear all filters</button>
        ${select('sort', 'Sort by', USUAL_SORTS, { any: 'Name', hidden: COLUMN_SORTS })}
      </div>
    </form>
  `;
}

/** One thing that models differ in. */
interface Facet {
  /** The key that the script knows it by. */
  readonly name: string;
  readonly label: string;
  /** A facet without any is not shown. */
  readonly options: readonly Option[];
}

/** All facets in the order of the page. */
function facets(rows: readonly ListRow[]): Facet[] {
  const ifAny = (is: (row: ListRow) => boolean, options: readonly Option[]): readonly Option[] =>
    rows.some(is) ? options : [];
  const tasks = valuesOf(rows, row => [row.task]);
  const quantizations = valuesOf(
    rows,
    row => [row.quantization],
    value => (value === 'none' ? 'Not quantized' : value),
  );
  const licenses = valuesOf(
    rows,
    row => [row.license || 'none'],
    value => (value === 'none' ? 'None named' : value),
  );
  const variants = valuesOf(rows, row => row.variants.split(' '), variantText);
  const languages = valuesOf(rows, row => row.languages.split(' '), languageText);
  return [
    { name: 'task', label: 'Task', options: tasks },
    { name: 'parameters', label: 'Parameters', options: PARAMETERS },
    { name: 'quantization', label: 'Quantization', options: quantizations },
    { name: 'context', label: 'Context', options: CONTEXT },
    { name: 'gpu', label: 'GPU', options: GPU },
    { name: 'size', label: 'Weights', options: WEIGHTS },
    { name: 'license', label: 'License', options: licenses },
    { name: 'variant', label: 'Images', options: variants },
    { name: 'access', label: 'Access', options: ifAny(row => row.access !== '', ACCESS) },
    { name: 'scan', label: 'Scan', options: SCAN },
    { name: 'fit', label: 'Runs', options: ifAny(row => row.fit !== '', FIT) },
    { name: 'signed', label: 'Signed', options: ifAny(row => row.isSigned, SIGNED) },
    { name: 'language', label: 'Language', options: languages },
    { name: 'age', label: 'First seen', options: AGE },
  ];
}

const PARAMETERS: readonly Option[] = [
  [`0-${2 * BILLION}`, 'Up to 2 B'],
  [`${2 * BILLION}-${10 * BILLION}`, '2 to 10 B'],
  [`${10 * BILLION}-${40 * BILLION}`, '10 to 40 B'],
  [`${40 * BILLION}-${150 * BILLION}`, '40 to 150 B'],
  [`${150 * BILLION}-`, 'Over 150 B'],
];

const CONTEXT: readonly Option[] = [
  ['8192', '8k or more'],
  ['32768', '32k or more'],
  ['131072', '128k or more'],
  ['1000000', '1M or more'],
];

const GPU: readonly Option[] = [
  ...GPU_SIZES_GB.map((size): Option => [String(size), `One of ${size} GB`]),
  ['many', 'Several GPUs'],
];

const WEIGHTS: readonly Option[] = [
  [`0-${4 * GIB}`, 'Up to 4 GiB'],
  [`${4 * GIB}-${16 * GIB}`, '4 to 16 GiB'],
  [`${16 * GIB}-${80 * GIB}`, '16 to 80 GiB'],
  [`${80 * GIB}-`, 'Over 80 GiB'],
];

const ACCESS: readonly Option[] = [
  ['open', 'Open'],
  ['gated', 'Gated'],
  ['private', 'Private'],
];

const SCAN: readonly Option[] = [
  ['clean', 'No critical finding'],
  ['critical', 'Critical findings'],
  ['none', 'Not scanned'],
];

const FIT: readonly Option[] = [
  ['ok', 'Nothing against it'],
  ['warn', 'May not run'],
];

const SIGNED: readonly Option[] = [
  ['yes', 'Signed'],
  ['no', 'Not signed'],
];

const AGE: readonly Option[] = [
  ['7', 'In the last week'],
  ['30', 'In the last month'],
  ['90', 'In the last 3 months'],
];

const USUAL_SORTS: readonly Option[] = [
  ['-updated', 'Newest first'],
  ['parameters', 'Fewest parameters'],
  ['-parameters', 'Most parameters'],
  ['-context', 'Longest context'],
  ['gpu', 'Least GPU memory'],
  ['size', 'Smallest'],
  ['-size', 'Largest'],
  ['checks', 'Fewest critical findings'],
];

/** Of the columns up and down: the header's buttons and the list of sorts are one choice, which the list shows for both. */
const COLUMN_SORTS: readonly Option[] = COLUMNS.flatMap(({ key, name }): Option[] => [
  [key, `${name}, up`],
  [`-${key}`, `${name}, down`],
]).filter(([value]) => USUAL_SORTS.every(usual => usual[0] !== value));

/** `hidden`: options that are chosen elsewhere. */
function select(
  name: string,
  label: string,
  options: readonly Option[],
  { any = 'Any', hidden = [] }: { readonly any?: string; readonly hidden?: readonly Option[] } = {},
): Markup {
  if (options.length === 0) return null;
  const shown = options.map(option => html`<option value=${option[0]}>${option[1]}</option>`);
  return html`
    <div class="select">
      <label for=${name}>${label}</label>
      <select id=${name} name=${name}>
        <option value="">${any}</option>
        ${shown}${hidden.map(([value, text]) => html`<option value=${value} hidden>${text}</option>`)}
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

const VARIANT_TEXTS = table<string>({
  fat: 'With weights (fat)',
  slim: 'Slim',
  weights: 'Weights alone',
  modelpack: 'ModelPack',
});

function variantText(variant: string): string {
  return VARIANT_TEXTS[variant] ?? variant;
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
