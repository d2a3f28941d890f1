import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { runOk } from './tools.ts';

/** A license's text as somebody else keeps it. */
export interface CollectedText {
  /** The collection's own name of it: `llama-3.1-license-2024`, `mit_119`. */
  readonly name: string;
  /** What the collection says it is; null where that has no id on the SPDX list, or is an expression. */
  readonly spdx: string | null;
  readonly text: string;
  /** A text of the collection's list, a copy with all its terms as found somewhere, or a notice that names the license. */
  readonly kind: 'list' | 'copy' | 'notice';
}

const PACKAGE = 'scancode-toolkit-mini==32.5.0';

const UNPACK = `
import glob, json, re, sys, zipfile
texts, ids = [], {}
with zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0]) as wheel:
    for name in sorted(wheel.namelist()):
        match = re.fullmatch(r'licensedcode/data/(licenses|rules)/(.+)\\.(LICENSE|RULE)', name)
        if not match: continue
        parts = re.fullmatch(r'---\\n(.*?)\\n---\\n(.*)', wheel.read(name).decode(), re.S)
        if not parts or not parts[2].strip(): continue
        facts = dict(re.findall(r'^(\\w+): (.*)$', parts[1], re.M))
        if match[1] == 'licenses':
            ids[match[2]] = facts.get('spdx_license_key')
            texts.append((match[2], match[2], parts[2], 'list'))
        elif 'is_false_positive' not in facts and 'license_expression' in facts:
            kind = 'copy' if 'is_license_text' in facts else 'notice' if 'is_license_notice' in facts else None
            if kind: texts.append((match[2], facts['license_expression'], parts[2], kind))
spdx = lambda key: ids.get(key) if not (ids.get(key) or 'LicenseRef-').startswith('LicenseRef-') else None
json.dump([{'name': n, 'spdx': spdx(k), 'text': t, 'kind': kind} for n, k, t, kind in texts], open(sys.argv[2], 'w'))
`;

/**
 * The license texts of the ScanCode project, from its package on PyPI (126 MB, fetched once and kept with the other test
 * tools): copies that nobody has made of the SPDX list, and licenses of models that SPDX does not have.
 */
export async function collectedTexts(): Promise<readonly CollectedText[]> {
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'weighbridge-tests');
  const file = path.join(cache, 'license-texts-32.5.0-all.json');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return JSON.parse(known);
  const folder = path.join(cache, `license-texts-${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const target = [
      '--python-version',
      '3.11',
      '--implementation',
      'cp',
      '--abi',
      'none',
      '--platform',
      'any',
    ];
    const options = ['--quiet', '--no-deps', '--only-binary', ':all:', ...target, '-d', folder, PACKAGE];
    await runOk('python3', ['-m', 'pip', 'download', '--disable-pip-version-check', ...options]);
    await runOk('python3', ['-c', UNPACK, folder, `${folder}/texts.json`]);
    await rename(`${folder}/texts.json`, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return JSON.parse(await readFile(file, 'utf8'));
}
