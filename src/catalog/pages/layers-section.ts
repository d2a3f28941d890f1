import { formatBytes } from '../../core/text.ts';
import { type ImageLayerKind, LAYER_KINDS } from '../../image/format/layer-kinds.ts';
import type { CatalogImage, CatalogLayer, CatalogPlatform } from '../catalog-data.ts';
import { html, type Markup } from '../html.ts';
import { variantChip } from './copy.ts';
import { count } from './count.ts';
import { dataTable } from './data-table.ts';

const KIND_WORDS: Readonly<Record<ImageLayerKind, { readonly name: string; readonly note: string }>> = {
  base: { name: 'Base image', note: 'vLLM and all it needs; shared by every model on the same base' },
  weights: { name: 'Weights', note: 'one layer a file; kept when the base image changes' },
  files: { name: 'Small files', note: 'configuration and tokenizer' },
  bootstrap: { name: 'Bootstrap', note: 'brings the pinned files at the first start, then becomes vLLM' },
  links: { name: 'Links', note: 'the model where KServe and KubeAI look for it' },
  licenses: { name: 'Licenses', note: 'the texts in /licenses' },
  signature: { name: 'Signature', note: "the publisher's signature of the model's files" },
};

interface Bar {
  readonly image: CatalogImage;
  readonly platform: CatalogPlatform;
}

/**
 * Returns what an image weighs, as a picture: its layers side by side over one scale, what is shared and what is the
 * model.
 */
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
        ${variantChip(image.variant)}
        <strong>${formatBytes(size.total)}</strong>
        ${size.base > 0 && html`<span class="quiet">${formatBytes(own)} if the base image is there already</span>`}
      </figcaption>
      <svg class="bar" width="100%" height="44" role="img" aria-label=${`${image.variant}: ${parts.join(', ')}`}>
        ${rectangles(segments(platform.layers), max)}
      </svg>
    </figure>
  `;
}

/** Side by side, in percent of the widest image; what is too thin to be seen is a hair. */
function rectangles(all: readonly Segment[], max: number): Markup {
  const percent = (bytes: number): string => `${((bytes / max) * 100).toFixed(3)}%`;
  let at = 0;
  return all.map(({ kind, size, title }) => {
    const x = percent(at);
    at += size;
    const width = percent(Math.max(size, max / 500));
    return html`<rect class=${`seg seg-${kind}`} x=${x} y="0" width=${width} height="44"><title>${title}</title></rect>`;
  });
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
    <svg class="ruler" width="100%" height="36" aria-hidden="true">
      <line x1="0" x2="100%" y1="0.5" y2="0.5"></line>
      ${marks.map(mark => {
        const x = `${((mark / max) * 100).toFixed(2)}%`;
        const anchor = mark === 0 ? 'start' : mark / max > 0.95 ? 'end' : 'middle';
        return html`<line x1=${x} x2=${x} y1="0" y2="7"></line><text x=${x} y="22" text-anchor=${anchor}>${mark === 0 ? '0' : shortBytes(mark)}</text>`;
      })}
    </svg>
  `;
}

/** Returns round values for the marks of an axis from 0 to `max`. */
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
  return dataTable(
    'Kinds of layers',
    [
      { name: 'Layers', isHead: true },
      ...bars.map(({ image }) => ({ name: image.variant, isNumber: true })),
      { name: 'What they are' },
    ],
    kinds.map(kind => [
      html`<span class=${`dot seg-${kind}`}></span>${KIND_WORDS[kind].name}`,
      ...bars.map(({ platform: { size } }) => (size[kind] === 0 ? '–' : formatBytes(size[kind]))),
      html`<span class="quiet">${KIND_WORDS[kind].note}</span>`,
    ]),
  );
}

function layerDetails({ image, platform }: Bar): Markup {
  return html`
    <details>
      <summary>The ${platform.layers.length} layers of the ${image.variant} image</summary>
      ${dataTable(
        `Layers of the ${image.variant} image`,
        [{ name: 'Layer', isHead: true }, { name: 'Size', isNumber: true }, { name: 'Digest' }],
        [...baseRow(platform), ...platform.layers.filter(({ kind }) => kind !== 'base').map(layerRow)],
      )}
    </details>
  `;
}

/** The base's own layers are the business of its own page. */
function baseRow({ layers, size }: CatalogPlatform): Markup[][] {
  const base = layers.filter(({ kind }) => kind === 'base');
  if (base.length === 0) return [];
  return [
    [
      html`<span class="dot seg-base"></span>${count(base.length, 'layer')} of the base image`,
      formatBytes(size.base),
      '–',
    ],
  ];
}

function layerRow({ kind, name, size, digest }: CatalogLayer): Markup[] {
  return [
    html`<span class=${`dot seg-${kind}`}></span><span class="mono">${name.slice(0, 160)}</span>`,
    formatBytes(size),
    html`<span class="mono" title=${digest}>${digest.slice(7, 19)}</span>`,
  ];
}
