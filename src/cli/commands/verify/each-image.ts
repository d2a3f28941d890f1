import { type ErrorJson, errorToJson, isAbort, WeighbridgeError } from '../../../core/errors.ts';
import { mapPool } from '../../../core/pool.ts';
import { type NamedImage, openNamedImage } from '../../image-argument.ts';
import type { Session } from '../../session.ts';

/** What became of one of the images that were named. */
export type ImageResult<T> = { readonly reference: string } & (
  | { readonly checks: readonly T[]; readonly error?: undefined }
  | { readonly error: ErrorJson; readonly checks?: undefined }
);

const IMAGES_AT_ONCE = 2;

/**
 * Checks every image that is named. Returns a result for each: one that does not exist or cannot be read does not keep
 * the others from being checked. A single image's error is thrown instead.
 */
export async function checkEachImage<T>(
  session: Session,
  references: readonly string[],
  check: (image: NamedImage) => Promise<readonly T[]>,
): Promise<ImageResult<T>[]> {
  return await mapPool(references, IMAGES_AT_ONCE, async (text): Promise<ImageResult<T>> => {
    let reference = text;
    try {
      const image = await openNamedImage(session, text);
      reference = image.name;
      return { reference, checks: await check(image) };
    } catch (error) {
      if (isAbort(error) || session.signal.aborted || !(error instanceof WeighbridgeError)) throw error;
      if (references.length === 1) throw error;
      return { reference, error: errorToJson(error) };
    }
  });
}
