import { bringsAdapters, holdsWeights } from '../../config/variants.ts';
import { knownParts } from '../../licenses/known-bases.ts';
import type { BaseImage } from '../../oci/image.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { conjunction } from '../../spdx/expression.ts';
import { OWN_LICENSE } from '../../spdx/spdx-texts.ts';
import { licensedBase } from './license-layer.ts';

/**
 * Returns what an image's label says of licenses, as an SPDX expression: with the weights in it, those of the model, of its
 * adapters, and of the models that they were made from; without, those of what is in it, so that an image that fetches a model when it starts
 * does not claim the model's. Null if not known.
 */
export function imageLicense(
  { outcome, adapters = [] }: PlannedModel,
  variant: string,
  base: BaseImage | undefined,
): string | null {
  if (holdsWeights(variant)) {
    const held = [outcome, ...(bringsAdapters(variant) ? adapters : []).map(adapter => adapter.outcome)];
    const own = held.flatMap(({ license }) => license.spdx ?? []);
    if (own.length < held.length) return null;
    // Of an ancestor whose license is not known nothing can be said; it is in the lineage's label.
    return conjunction([...own, ...held.flatMap(({ lineage }) => lineage.flatMap(one => one.spdx ?? []))]);
  }
  const declared = base && licensedBase(base).license?.spdx;
  const parts = base === undefined ? [] : knownParts(base.reference);
  return conjunction([
    OWN_LICENSE,
    ...(declared === undefined ? [] : [declared]),
    ...parts.map(({ spdx }) => spdx),
  ]);
}
