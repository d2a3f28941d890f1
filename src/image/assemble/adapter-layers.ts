import { byPath } from '../../core/bytes-order.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { adapterDirOf } from '../../plan/model-dir.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { hubEntry } from './hub-entry.ts';

/**
 * Returns a layer for each adapter: its weights and its configuration change together. They are above the base whatever the
 * order, since adapters change more often than either.
 */
export function adapterLayers(planned: PlannedModel): LayerRecipe[] {
  const { adapters = [], model } = planned;
  return adapters.map(({ adapter, snapshot, files }) => {
    const dir = adapterDirOf(planned, adapter.name).slice(1);
    return {
      kind: 'weights',
      name: `adapter ${adapter.name}`,
      root: model.downloadRoot.slice(1),
      entries: files.map(file => hubEntry(snapshot, file, dir)).sort(byPath),
    };
  });
}
