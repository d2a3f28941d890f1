import { SEVERITIES } from '../../config/types.ts';
import type { ScanSummary } from '../../scan/scan-referrer.ts';
import type { CatalogImage } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';

interface Scanned {
  readonly image: CatalogImage;
  readonly scan: ScanSummary;
}

/** What the newest scans have found, in numbers; the reports themselves are attached to the images. */
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
  return html`
    <div class="scroll" role="group" aria-label="Vulnerabilities by severity" tabindex="0">
      <table>
        <thead>
          <tr>
            <th scope="col">Image</th>
            ${SEVERITIES.map(severity => html`<th scope="col" class="number">${inWords(severity)}</th>`)}
            <th scope="col" class="number">Fixable</th>
            <th scope="col" class="number">Secrets</th>
            <th scope="col">Scanned</th>
          </tr>
        </thead>
        <tbody>${scanned.map(scanRow)}</tbody>
      </table>
    </div>
  `;
}

function scanRow({ image, scan }: Scanned): Markup {
  return html`
    <tr>
      <td><span class=${`chip chip-${image.variant}`}>${image.variant}</span></td>
      ${SEVERITIES.map(
        severity =>
          html`<td class=${`number severity-${severity.toLowerCase()}`}>${countText(scan.vulnerabilities[severity])}</td>`,
      )}
      <td class="number">${scan.fixable}</td>
      <td class="number">${countText(scan.secrets)}</td>
      <td>
        <time datetime=${scan.scannedAt}>${scan.scannedAt.slice(0, 10)}</time>${' '}
        <span class="quiet">${scan.scanner}</span>
      </td>
    </tr>
  `;
}

/** What is not nothing is printed so that it cannot be overlooked. */
function countText(count: number): Markup {
  return count === 0 ? html`<span class="quiet">0</span>` : html`<strong>${count}</strong>`;
}

function inWords(severity: string): string {
  return `${severity[0]}${severity.slice(1).toLowerCase()}`;
}
