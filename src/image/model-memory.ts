import { weightKindOf } from '../core/model-files.ts';
import type { GpuQuestion } from '../fit/gpu-need.ts';
import { readModelLabels } from './format/labels.ts';
import type { ListedFile, PublishedImage } from './published-image.ts';

/** Returns what a model's need of GPU memory is computed from, by its image's labels and the sizes of its files. */
export function gpuQuestionOf(
  { labels }: Pick<PublishedImage, 'labels'>,
  files: readonly Pick<ListedFile, 'path' | 'sizeBytes'>[],
): GpuQuestion | undefined {
  const { contextLength, kvCache, attentionHeads } = readModelLabels(labels);
  const weightBytes = files
    .filter(({ path }) => weightKindOf(path) !== undefined)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (weightBytes === 0 || contextLength === undefined) return undefined;
  return { weightBytes, cache: kvCache, heads: attentionHeads, contextLength };
}
