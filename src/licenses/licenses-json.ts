import { holdsWeights } from '../config/variants.ts';
import type { LayerEntry } from '../layer/recipe.ts';
import { hubPage } from './hub-page.ts';
import { knownParts } from './known-bases.ts';
import type { LicensedBaseImage, LicensedRepository, LicenseTextOrigin, LicenseTree } from './types.ts';

/** `/licenses/licenses.json`: what `NOTICE` says, for machines. Keys are only ever added. */
export function licensesJson(
  tree: LicenseTree,
  entries: readonly LayerEntry[],
  base: LicensedBaseImage | undefined,
): string {
  const { model, ancestors, variant, divided } = tree;
  const document = {
    schemaVersion: 1,
    variant,
    model: {
      ...repository(model),
      path: tree.modelDir,
      isInImage: holdsWeights(variant),
      ...(divided.length > 0 && { dividedFiles: divided }),
    },
    baseModels: ancestors.map(repository),
    ...(base === undefined ? {} : { baseImage: baseImage(base) }),
    files: entries
      .map(entry => ({ path: `/${entry.path}`, ...contentOf(entry), source: sourceOf(entry, tree) }))
      .toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function baseImage({ reference, digest, license }: LicensedBaseImage) {
  const parts = knownParts(reference);
  return {
    reference,
    ...(digest === undefined ? {} : { digest }),
    license: license?.spdx ?? null,
    ...(license === undefined ? {} : { licenseSource: license.source }),
    ...(parts.length === 0
      ? {}
      : { contains: parts.map(({ name, spdx, text }) => ({ name, license: spdx, text })) }),
  };
}

function repository({ snapshot, license }: Omit<LicensedRepository, 'read'>) {
  return {
    id: snapshot.id,
    revision: snapshot.revision,
    url: `${hubPage(snapshot.id)}/tree/${snapshot.revision}`,
    license: license.spdx,
    declared: license.declared,
  };
}

function contentOf({ contentId, sizeBytes }: LayerEntry): { size: number; sha256?: string; gitOid?: string } {
  const [kind, hex] = contentId.split(':');
  return { size: sizeBytes, [kind === 'git' ? 'gitOid' : 'sha256']: hex };
}

/** Where the text was taken from. */
function sourceOf({ origin, path }: LayerEntry, { model, ancestors }: LicenseTree): string {
  if (origin.kind === 'hub') {
    return `${hubPage(origin.repository)}/resolve/${origin.revision}/${origin.path.split('/').map(encodeURIComponent).join('/')}`;
  }
  const owner = [model, ...ancestors].find(({ entries }) => entries.some(entry => entry.path === path));
  return owner === undefined ? 'weighbridge' : textSource(owner.origin);
}

function textSource(origin: LicenseTextOrigin): string {
  return origin.kind === 'spdx'
    ? origin.ids.map(id => `https://spdx.org/licenses/${id}`).join(' ')
    : 'weighbridge';
}
