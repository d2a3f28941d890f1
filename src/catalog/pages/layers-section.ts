import { formatBytes } from '../../core/text.ts';
import { type ImageLayerKind, LAYER_KINDS } from '../../image/published-image.ts';
import type { CatalogImage, CatalogLayer, CatalogPlatform } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { count } from './list-page.ts';

const KIND_WORDS: Readonly<Record<ImageLayerKind, { readonly name: string; readonly note: string }>> = {
  base: { name: 'Base image', note: 'vLLM and all it needs; shared by every model on the same base' },
  weights: { name: 'Weights', note: 'one layer a file; kept when the base image changes' },
  files: { name: 'Small files', note: 'configuration and tokenizer' },
  bootstrap: { name: 'Bootstrap', note: 'brings the pinned files at the first start, then becomes vLLM' },
  links: { name: 'Links', note: 'the model where KServe and KubeAI look for it' },
  licenses: { name: 'Licenses', note: 'the texts in /licenses' },
};

interface Bar {
  readonly image: CatalogImage;
  readonly platform: CatalogPlatform;
}

/** What an image weighs, as a picture: its layers side by side over one scale, what is shared and what is the model. */
export function layersSection(images: readonly CatalogImage[]): Markup {
  const bars = images.flatMap((image): Bar[] => {
    const [platform] = image.platforms;
    return platform === undefined ? [] : [{ image, platform }];
  });
  const max = Math.max(1, ...bars.map(bar => bar.platform.size.total));
  return html`
    <section aria-labelledby="layers">
      <h2 id="layers">What it weighs</h2>
      ${bars.map(bar => figure(bar, max))} ${ruler(max)} ${legend(bars)} ${bars.map(layerDetails)}
    </section>
  `;
}

function figure({ image, platform }: Bar, max: number): Markup {
  const { size } = platform;
  const own = size.total - size.base;
  const parts = LAYER_KINDS.filter(kind => size[kind] > 0).map(
    kind => `${KIND_WORDS[kind].name} ${formatBytes(size[kind])}`,
  );
  return html`
    <figure class="weigh">
      <figcaption>
        <span class=${`chip chip-${image.variant}`}>${image.variant}</span>
        <strong>${formatBytes(size.total)}</strong>
        <span class="quiet">${formatBytes(own)} if the base image is there already</span>
      </figcaption>
      <div class="bar" role="img" aria-label=${`${image.variant}: ${parts.join(', ')}`}>
        ${segments(platform.layers).map(
          ({ kind, size: bytes, title }) =>
            html`<span class=${`seg seg-${kind}`} style=${`--w:${((bytes / max) * 100).toFixed(3)}%`} title=${title}></span>`,
        )}
      </div>
    </figure>
  `;
}

interface Segment {
  readonly kind: ImageLayerKind;
  readonly size: number;
  readonly title: string;
}

/** More pieces than this cannot be told apart. */
const MAX_PIECES = 60;

/** The base is one piece; of the model every layer is, as long as they are not too many. */
function segments(layers: readonly CatalogLayer[]): Segment[] {
  return LAYER_KINDS.flatMap((kind): Segment[] => {
    const all = layers.filter(layer => layer.kind === kind);
    if (all.length === 0) return [];
    if (kind === 'base' || all.length > MAX_PIECES) {
      const size = all.reduce((sum, layer) => sum + layer.size, 0);
      return [
        {
          kind,
          size,
          title: `${KIND_WORDS[kind].name}: ${formatBytes(size)} in ${count(all.length, 'layer')}`,
        },
      ];
    }
    return all.map(layer => ({ kind, size: layer.size, title: `${layer.name}: ${formatBytes(layer.size)}` }));
  });
}

/** Marks at round numbers of bytes, as on a scale. */
function ruler(max: number): Markup {
  const marks = marksFor(max);
  return html`
    <div class="ruler" aria-hidden="true">
      ${marks.map(mark => html`<span style=${`--x:${((mark / max) * 100).toFixed(2)}%`}>${mark === 0 ? '0' : shortBytes(mark)}</span>`)}
    </div>
  `;
}

export function marksFor(max: number): number[] {
  const units = [1, 1024, 1024 ** 2, 1024 ** 3, 1024 ** 4];
  const unit = units.findLast(one => one <= max) ?? 1;
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find(one => max / (one * unit) <= 6) ?? 500;
  const fine = max / (step * unit) < 2 ? step / 4 : step;
  return Array.from({ length: Math.floor(max / (fine * unit)) + 1 }, (_, index) => index * fine * unit);
}

function shortBytes(bytes: number): string {
  return formatBytes(bytes).replace(/\.0 /, ' ');
}

function legend(bars: readonly Bar[]): Markup {
  const kinds = LAYER_KINDS.filter(kind => bars.some(bar => bar.platform.size[kind] > 0));
  return html`
    <div class="scroll" role="group" aria-label="Kinds of layers" tabindex="0">
      <table class="legend">
        <thead>
          <tr><th scope="col">Layers</th>${bars.map(bar => html`<th scope="col" class="number">${bar.image.variant}</th>`)}<th scope="col"><span class="sr">What they are</span></th></tr>
        </thead>
        <tbody>
          ${kinds.map(
            kind => html`
              <tr>
                <th scope="row"><span class=${`dot seg-${kind}`}></span>${KIND_WORDS[kind].name}</th>
                ${bars.map(({ platform: { size } }) => html`<td class="number">${size[kind] === 0 ? '–' : formatBytes(size[kind])}</td>`)}
                <td class="quiet">${KIND_WORDS[kind].note}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

function layerDetails({ image, platform }: Bar): Markup {
  return html`
    <details>
      <summary>All ${platform.layers.length} layers of the ${image.variant} image</summary>
      <div class="scroll" role="group" aria-label=${`Layers of the ${image.variant} image`} tabindex="0">
        <table>
          <thead><tr><th scope="col">Layer</th><th scope="col" class="number">Size</th><th scope="col">Digest</th></tr></thead>
          <tbody>
            ${platform.layers.map(
              layer => html`
                <tr>
                  <td class="mono layer-name"><span class=${`dot seg-${layer.kind}`}></span>${layer.name.slice(0, 160)}</td>
                  <td class="number">${formatBytes(layer.size)}</td>
                  <td class="mono" title=${layer.digest}>${layer.digest.slice(7, 19)}</td>
                </tr>
              `,
            )}
          </tbody>
        </table>
      </div>
    </details>
  `;
}
