import type { LayerRecipe } from '../../layer/recipe.ts';
import { finishLicenses } from '../../licenses/license-entries.ts';
import type { LicensedBaseImage, LicenseTree } from '../../licenses/types.ts';
import type { BaseImage } from '../../oci/image.ts';
import { LICENSE_LABELS } from '../format/labels.ts';

/** Returns the layer of `/licenses`. */
export function licenseLayer(tree: LicenseTree, base: BaseImage | undefined): LayerRecipe {
  return {
    kind: 'licenses',
    name: 'licenses',
    root: 'licenses',
    entries: finishLicenses(tree, base && licensedBase(base)),
  };
}

/** Returns what the base image says of itself; one that is the same but for its digest makes the same tree. */
export function licensedBase({
  reference,
  config,
}: Pick<BaseImage, 'reference' | 'config'>): LicensedBaseImage {
  const labels = config.config?.Labels ?? {};
  const source = LICENSE_LABELS.find(label => labels[label]);
  const spdx = source && labels[source];
  return { reference, license: source && spdx ? { spdx, source: `label ${source}` } : undefined };
}
