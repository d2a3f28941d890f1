import type { Variant } from '../../config/types.ts';
import { fat } from './fat.ts';
import { modelpack } from './modelpack.ts';
import { slim } from './slim.ts';
import type { ImageVariant } from './types.ts';
import { weights } from './weights.ts';

/** How an image of each variant is made. */
const TABLE: Readonly<Record<Variant, ImageVariant>> = { slim, fat, weights, modelpack };

/** Returns how images of a variant are made. */
export function imageVariant(name: Variant): ImageVariant {
  return TABLE[name];
}
