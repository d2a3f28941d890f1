import { describeError } from '../../core/errors.ts';
import { formatBytes } from '../../core/text.ts';
import type { AssemblyFacts, LayerFacts } from '../../image/assembly-facts.ts';
import { clean, counted } from '../layout/text-layout.ts';

/** Layers of one image that are listed; of the rest it says how many there are. */
const MAX_LISTED = 40;

/** Returns a line for each part of a model's images: the base, then each variant's layers, then what cannot be built. */
export function assemblyLines({ base, images, refused }: AssemblyFacts): string[] {
  return [
    ...(base === undefined ? [] : [`on ${clean(base.reference)}, ${base.digest}`]),
    ...images.flatMap(({ variant, layers }) => imageLines(variant, layers)),
    ...refused.map(({ variant, error }) => `${variant} cannot be built: ${clean(describeError(error))}`),
  ];
}

function imageLines(variant: string, layers: readonly LayerFacts[]): string[] {
  const platforms = new Set(layers.map(layer => layer.platform));
  return [...platforms].flatMap(platform => {
    const all = layers.filter(layer => layer.platform === platform);
    const base = all.filter(({ kind }) => kind === 'base');
    const own = all.filter(({ kind }) => kind !== 'base');
    const title = platforms.size > 1 ? `${variant} for ${platform}` : variant;
    const rest = own.length - MAX_LISTED;
    return [
      `${title}: ${counted(all.length, 'layer')}, ${sizeOf(all)}`,
      ...(base.length === 0 ? [] : [`  ${counted(base.length, 'layer')} of the base, ${sizeOf(base)}`]),
      ...own.slice(0, MAX_LISTED).map(({ kind, name, sizeBytes }) => {
        const what = kind === name ? kind : `${kind}: ${clean(name)}`;
        return `  ${what}, ${formatBytes(sizeBytes)}`;
      }),
      ...(rest > 0 ? [`  and ${rest} more`] : []),
    ];
  });
}

function sizeOf(layers: readonly LayerFacts[]): string {
  return formatBytes(layers.reduce((sum, layer) => sum + layer.sizeBytes, 0));
}
