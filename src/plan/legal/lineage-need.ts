import type { ModelConfig } from '../../config/types.ts';
import type { ModelSnapshot } from '../../hub/types.ts';
import { mayBePermitted } from '../../policy/license.ts';

/** Whether it matters what a model was made from: not if its weights are kept out anyway. */
export function doesLineageMatter(
  { lineage, permissive, gated }: ModelConfig,
  snapshot: ModelSnapshot,
): boolean {
  return lineage !== 'off' && permissive !== false && gated !== true && snapshot.gated === false;
}

/** Whether more than the card's own fields can matter: a card that does not permit is enough to decide by. */
export function couldBeFat(model: ModelConfig, snapshot: ModelSnapshot): boolean {
  const { permissive, gated } = model;
  if (permissive === false || gated === true || snapshot.gated !== false) return false;
  return permissive === true || mayBePermitted(model, snapshot);
}
