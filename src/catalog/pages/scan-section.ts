import { SEVERITIES } from '../../config/types.ts';
import { plainLine } from '../../core/safe-text.ts';
import type { ScanSummary } from '../../scan/scan-referrer.ts';
import type { CatalogImage } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { date, variantChip } from './copy.ts';
import { dataTable } from './data-table.ts';

interface Scanned {
  readonly image: CatalogImage;
  readonly scan: ScanSummary;
}

/** Returns what the newest scans have found, in numbers; the reports themselves are attached to the images. */
export function scanSection(images: readonly CatalogImage[]): Markup {
  const scanned = images.flatMap((image): Scanned[] =>
    image.scan === null ? [] : [{ image, scan: image.scan }],
  );
  return html`
    <section aria-labelledby="scan">
      <h2 id="scan">Security scan</h2>
      ${
        scanned.length === 0
          ? html`<p class="quiet">No scan is attached to these images.</p>`
          : html`<p>Known vulnerabilities, those of the base image included.</p>
              ${scanTable(scanned)}`
      }
    </section>
  `;
}

function scanTable(scanned: readonly Scanned[]): Markup {
  return dataTable(
    'Vulnerabilities by severity',
    [
      { name: 'Image', isHead: true },
      ...SEVERITIES.map(severity => ({ name: inWords(severity), isNumber: true })),
      { name: 'Fixable', isNumber: true },
      { name: 'Secrets', isNumber: true },
      { name: 'Scanned' },
    ],
    scanned.map(({ image, scan }) => [
      variantChip(image.variant),
      ...SEVERITIES.map(
        severity =>
          html`<span class=${`severity-${severity.toLowerCase()}`}>${countText(scan.vulnerabilities[severity])}</span>`,
      ),
      scan.fixable,
      countText(scan.secrets),
      html`${date(scan.scannedAt)} <span class="quiet">${plainLine(scan.scanner)}</span>`,
    ]),
  );
}

/** What is not nothing is printed so that it cannot be overlooked. */
function countText(count: number): Markup {
  return count === 0 ? html`<span class="quiet">0</span>` : html`<strong>${count}</strong>`;
}

function inWords(severity: string): string {
  return `${severity[0]}${severity.slice(1).toLowerCase()}`;
}
