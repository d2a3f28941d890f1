import type { VerifyOptions } from '../inspect/verify-image.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { Session } from './session.ts';

/** Returns listeners that show each layer as it is read of an image, whose line in the progress display is `title`. */
export function layerProgress(
  { progress: { onEvent } }: Session,
  store: ImageStore,
  title: string,
): Required<Pick<VerifyOptions, 'onRead' | 'onLayerEnd'>> {
  const done = new Map<string, number>();
  return {
    onRead({ size }, blob, count) {
      const doneBytes = (done.get(blob) ?? 0) + count;
      if (!done.has(blob)) {
        onEvent({ type: 'blob-start', model: title, blob, sizeBytes: size, targets: [store.name] });
      }
      done.set(blob, doneBytes);
      if (count > 0) onEvent({ type: 'blob-progress', model: title, blob, doneBytes });
    },
    onLayerEnd(_, blob) {
      onEvent({ type: 'blob-end', model: title, blob, how: 'read' });
      done.delete(blob);
    },
  };
}
