import type { Variant } from '../config/types.ts';
import { bringsAdapters, byVariant, holdsWeights } from '../config/variants.ts';
import { byPath, compareBytes } from '../core/bytes-order.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import { inlineEntry } from '../layer/inline-entry.ts';
import { contentIdOf, type LayerEntry } from '../layer/recipe.ts';
import { OWN_LICENSE, type SpdxTexts } from '../spdx/spdx-texts.ts';
import { fallbackText } from './fallback-text.ts';
import { findLegalFiles, type LegalFiles } from './legal-files.ts';
import { licensesJson } from './licenses-json.ts';
import { noticeText } from './notice-text.ts';
import type {
  HarvestedTexts,
  LicenseContext,
  LicensedBaseImage,
  LicensedRepository,
  LicenseOutcome,
  LicenseTextSource,
  LicenseTree,
} from './types.ts';

const FOLDER = 'licenses';
/** What is longer is not a text that anyone is meant to read. */
const MAX_LEGAL_BYTES = 64 * 1024 * 1024;

/**
 * Returns the `/licenses` tree of each variant's image. A pure function: `texts` has to know what `licenseParts` names
 * (`loadSpdxTexts`), files of the repositories are named and not read.
 * Throws RangeError.
 */
export function licenseTrees(
  model: LicensedRepository,
  outcome: LicenseOutcome,
  { modelDir, ancestors, adapters = [], sharded = [] }: LicenseContext,
  texts: SpdxTexts,
): Record<Variant, LicenseTree> {
  const ownText = texts(OWN_LICENSE);
  if (ownText === undefined) throw new RangeError(`expected a text for ${OWN_LICENSE}, got none`);
  const own = inlineEntry(`${FOLDER}/CC0`, 0o644, ownText);
  const { isGated } = outcome;
  const { snapshot, license } = model;
  const nothing: HarvestedTexts = { entries: [], textSource: { kind: 'none' }, files: [] };
  const withoutWeights = {
    entries: [own],
    model: { snapshot, license, ...nothing },
    ancestors: [],
    sharded: [],
  };
  // All variants with weights have the same texts.
  const harvested = harvest(model, `${FOLDER}/model`, texts, 'all');
  const above = ancestors.map(ancestor => ({
    snapshot: ancestor.snapshot,
    license: ancestor.license,
    ...harvest(ancestor, `${FOLDER}/base-models/${ancestor.snapshot.id}`, texts, 'read'),
  }));
  const added = adapters.map(({ read, ...adapter }) => ({
    ...adapter,
    ...harvest({ ...adapter, read }, `${FOLDER}/adapters/${adapter.name}`, texts, 'all'),
  }));
  const fetched = adapters.map(({ read: _, ...adapter }) => ({ ...adapter, ...nothing }));
  const withAdapters = {
    entries: [own, ...harvested.entries, ...[...above, ...added].flatMap(({ entries }) => entries)],
    adapters: added,
  };
  const withWeights = {
    entries: [own, ...harvested.entries, ...above.flatMap(({ entries }) => entries)],
    model: { snapshot, license, ...harvested },
    ancestors: above,
    sharded,
  };
  return byVariant(variant => ({
    ...(holdsWeights(variant) ? withWeights : withoutWeights),
    ...(adapters.length > 0 &&
      bringsAdapters(variant) &&
      (holdsWeights(variant) ? withAdapters : { adapters: fetched })),
    variant,
    modelDir,
    isGated,
  }));
}

/**
 * Returns all entries, sorted by path: with what says what they are, for people (`NOTICE`) and machines
 * (`licenses.json`).
 */
export function finishLicenses(
  tree: LicenseTree,
  baseImage: LicensedBaseImage | undefined,
): readonly LayerEntry[] {
  const entries = [...tree.entries, inlineEntry(`${FOLDER}/NOTICE`, 0o644, noticeText(tree, baseImage))];
  return [
    ...entries,
    inlineEntry(`${FOLDER}/licenses.json`, 0o644, licensesJson(tree, entries, baseImage)),
  ].toSorted(byPath);
}

/** `read` takes the texts that have been read: of a repository that is closed to us there are none. */
function harvest(
  { snapshot, license, read }: LicensedRepository,
  folder: string,
  texts: SpdxTexts,
  which: 'all' | 'read',
): HarvestedTexts {
  const small = snapshot.files.filter(({ sizeBytes }) => sizeBytes <= MAX_LEGAL_BYTES);
  const files = which === 'all' ? small : small.filter(({ path }) => read.has(path));
  const byName = upstreamFiles(findLegalFiles(files));
  const entries = [...byName].map(([name, file]) => hubEntry(`${folder}/${name}`, snapshot, file, read));
  const best = byName.get('LICENSE');
  let textSource: LicenseTextSource;
  if (best === undefined) {
    const fallback = fallbackText(snapshot.license, license, texts, snapshot.id);
    entries.push(inlineEntry(`${folder}/LICENSE`, 0o644, fallback.text));
    textSource = fallback.ids.length > 0 ? { kind: 'spdx', ids: fallback.ids } : { kind: 'none' };
  } else {
    textSource = { kind: 'upstream', file: best.path };
  }
  return { entries, textSource, files: [...new Set(['LICENSE', ...byName.keys()])].sort(compareBytes) };
}

/**
 * Upstream's legal files by the name they get: the best as `LICENSE` and `NOTICE`, and if there are more, each as it
 * is called.
 */
function upstreamFiles({ licenses, notices, others }: LegalFiles): ReadonlyMap<string, HubFile> {
  const byName = new Map<string, HubFile>();
  for (const [name, files] of [
    ['LICENSE', licenses],
    ['NOTICE', notices],
  ] as const) {
    const [best] = files;
    if (best !== undefined) byName.set(name, best);
    if (files.length > 1) for (const file of files) byName.set(nameInTree(file), file);
  }
  for (const file of others) byName.set(nameInTree(file), file);
  return byName;
}

/** A folder must not have the name of a file beside it. */
function nameInTree({ path }: HubFile): string {
  return /^(?:LICENSE|NOTICE)\//.test(path) ? path.replaceAll('/', '-') : path;
}

function hubEntry(
  path: string,
  { id, revision }: ModelSnapshot,
  file: HubFile,
  read: LicensedRepository['read'],
): LayerEntry {
  return {
    path,
    mode: 0o644,
    sizeBytes: file.sizeBytes,
    contentId: read.get(file.path)?.sha256 ?? contentIdOf(file),
    content: { kind: 'hub', repository: id, revision, path: file.path },
  };
}
