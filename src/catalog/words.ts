import { table } from '../core/table.ts';
import { formatBytes } from '../core/text.ts';
import type { GpuNeed } from '../fit/gpu-need.ts';
import { billions } from '../report/text/fit-text.ts';
import type { CatalogFacts, CatalogImage, CatalogModel } from './catalog-data.ts';

// How the pages write what is known of a model; an empty text is for what is not.

const TASKS = table<string>({
  generate: 'Text',
  multimodal: 'Multimodal',
  embed: 'Embedding',
  classify: 'Classification',
  reward: 'Reward',
  transcribe: 'Transcription',
  draft: 'Draft model',
});

/** Returns `Embedding` of `embed`; a task of a newer vLLM as it is. */
export function taskText(task: string | null): string {
  return task === null ? '' : (TASKS[task] ?? task);
}

/** Returns a number of parameters as `7.62 B`; empty if it is not known. */
export function parametersText(count: number | null): string {
  return count === null ? '' : billions(count);
}

/** Returns `128k` of 131072. */
export function tokensText(count: number | null): string {
  if (count === null) return '';
  if (count >= 1024 ** 2) return `${Number((count / 1024 ** 2).toPrecision(2))}M`;
  return count >= 1024 ? `${Math.floor(count / 1024)}k` : String(count);
}

/** Returns `bf16`, `fp8`, or `int4 awq` where the method is not the precision's name. */
export function precisionText({
  precision,
  quantization,
}: Pick<CatalogFacts, 'precision' | 'quantization'>): string {
  if (quantization === null || quantization === precision) return precision ?? '';
  return [precision, quantization].filter(part => part !== null).join(' ');
}

/** Returns bytes as `1.5 KiB`; empty if the size is not known. */
export function sizeText(bytes: number | null): string {
  return bytes === null ? '' : formatBytes(bytes);
}

/** Returns the GPUs with the least memory in all that a model runs on; one of them before several smaller. */
export function smallestNeed(gpus: readonly GpuNeed[]): GpuNeed | undefined {
  const total = ({ memoryGB, count }: GpuNeed): number => memoryGB * count;
  const single = gpus.filter(({ count }) => count === 1);
  return (single.length > 0 ? single : gpus).toSorted((a, b) => total(a) - total(b))[0];
}

/** Returns a need as `2 × 80 GB`; empty if it is not known. */
export function gpuText(need: GpuNeed | undefined): string {
  return need === undefined ? '' : `${need.count} × ${need.memoryGB} GB`;
}

/** Returns the newest image of each variant, those with the weights first: they need nothing else. */
export function newestImages({ images }: Pick<CatalogModel, 'images'>): CatalogImage[] {
  const newest = [...new Map(images.toReversed().map(image => [image.variant, image])).values()];
  return newest.toSorted((a, b) => rank(a) - rank(b) || a.variant.localeCompare(b.variant));
}

const ORDER = ['fat', 'slim', 'weights', 'modelpack'];

function rank({ variant }: CatalogImage): number {
  const place = ORDER.indexOf(variant);
  return place === -1 ? ORDER.length : place;
}
