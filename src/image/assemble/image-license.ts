import { holdsWeights } from '../../config/variants.ts';
import { knownParts } from '../../licenses/known-bases.ts';
import type { BaseImage } from '../../oci/image.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { conjunction } from '../../policy/spdx.ts';
import { OWN_LICENSE } from '../../spdx/spdx-texts.ts';
import { licensedBase } from './license-layer.ts';

/**
 * Returns what an image's label says of licenses, as an SPDX expression: with the weights in it, those of the model and of
 * the models that it was made from; without, those of what is in it, so that an image that fetches a model when it starts
 * does not claim the model's. Null if not known.
 */
export function imageLicense(
  { outcome }: PlannedModel,
  variant: string,
  base: BaseImage | undefined,
): string | null {
  if (holdsWeights(variant)) {
    const { spdx } = outcome.license;
    // Of an ancestor whose license is not known nothing can be said; it is in the lineage's label.
    return spdx === null ? null : conjunction([spdx, ...outcome.lineage.flatMap(one => one.spdx ?? [])]);
  }
  const declared = base && licensedBase(base).license?.spdx;
  const parts = base === undefined ? [] : knownParts(base.reference);
  return conjunction([
    OWN_LICENSE,
    ...(declared === undefined ? [] : [declared]),
    ...parts.map(({ spdx }) => spdx),
  ]);
}
