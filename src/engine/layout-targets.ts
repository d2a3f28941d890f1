import path from 'node:path';
import type { PlannedModel } from '../plan/types.ts';
import type { PublishTarget } from '../publish/types.ts';
import { openLayout } from '../store/local/layout.ts';

/**
 * Returns where each model's images go in a folder of OCI image layouts: one model has the folder, several have
 * `hf-<short>` below it, since tags are the same for every model. Throws RegistryError STORE_IO.
 */
export async function layoutTargets(
  folder: string,
  models: readonly PlannedModel[],
): Promise<(planned: PlannedModel) => readonly PublishTarget[]> {
  const targets = new Map<string, PublishTarget>();
  for (const { model } of models) {
    const place = models.length === 1 ? folder : path.join(folder, `hf-${model.short}`);
    targets.set(model.short, { registry: 'oci', store: await openLayout(place) });
  }
  return ({ model }) => {
    const target = targets.get(model.short);
    return target === undefined ? [] : [target];
  };
}
