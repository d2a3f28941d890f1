import type { BaseImage } from '../../oci/image.ts';
import type { VariantContext } from './types.ts';

/** Returns the base image of a variant that needs one. Throws TypeError if the caller has not read it. */
export function onBase({ base, platform }: VariantContext): BaseImage {
  if (base === undefined) throw new TypeError(`expected a base image for ${platform}, got none`);
  return base;
}
