import { gpuNeeds } from '../fit/gpu-need.ts';
import type { ModelFacts } from '../fit/model-facts.ts';
import { readModelLabels } from '../image/format/labels.ts';
import { gpuQuestionOf } from '../image/model-memory.ts';
import type { ListedFile, PublishedImage } from '../image/published-image.ts';
import type { CatalogFacts } from './catalog-data.ts';

/**
 * Returns the facts that people choose a model by: as its image states them; what that leaves open, as the Hub does; what
 * both do, as the catalog before this one had it of the same revision.
 */
export function catalogFacts(
  image: PublishedImage,
  files: readonly ListedFile[],
  {
    details,
    before,
  }: { readonly details?: ModelFacts | undefined; readonly before?: CatalogFacts | undefined },
): CatalogFacts {
  const stated = readModelLabels(image.labels);
  const question = gpuQuestionOf(image, files);
  // Anybody can write a label; the names of these things are words.
  const known = (text: string | undefined): string | undefined =>
    text !== undefined && text !== 'unknown' && /^[\w.+-]{1,64}$/.test(text) ? text : undefined;
  const gpus = question === undefined ? [] : gpuNeeds(question);
  const languages = stated.languages ?? details?.languages ?? before?.languages ?? [];
  return {
    task: known(stated.task) ?? known(details?.task) ?? before?.task ?? null,
    parameters: stated.parameters ?? details?.parameters ?? before?.parameters ?? null,
    activeParameters: details?.activeParameters ?? before?.activeParameters ?? null,
    precision: known(stated.precision) ?? known(details?.precision) ?? before?.precision ?? null,
    quantization: known(stated.quantization) ?? details?.quantization ?? before?.quantization ?? null,
    contextLength: stated.contextLength ?? details?.contextLength ?? before?.contextLength ?? null,
    languages,
    architecture: known(stated.architecture) ?? details?.architecture ?? before?.architecture ?? null,
    kvBytesPerToken:
      stated.kvCache?.bytesPerToken ?? details?.kvBytesPerToken ?? before?.kvBytesPerToken ?? null,
    weightBytes: question?.weightBytes ?? details?.weightBytes ?? before?.weightBytes ?? null,
    gpus: gpus.length > 0 ? gpus : (details?.gpus ?? before?.gpus ?? []),
  };
}
