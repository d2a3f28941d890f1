import { holdsWeights } from '../config/variants.ts';
import type { LayerEntry } from '../layer/recipe.ts';
import { hubPage } from './hub-page.ts';
import { knownParts } from './known-bases.ts';
import type { LicensedBaseImage, LicensedRepository, LicenseTextSource, LicenseTree } from './types.ts';

/** Returns the text of `/licenses/licenses.json`: what `NOTICE` says, for machines. Keys are only ever added. */
export function licensesJson(
  tree: LicenseTree,
  entries: readonly LayerEntry[],
  base: LicensedBaseImage | undefined,
): string {
  const { model, ancestors, adapters = [], variant, sharded } = tree;
  const document = {
    schemaVersion: 1,
    variant,
    model: {
      ...repository(model),
      path: tree.modelDir,
      isInImage: holdsWeights(variant),
      ...(sharded.length > 0 && { dividedFiles: sharded }),
    },
    ...(adapters.length > 0 && {
      adapters: adapters.map(({ name, dir, ...adapter }) => ({ name, ...repository(adapter), path: dir })),
    }),
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
function sourceOf({ content, path }: LayerEntry, { model, ancestors, adapters = [] }: LicenseTree): string {
  if (content.kind === 'hub') {
    return `${hubPage(content.repository)}/resolve/${content.revision}/${content.path.split('/').map(encodeURIComponent).join('/')}`;
  }
  const owner = [model, ...ancestors, ...adapters].find(({ entries }) =>
    entries.some(entry => entry.path === path),
  );
  return owner === undefined ? 'weighbridge' : textUrl(owner.textSource);
}

function textUrl(source: LicenseTextSource): string {
  return source.kind === 'spdx'
    ? source.ids.map(id => `https://spdx.org/licenses/${id}`).join(' ')
    : 'weighbridge';
}
