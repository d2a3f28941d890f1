import type { LayerOrder } from '../../config/types.ts';
import { WeighbridgeError } from '../../core/errors.ts';
import type { BaseImage } from '../../oci/image.ts';
import type { PlannedModel } from '../../plan/types.ts';

/**
 * Returns where an image has the layers of its model. A runtime keeps what it has unpacked up to the first layer that
 * differs: below the base, the weights outlast every change of the base. `pathOver`: what the base has in our folder, as far
 * as is known. Throws WeighbridgeError IMAGE_LAYER_ORDER if the base would hide them there.
 */
export function layerOrder(
  { model, files }: Pick<PlannedModel, 'model' | 'files'>,
  base: OrderedBase,
  pathOver?: string,
): Exclude<LayerOrder, 'auto'> {
  if (!wantsWeightsFirst({ model, files }, base)) return 'base-first';
  const volume = hidingVolume(model.downloadRoot, base);
  const hiding = volume === undefined ? pathOver : `a volume at ${volume}`;
  if (hiding === undefined) return 'weights-first';
  if (model.layerOrder === 'weights-first') throw hidden(model.downloadRoot, hiding, base.reference);
  return 'base-first';
}

type OrderedBase = Pick<BaseImage, 'reference' | 'config' | 'layers'>;

/** Returns whether the weights are to go below the base, unless the base would hide them there. */
export function wantsWeightsFirst(
  { model, files }: Pick<PlannedModel, 'model' | 'files'>,
  base: Pick<BaseImage, 'layers'>,
): boolean {
  if (model.layerOrder !== 'auto') return model.layerOrder === 'weights-first';
  const modelBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const baseBytes = base.layers.reduce((sum, layer) => sum + layer.size, 0);
  return modelBytes > baseBytes;
}

/** A volume of the base at our folder, around it or inside of it. */
function hidingVolume(root: string, { config }: Pick<BaseImage, 'config'>): string | undefined {
  const isAround = (inner: string, outer: string): boolean => `${inner}/`.startsWith(`${outer}/`);
  const volumes = Object.keys(config.config?.Volumes ?? {}).map(path => path.replace(/\/+$/, ''));
  return volumes.find(path => isAround(path, root) || isAround(root, path));
}

function hidden(root: string, what: string, reference: string): WeighbridgeError {
  return new WeighbridgeError(
    `base image ${reference} has ${what}, which would hide or replace a model below it in ${root}`,
    {
      code: 'IMAGE_LAYER_ORDER',
      subject: reference,
      remedy: 'Choose another `download_root`, another base image, or `layer_order: base-first`.',
    },
  );
}
