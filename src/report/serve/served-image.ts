import { WeighbridgeError } from '../../core/errors.ts';
import { flagValue, hasFlag, withoutFlags } from '../../core/serve-flags.ts';
import type { GpuQuestion } from '../../fit/gpu-need.ts';
import { type ModelAccess, readLabels, readModelLabels } from '../../image/format/labels.ts';
import { baseOf, imagePort, serveWordsOf } from '../../image/image-facts.ts';
import { gpuQuestionOf } from '../../image/model-memory.ts';
import type { ListedFile, PublishedImage } from '../../image/published-image.ts';

/** What an image says of how it wants to be served. */
export interface ServedImage {
  /** What is pulled, by digest: `ghcr.io/acme/hf-x@sha256:…`. */
  readonly reference: string;
  /** For what takes no digest: a tag that names it; undefined if there is none, or if it is not known. */
  readonly tagged?: TaggedImage | undefined;
  /** A name for resources: letters, digits and `-`, at most 63. */
  readonly name: string;
  readonly modelId: string;
  readonly variant: string;
  /** What the model does: `generate`, `embed`, …; undefined if the image does not say. */
  readonly task?: string | undefined;
  /** `/models/x` */
  readonly dir: string;
  readonly port: number;
  /** Flags of `vllm serve`, without the model and its name. */
  readonly serveArgs: readonly string[];
  /** What tensor and pipeline parallelism need together. */
  readonly gpus: number;
  /** Flags that a manifest adds to the image's own. */
  readonly addedArgs?: readonly string[];
  /** What its need of GPU memory is computed from; undefined if the image does not say. */
  readonly need?: GpuQuestion | undefined;
  /** Bytes of the model; undefined if they are not known. */
  readonly modelBytes: number | undefined;
  /** Who may fetch the model; undefined if anyone may, or if the image has it. */
  readonly access?: ModelAccess | undefined;
  /** The image of vLLM that it was built on, by digest; undefined for one of weights alone. */
  readonly server: string | undefined;
}

/** An image by a tag. */
export interface TaggedImage {
  /** `ghcr.io/acme/hf-x:r7ae…-weights` */
  readonly reference: string;
  /** Whether `publish` leaves the tag with its image. */
  readonly isImmutable: boolean;
}

/** Returns what an image says of itself. Throws WeighbridgeError REGISTRY_BAD_ANSWER if it is not one of our own. */
export function servedImage(
  image: PublishedImage,
  place: {
    readonly reference: string;
    readonly tagged?: TaggedImage | undefined;
    readonly repository: string;
    /** The model's; none if they are not known. */
    readonly files: readonly Pick<ListedFile, 'path' | 'sizeBytes'>[];
  },
): ServedImage {
  const { model } = image;
  if (model === undefined) {
    throw new WeighbridgeError(
      `${place.reference} was not published by Weighbridge: it does not name a model`,
      {
        code: 'REGISTRY_BAD_ANSWER',
        subject: place.reference,
        remedy: 'Name an image of `weighbridge publish`.',
      },
    );
  }
  const serveArgs = serveArgsIn(image);
  const base = baseOf(image);
  return {
    reference: place.reference,
    tagged: place.tagged,
    name: resourceName(place.repository),
    modelId: model.id,
    variant: model.variant,
    task: readModelLabels(image.labels).task,
    dir: model.dir,
    port: imagePort(image),
    serveArgs,
    gpus: gpusOf(serveArgs),
    need: gpuQuestionOf(image, place.files),
    modelBytes: place.files.length === 0 ? undefined : sumOf(place.files),
    access: readLabels(image.labels).access,
    server: base === undefined ? undefined : pinned(base.name, base.digest),
  };
}

/** Returns the name that clients ask an image's server for. */
export function servedNameOf({ container, model }: Pick<PublishedImage, 'container' | 'model'>): string {
  return flagValue(serveWordsOf({ container }), SERVED_NAME) || (model?.id ?? '');
}

/** Returns the flags of `vllm serve` that an image has, without the model and its name. */
export function serveArgsIn({ container }: Pick<PublishedImage, 'container'>): string[] {
  return withoutFlags(serveWordsOf({ container }), SERVED_NAME);
}

function sumOf(files: readonly Pick<ListedFile, 'sizeBytes'>[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}

const SERVED_NAME = '--served-model-name';

const TENSOR_PARALLEL = ['--tensor-parallel-size', '-tp'];
const PIPELINE_PARALLEL = ['--pipeline-parallel-size', '-pp'];

/** Returns the GPUs that flags of `vllm serve` divide a model by. */
export function gpusOf(words: readonly string[]): number {
  return sizeOf(words, TENSOR_PARALLEL) * sizeOf(words, PIPELINE_PARALLEL);
}

/** Returns whether flags of `vllm serve` say how many GPUs divide a model. */
export function setsGpus(words: readonly string[]): boolean {
  return hasFlag(words, ...TENSOR_PARALLEL, ...PIPELINE_PARALLEL);
}

function sizeOf(words: readonly string[], names: readonly string[]): number {
  const size = Number(flagValue(words, ...names) ?? 1);
  return Number.isInteger(size) && size > 0 ? size : 1;
}

/** Returns a name for resources: `hf-x` of `ghcr.io/acme/hf-x`, cut to the length that the name of a Service may have. */
export function resourceName(repository: string): string {
  const name = repository.slice(repository.lastIndexOf('/') + 1).toLowerCase();
  return (
    name
      .replace(/[^a-z0-9-]+/g, '-')
      .replace(/^[^a-z]+/, '')
      .slice(0, 63)
      .replace(/-+$/, '') || 'model'
  );
}

/** The base, unless the label holds what is not a reference. */
function pinned(name: string, digest: string | undefined): string | undefined {
  if (!/^[\w.:/@-]+$/.test(name)) return undefined;
  return name.includes('@') || !/^sha256:[0-9a-f]{64}$/.test(digest ?? '') ? name : `${name}@${digest}`;
}
