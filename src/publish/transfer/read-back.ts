import { IntegrityError, RegistryError, throwIfAborted } from '../../core/errors.ts';
import { type ResolvedLayer, resolvedLayer } from '../../image/format/layer-annotations.ts';
import type { OwnLayerBlob } from '../../image/types.ts';
import type { TargetState } from '../target/target-state.ts';
import type { PublishContext } from '../types.ts';
import { openBlobSource } from './blob-sources.ts';

/**
 * Reads a layer back from a target, of which only notes of this machine say that it is there, and returns it if its bytes
 * are that layer's. That costs a download in place of an upload. The parts of a divided file show only together what
 * they are, so they are made again.
 * Throws InterruptedError, or RegistryError if the target cannot be read.
 */
export async function readBack(
  { store, inventory }: TargetState,
  { id, layer, slice }: OwnLayerBlob,
  { hub, signal }: Pick<PublishContext, 'hub' | 'signal'>,
): Promise<ResolvedLayer | undefined> {
  const noted = inventory.noted(id);
  if (noted === undefined || slice !== undefined) return undefined;
  const published = noted.files.map(file => ({ store, layer: noted, file }));
  const { source, hasher, sha256Of } = openBlobSource({ kind: 'made', recipe: layer.recipe, published }, hub);
  try {
    for await (const chunk of source.open({ start: 0, signal })) {
      throwIfAborted(signal);
      hasher.update(hasher.position, chunk);
    }
    const isRight = hasher.digest() === noted.digest && sha256Of !== undefined;
    return isRight ? resolvedLayer(layer, noted.digest, sha256Of) : undefined;
  } catch (error) {
    // Wrong bytes, or none: it is brought like any other.
    if (error instanceof IntegrityError || error instanceof RegistryError) return undefined;
    throw error;
  }
}
