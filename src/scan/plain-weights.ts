import path from 'node:path';
import { isAbort, WeighbridgeError } from '../core/errors.ts';
import { isWeights } from '../core/model-files.ts';
import { readLayerDescriptor } from '../image/format/layer-annotations.ts';
import type { LayerRecipe } from '../layer/recipe.ts';
import { layOut } from '../layer/tar-layout.ts';
import type { Descriptor } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';

/**
 * Returns whether a layer holds files of weights in the model's folder and nothing else, by its own bytes: what stands
 * between the contents of the files, which says what they are, is read in small pieces and compared with the tar that such
 * files make. What the manifest says of a layer proves nothing. `modelDir`: absolute, `/models/x`.
 * Throws InterruptedError, and what is not a WeighbridgeError.
 */
export async function isPlainWeights(
  store: ImageStore,
  layer: Descriptor,
  modelDir: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const described = readLayerDescriptor(layer);
  if (described === undefined || described.files.length === 0) return false;
  const folder = `${modelDir.slice(1)}/`;
  if (!described.files.every(file => file.path.startsWith(folder) && isWeights(file.path))) return false;
  try {
    const layout = layOut(recipeOf(described.files, path.posix.dirname(modelDir).slice(1)));
    if (layout.sizeBytes !== layer.size) return false;
    for (const segment of layout.segments) {
      if (segment.kind !== 'bytes') continue;
      const found = await readPiece(store, layer, segment.start, segment.bytes.length, signal);
      if (!found.equals(segment.bytes)) return false;
    }
    return true;
  } catch (error) {
    // A path that none of our tars could have, or a store that does not answer: then it is scanned.
    if (isAbort(error) || signal?.aborted) throw error;
    if (error instanceof RangeError || error instanceof WeighbridgeError) return false;
    throw error;
  }
}

function recipeOf(
  files: readonly { readonly path: string; readonly sizeBytes: number }[],
  root: string,
): LayerRecipe {
  return {
    kind: 'weights',
    name: 'weights',
    root,
    entries: files.map(file => ({
      path: file.path,
      mode: 0o644,
      sizeBytes: file.sizeBytes,
      contentId: `sha256:${'0'.repeat(64)}`,
      content: { kind: 'inline', text: '' },
    })),
  };
}

async function readPiece(
  store: ImageStore,
  layer: Descriptor,
  start: number,
  sizeBytes: number,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let left = sizeBytes;
  for await (const chunk of store.openBlob(layer).open({ start, signal })) {
    parts.push(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
    if (left === 0) break;
  }
  return Buffer.concat(parts);
}
