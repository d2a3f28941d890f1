import type { LayerOrder } from '../../config/types.ts';
import { WeighbridgeError } from '../../core/errors.ts';
import type { BaseImage } from '../../oci/image.ts';
import type { PlannedModel } from '../../plan/types.ts';

/**
 * Returns where an image has the layers of its model. A runtime keeps what it has unpacked up to the first layer that
 * differs: below the base, the weights outlast every change of the base. Throws WeighbridgeError IMAGE_LAYER_ORDER if the
 * base would hide them there.
 */
export function layerOrder(
  { model, files }: Pick<PlannedModel, 'model' | 'files'>,
  base: Pick<BaseImage, 'reference' | 'config' | 'layers'>,
): Exclude<LayerOrder, 'auto'> {
  if (model.layerOrder === 'base-first') return 'base-first';
  const hiding = hidingVolume(model.downloadRoot, base);
  if (model.layerOrder === 'weights-first') {
    if (hiding !== undefined) throw hidden(model.downloadRoot, hiding, base.reference);
    return 'weights-first';
  }
  const modelBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const baseBytes = base.layers.reduce((sum, layer) => sum + layer.size, 0);
  return modelBytes > baseBytes && hiding === undefined ? 'weights-first' : 'base-first';
}

/** A volume of the base at our folder, around it or inside of it. */
function hidingVolume(root: string, { config }: Pick<BaseImage, 'config'>): string | undefined {
  const isAround = (inner: string, outer: string): boolean => `${inner}/`.startsWith(`${outer}/`);
  const volumes = Object.keys(config.config?.Volumes ?? {}).map(path => path.replace(/\/+$/, ''));
  return volumes.find(path => isAround(path, root) || isAround(root, path));
}

function hidden(root: string, volume: string, reference: string): WeighbridgeError {
  return new WeighbridgeError(
    `base image ${reference} has a volume at ${volume}, which would hide a model below it in ${root}`,
    {
      code: 'IMAGE_LAYER_ORDER',
      subject: reference,
      remedy: 'Choose another `download_root`, another base image, or `layer_order: base-first`.',
    },
  );
}
