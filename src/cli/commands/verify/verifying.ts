import { signatureDifferences } from '../../../attest/check-statement.ts';
import type { Config } from '../../../config/types.ts';
import { WeighbridgeError } from '../../../core/errors.ts';
import type { ImageCheck } from '../../../inspect/verify-image.ts';
import { isRight, verifyImage } from '../../../inspect/verify-image.ts';
import type { ImageStore } from '../../../store/image-store.ts';
import { layerProgress } from '../../layer-progress.ts';
import { createRunCache } from '../../run-cache.ts';
import type { Session } from '../../session.ts';

/**
 * Compares one image with the Hub and shows how far it is; `title` names it in the progress display. Returns a check of
 * each platform. Throws WeighbridgeError if the image cannot be checked.
 */
export async function verifyWithProgress(
  session: Session,
  { store, reference, title }: { store: ImageStore; reference: string; title: string },
  { isDeep, config }: { readonly isDeep: boolean; readonly config?: Config | undefined },
): Promise<ImageCheck[]> {
  const { onEvent } = session.progress;
  onEvent({ type: 'model-start', model: title, phase: 'verify' });
  let status: 'done' | 'failed' = 'failed';
  let detail = 'could not be verified';
  try {
    const checks = await verifyImage(store, reference, {
      hub: session.services.hub,
      isDeep,
      signal: session.signal,
      rebuild: {
        bootstrap: session.services.bootstrap,
        readBase: createRunCache(session).baseImage,
        config,
        checkSignature: signatureDifferences,
      },
      ...layerProgress(session, store, title),
    });
    status = checks.every(isRight) ? 'done' : 'failed';
    detail = status === 'done' ? 'verified' : 'does not match';
    return checks;
  } catch (error) {
    if (error instanceof WeighbridgeError && error.code === 'REGISTRY_NOT_FOUND') detail = 'not found';
    throw error;
  } finally {
    onEvent({ type: 'model-end', model: title, status, detail });
  }
}
