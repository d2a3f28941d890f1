import { digestOf } from '../core/digest.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { LayerEntry } from '../layer/recipe.ts';
import { OWN_LICENSE, type SpdxTexts } from '../spdx/spdx-texts.ts';
import { compareBytes, findLegalFiles, type LegalFiles } from './legal-files.ts';
import { noticeText } from './notice-text.ts';
import { standInText } from './stand-in-text.ts';
import type { LicenseContext, LicenseOutcome, LicenseTextOrigin } from './types.ts';

const FOLDER = 'licenses';

/**
 * The `/licenses` tree of an image, sorted by path. A pure function: `texts` has to know what `licenseParts` names
 * (`loadSpdxTexts`), files of the repository are named and not read.
 */
export function licenseEntries(
  snapshot: ModelSnapshot,
  outcome: LicenseOutcome,
  context: LicenseContext,
  texts: SpdxTexts,
): readonly LayerEntry[] {
  const own = texts(OWN_LICENSE);
  if (own === undefined) throw new RangeError(`expected a text for ${OWN_LICENSE}, got none`);
  const { entries, origin, files } =
    context.variant === 'fat'
      ? modelEntries(snapshot, outcome, texts)
      : { entries: [], origin: { kind: 'none' } as const, files: [] };
  return [
    inlineEntry(`${FOLDER}/CC0`, own),
    inlineEntry(`${FOLDER}/NOTICE`, noticeText({ snapshot, outcome, context, origin, files })),
    ...entries,
  ].toSorted((a, b) => compareBytes(a.path, b.path));
}

interface ModelEntries {
  readonly entries: readonly LayerEntry[];
  readonly origin: LicenseTextOrigin;
  /** Names below `licenses/model`. */
  readonly files: readonly string[];
}

function modelEntries(snapshot: ModelSnapshot, outcome: LicenseOutcome, texts: SpdxTexts): ModelEntries {
  const legal = findLegalFiles(snapshot.files);
  const byName = upstreamFiles(legal);
  const entries = [...byName].map(([name, file]) => hubEntry(`${FOLDER}/model/${name}`, snapshot, file));
  let origin: LicenseTextOrigin;
  const best = byName.get('LICENSE');
  if (best === undefined) {
    const standIn = standInText(snapshot.license, outcome.license, texts);
    entries.push(inlineEntry(`${FOLDER}/model/LICENSE`, standIn.text));
    origin = standIn.ids.length > 0 ? { kind: 'spdx', ids: standIn.ids } : { kind: 'none' };
  } else {
    origin = { kind: 'upstream', file: best.path };
  }
  const files = [...new Set(['LICENSE', ...byName.keys()])].sort(compareBytes);
  return { entries, origin, files };
}

/** Upstream's legal files by the name they get: the best as `LICENSE` and `NOTICE`, and where there are more, each as it is called. */
function upstreamFiles({ licenses, notices, others }: LegalFiles): ReadonlyMap<string, HubFile> {
  const byName = new Map<string, HubFile>();
  for (const [name, files] of [
    ['LICENSE', licenses],
    ['NOTICE', notices],
  ] as const) {
    const [best] = files;
    if (best !== undefined) byName.set(name, best);
    if (files.length > 1) for (const file of files) byName.set(file.path, file);
  }
  for (const file of others) byName.set(file.path, file);
  return byName;
}

function inlineEntry(path: string, text: string): LayerEntry {
  return {
    path,
    mode: 0o644,
    sizeBytes: Buffer.byteLength(text),
    contentId: digestOf(text),
    origin: { kind: 'inline', text },
  };
}

function hubEntry(path: string, { id, revision }: ModelSnapshot, file: HubFile): LayerEntry {
  return {
    path,
    mode: 0o644,
    sizeBytes: file.sizeBytes,
    contentId: file.sha256 === undefined ? `git:${file.gitOid}` : `sha256:${file.sha256}`,
    origin: { kind: 'hub', repository: id, revision, path: file.path },
  };
}
