import { WeighbridgeError } from '../../core/errors.ts';
import { isWeights } from '../../core/model-files.ts';
import type { HubFile } from '../../hub/types.ts';

/** The most layers an image may have, base included: Docker's store ends there (`maxLayerDepth`), CRI-O above 128. */
export const MAX_IMAGE_LAYERS = 125;

/** What a registry that caps layers takes at the most; GHCR says 10 GB. A tar adds a little, so stay below. */
export const MAX_LAYER_BYTES = 9_900_000_000;

/** How many layers there may be, and how large. */
export interface PackOptions {
  /** Layers left for weights once base, small files, licenses and bootstrap have theirs. */
  readonly maxLayers: number;
  readonly maxLayerBytes?: number;
  /** For the error. */
  readonly subject: string;
}

/** A file above this is worth a layer of its own whatever it is. */
const LARGE_BYTES = 4 * 1024 * 1024;

/** Files of a model as they share layers. */
export interface PackedFiles {
  /** Groups of neighboring files; one layer each. */
  readonly weights: readonly (readonly HubFile[])[];
  /** What shares one layer. */
  readonly small: readonly HubFile[];
}

/**
 * Divides files among layers and returns them: each weight file has its own layer as long as they fit, so that a
 * changed file is one changed layer; beyond that neighbors share. Groups depend on the number of files and their sizes
 * alone, not on content. Throws WeighbridgeError IMAGE_TOO_MANY_LAYERS.
 */
export function packFiles(files: readonly HubFile[], options: PackOptions): PackedFiles {
  const large = files.filter(isLarge);
  const small = files.filter(file => !isLarge(file));
  const maxLayerBytes = options.maxLayerBytes ?? MAX_LAYER_BYTES;
  for (let perLayer = 1; perLayer <= Math.max(1, large.length); perLayer++) {
    const weights = group(large, perLayer, maxLayerBytes);
    if (weights.length <= options.maxLayers) return { weights, small };
  }
  throw tooManyLayers(
    options.subject,
    options.maxLayers < 1
      ? 'the base image has so many layers that none is left for weights'
      : `${large.length} large files do not fit into ${options.maxLayers} layers of ${maxLayerBytes} bytes`,
  );
}

/**
 * Refuses a base image on which `own` further layers are more than an image may have.
 * Throws WeighbridgeError IMAGE_TOO_MANY_LAYERS.
 */
export function checkLayerCount(subject: string, baseLayers: number, own: number): void {
  if (baseLayers + own <= MAX_IMAGE_LAYERS) return;
  throw tooManyLayers(
    subject,
    `the base image has ${baseLayers} layers, and ${own} more make more than ${MAX_IMAGE_LAYERS}`,
  );
}

function tooManyLayers(subject: string, why: string): WeighbridgeError {
  return new WeighbridgeError(`${subject}: ${why}`, {
    code: 'IMAGE_TOO_MANY_LAYERS',
    subject,
    remedy: 'Use a base image with fewer layers, or leave files out with `files.exclude`.',
  });
}

/** Returns whether a file gets a layer of its own. */
function isLarge(file: HubFile): boolean {
  return file.sha256 !== undefined || isWeights(file.path) || file.sizeBytes > LARGE_BYTES;
}

/**
 * Every `perLayer` files in turn share a layer. Where they are too much for one they are divided among themselves, so a
 * file that grows moves none but these.
 */
function group(files: readonly HubFile[], perLayer: number, maxLayerBytes: number): HubFile[][] {
  const groups: HubFile[][] = [];
  let bytes = 0;
  files.forEach((file, index) => {
    const current = groups.at(-1);
    if (current !== undefined && index % perLayer !== 0 && bytes + file.sizeBytes <= maxLayerBytes) {
      current.push(file);
      bytes += file.sizeBytes;
    } else {
      groups.push([file]);
      bytes = file.sizeBytes;
    }
  });
  return groups;
}
