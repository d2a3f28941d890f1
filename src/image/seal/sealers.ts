import {
  buildDataImage,
  buildImage,
  type DataImageSpec,
  type ImageSpec,
  type NewLayer,
} from '../../oci/image.ts';
import { layerDescriptor } from '../format/layer-annotations.ts';
import type { ImagePlatform, SealedLayer } from '../types.ts';

type Seal = ImagePlatform['seal'];

/** Returns what makes an image on a base; `countBelow` of its layers go below those of the base. */
export function imageSealer(spec: Omit<ImageSpec, 'below' | 'layers'>, countBelow: number): Seal {
  return sealed => {
    const made = sealed.map(newLayer);
    return buildImage({ ...spec, below: made.slice(0, countBelow), layers: made.slice(countBelow) });
  };
}

/** Returns what makes an image of files alone. */
export function dataImageSealer(spec: Omit<DataImageSpec, 'layers'>): Seal {
  return sealed => buildDataImage({ ...spec, layers: sealed.map(newLayer) });
}

/** Returns a layer as the config and the manifest name it. */
export function newLayer({ spec: { recipe }, layer }: SealedLayer): NewLayer {
  // Another spelling than everywhere else, and it stays: it decides the digests of images.
  const name = recipe.kind === 'licenses' ? 'licences' : recipe.name;
  return {
    descriptor: layerDescriptor(recipe, layer),
    diffId: layer.digest,
    createdBy: `weighbridge ${recipe.kind}: ${name}`,
  };
}
