import path from 'node:path';
import type { PlannedModel } from '../plan/types.ts';
import type { PublishTarget } from '../publish/types.ts';
import { openLayout } from '../store/local/layout.ts';

/**
 * Returns where each model's images go in a folder of OCI image layouts: the only model of a run has the folder, several
 * have `hf-<short>` below it, since tags are the same for every model. What it returns throws RegistryError STORE_IO.
 */
export function layoutTargets(
  folder: string,
  models: number,
): (planned: Pick<PlannedModel, 'model'>) => Promise<readonly PublishTarget[]> {
  return async ({ model }) => {
    const place = models === 1 ? folder : path.join(folder, `hf-${model.short}`);
    return [{ registry: 'oci', store: await openLayout(place) }];
  };
}
