import { readdir, readFile } from 'node:fs/promises';
import { parseConfig } from '../../src/config/load-config.ts';
import { type LicenseIdentity, loadLicenseIdentifier } from '../../src/spdx/identify-license.ts';
import { collectedTexts } from './license-texts.ts';

/** How texts of others were read, by where they are from. */
export interface AccuracyRow {
  readonly source: string;
  /** Whether the texts are the same on every machine, so that an error is one of ours. */
  readonly isPinned: boolean;
  /** Texts of permissive licenses, by what they were taken for. */
  readonly right: number;
  readonly unidentified: number;
  readonly wrong: readonly string[];
  /** All other texts, and those of them that were taken for a permissive license. */
  readonly others: number;
  readonly taken: readonly string[];
}

const DEBIAN = 'Debian packages on this machine';

interface LabeledText {
  readonly name: string;
  readonly spdx: string | null;
  readonly text: string;
}

/**
 * Where the collection's label is not what the text is to the word, by SPDX's own template: each was read.
 * SPDX has dropped its ids of the first three, which name holders alone; the others carry another license's text.
 */
const MISLABELED: ReadonlyMap<string, string> = new Map([
  ['bsd-2-clause-netbsd', 'BSD-2-Clause'],
  ['bsd-intel', 'BSD-3-Clause'],
  ['x11-r75', 'MIT'],
  ['etalab-2.0-fr', 'etalab-2.0'],
  ['openmdw-1.0', 'OpenMDW-1.0'],
  ['cc-by-3.0_50', 'CC-BY-3.0-US'],
  ['cc-by-3.0_135', 'CC-BY-3.0-US'],
  ['odc-1.0', 'ODC-By-1.0'],
  ['w3c-03-bsd-license', 'BSD-3-Clause'],
  ['bsd-ack_12', 'BSD-3-Clause'],
  ['bsd-unmodified_4', 'BSD-2-Clause'],
  ['bsd-x11_5', 'BSD-3-Clause'],
  ['bsd-x11_6', 'BSD-3-Clause'],
  ['bsd-x11_7', 'BSD-3-Clause'],
  ['bsd-new_117', 'BSD-3-Clause-Tso'],
  ['bsd-new_1002', 'BSD-3-Clause-Sun'],
  ['bsd-new_1319', 'BSD-2-Clause'],
  ['boost-1.0_71', 'HPND-sell-variant'],
  ['boost-1.0_78', 'HPND-sell-variant'],
  ['boost-1.0_80', 'HPND-sell-variant'],
  ['odc-by-1.0_11', 'PPL'],
  ['ppl_1', 'ODC-By-1.0'],
  // Debian's packages.
  ['e2fsprogs BSD-3-Clause', 'BSD-3-Clause-Tso'],
  ['jq Expat', 'dtoa'],
  ['libarchive13 Expat', 'ISC'],
  ['libipt2 Expat', 'BSD-3-Clause'],
  ['libpq-dev nagaysau-ishii', 'PostgreSQL'],
  ['libpulse0 other', 'MIT'],
  ['linux-libc-dev Xen-interface', 'MIT'],
]);

/** Reads all texts, and compares what they are taken for with what their collections say. */
export async function licenseAccuracy(): Promise<readonly AccuracyRow[]> {
  const { identify } = await loadLicenseIdentifier();
  const [model] = parseConfig('models: [{ id: a/b, short: b }]', 'models.yaml').models;
  const permitted = new Set(model?.permissiveWhitelist ?? []);
  const collected = await collectedTexts();
  const sources: readonly (readonly [string, readonly LabeledText[]])[] = [
    ['ScanCode, its list of licenses', collected.filter(({ kind }) => kind === 'list')],
    ['ScanCode, copies found elsewhere', collected.filter(({ kind }) => kind === 'copy')],
    ['ScanCode, notices that name a license', collected.filter(({ kind }) => kind === 'notice')],
    [DEBIAN, await debianTexts()],
  ];
  return sources.map(([source, texts]) => {
    let right = 0;
    let unidentified = 0;
    let others = 0;
    const wrong: string[] = [];
    const taken: string[] = [];
    for (const { name, spdx, text } of texts) {
      const said = MISLABELED.get(name) ?? spdx;
      const got = idsOf(identify(text));
      if (said !== null && permitted.has(plainId(said))) {
        if (got.length === 0) unidentified += 1;
        else if (got.some(id => plainId(id) === plainId(said))) right += 1;
        else wrong.push(`${name}: ${got.join(', ')} in place of ${said}`);
      } else {
        others += 1;
        if (got.some(id => permitted.has(plainId(id)))) taken.push(`${name}: ${got.join(', ')}`);
      }
    }
    return { source, isPinned: source !== DEBIAN, right, unidentified, wrong, others, taken };
  });
}

/** The ids that an image could be published under: of a text, or of a declaration. */
function idsOf(identity: LicenseIdentity): readonly string[] {
  if (identity.kind === 'spdx') return identity.ids;
  if (identity.kind === 'declaration') return [identity.spdx];
  if (identity.kind !== 'several') return [];
  const parts = identity.parts.map(idsOf);
  return parts.every(ids => ids.length > 0) ? parts.flat() : [];
}

function plainId(id: string): string {
  return id.toLowerCase();
}

const DEBIAN_NAMES: Readonly<Record<string, string>> = {
  'apache-2.0': 'Apache-2.0',
  'boost-1.0': 'BSL-1.0',
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsl-1.0': 'BSL-1.0',
  'cc0-1.0': 'CC0-1.0',
  expat: 'MIT',
  isc: 'ISC',
  unlicense: 'Unlicense',
  wtfpl: 'WTFPL',
  zlib: 'Zlib',
};
/** Labels that packages use for one or another of those. */
const AMBIGUOUS =
  /apache|boost|bsd|bsl|cc-?by|cc0|edl|expat|isc|mit|unlicense|wtfpl|zlib|x11|ncsa|postgres|psf|python|tinyscheme|attribution/i;
const MIN_TEXT_WORDS = 40;

/** `License:` paragraphs of machine-readable copyright files; https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
async function debianTexts(): Promise<readonly LabeledText[]> {
  const folder = '/usr/share/doc';
  const found = new Map<string, LabeledText>();
  for (const name of await readdir(folder).catch(() => [])) {
    const file = await readFile(`${folder}/${name}/copyright`, 'utf8').catch(() => '');
    if (!/^Format:.*copyright-format/m.test(file)) continue;
    for (const paragraph of file.split(/\n(?:[ \t]*\n)+/)) {
      const [, label = '', body = ''] =
        /^License:[ \t]*(\S+)[ \t]*\n((?:[ \t].*(?:\n|$))+)/m.exec(paragraph) ?? [];
      const text = body.replace(/^[ \t]\.?/gm, '');
      if (text.split(/\s+/).length < MIN_TEXT_WORDS || found.has(text)) continue;
      const spdx = DEBIAN_NAMES[label.toLowerCase()] ?? null;
      if (spdx !== null || !AMBIGUOUS.test(label)) found.set(text, { name: `${name} ${label}`, spdx, text });
    }
  }
  return [...found.values()];
}
