import { formatBytes } from '../../core/text.ts';
import type { CatalogImage } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { date, digestButton, hash, variantChip } from './copy.ts';
import { dataTable } from './data-table.ts';

/** Returns what was published, and what it weighed. */
export function historySection(images: readonly CatalogImage[]): Markup {
  const points = pointsOf(images);
  return html`
    <section aria-labelledby="history">
      <h2 id="history">History</h2>
      ${new Set(points.map(({ step }) => step)).size > 1 && chart(points)}
      ${dataTable(
        'History',
        [
          { name: 'vLLM', isHead: true },
          { name: 'Image' },
          { name: 'Size', isNumber: true },
          { name: 'First seen' },
          { name: 'Base image' },
          { name: 'Model revision' },
          { name: 'Digest' },
        ],
        images.map(image => [
          html`<span class="mono">${image.version ?? '–'}</span>`,
          html`${variantChip(image.variant)}${image.isCurrent ? '' : html` <span class="quiet">older</span>`}`,
          formatBytes(image.platforms[0]?.size.total ?? 0),
          date(image.firstSeen),
          html`<span class="mono">${image.base?.name ?? '–'}</span>`,
          hash(image.revision, 'revision'),
          digestButton(image.digest),
        ]),
      )}
    </section>
  `;
}

interface Point {
  readonly variant: string;
  readonly version: string;
  readonly bytes: number;
  /** The place of its vLLM among all, the oldest first. */
  readonly step: number;
}

/** The newest image of each variant for each vLLM. */
function pointsOf(images: readonly CatalogImage[]): Point[] {
  const dated = images.filter(({ version }) => version !== null).toReversed();
  const versions = [...new Set(dated.map(({ version }) => version ?? ''))].sort((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const newest = new Map(dated.map(image => [`${image.variant} ${image.version}`, image]));
  return [...newest.values()].map(({ variant, version, platforms }) => ({
    variant,
    version: version ?? '',
    bytes: platforms[0]?.size.total ?? 0,
    step: versions.indexOf(version ?? ''),
  }));
}

const HEIGHT = 168;
/** Pixels above the highest point, and below the zero line for the versions. */
const TOP = 20;
const BOTTOM = 28;
/** Percent of the width left of the first point, and right of the last one. */
const LEFT = 12;
const RIGHT = 8;
const MAX_LABELS = 6;

/** Sizes by vLLM, a line for each variant. Widths are percentages, so that its text has one size on every screen. */
function chart(points: readonly Point[]): Markup {
  const steps = Math.max(...points.map(({ step }) => step));
  const max = Math.max(1, ...points.map(({ bytes }) => bytes));
  const x = (step: number): string =>
    `${(LEFT + (step / Math.max(1, steps)) * (100 - LEFT - RIGHT)).toFixed(2)}%`;
  const y = (bytes: number): string => (TOP + (1 - bytes / max) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const lines = [...Map.groupBy(points, ({ variant }) => variant)].map(([variant, of]) => ({
    variant,
    points: of.toSorted((a, b) => a.step - b.step),
  }));
  const every = Math.ceil((steps + 1) / MAX_LABELS);
  const labels = new Map(points.map(({ step, version }) => [step, version]));
  const words = lines.map(
    ({ variant, points: of }) =>
      `${variant}: ${of.map(({ version, bytes }) => `${formatBytes(bytes)} on ${version}`).join(', ')}`,
  );
  return html`
    <figure class="chart">
      <figcaption>
        Size by vLLM${lines.map(({ variant }) => html`<span class="key"><span class=${`dot line-${variant}`}></span>${variant}</span>`)}
      </figcaption>
      <svg width="100%" height=${HEIGHT} role="img" aria-label=${words.join('; ')}>
        ${[0, max / 2, max].map(
          bytes => html`
            <line class="grid" x1=${`${LEFT - 3}%`} x2="100%" y1=${y(bytes)} y2=${y(bytes)}></line>
            <text x="0" y=${Number(y(bytes)) + 4}>${bytes === 0 ? '0' : formatBytes(bytes)}</text>
          `,
        )}
        ${[...labels].filter(([step]) => (steps - step) % every === 0).map(([step, version]) => html`<text class="tick" x=${x(step)} y=${HEIGHT - 8}>${version}</text>`)}
        ${lines.map(({ variant, points: of }) => [
          of.slice(1).map((point, index) => {
            const before = of[index] as Point;
            return html`<line class=${`line line-${variant}`} x1=${x(before.step)} y1=${y(before.bytes)} x2=${x(point.step)} y2=${y(point.bytes)}></line>`;
          }),
          of.map(
            point =>
              html`<circle class=${`line-${variant}`} cx=${x(point.step)} cy=${y(point.bytes)} r="4"><title>${`${variant} on vLLM ${point.version}: ${formatBytes(point.bytes)}`}</title></circle>`,
          ),
        ])}
      </svg>
    </figure>
  `;
}
