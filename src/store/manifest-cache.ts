import { memoizeAsync } from '../core/pool.ts';
import type { ImageStore } from './image-store.ts';

/**
 * The same store, asked once for each manifest: Docker Hub counts every one that is read as a pull, and all models of a
 * file have one base image.
 */
export function withManifestCache(store: ImageStore): ImageStore {
  const getManifest = memoizeAsync((reference: string) => store.getManifest(reference));
  return new Proxy(store, {
    get(target, name) {
      if (name === 'getManifest') return getManifest;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
