import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { type LicenseIdentifier, loadLicenseIdentifier } from '../../src/spdx/identify-license.ts';
import { licenseAccuracy } from '../support/license-accuracy.ts';
import { type CollectedText, collectedTexts } from '../support/license-texts.ts';
import { IS_LONG } from '../support/long.ts';
import { requireTool } from '../support/tools.ts';

/** Of the Hub's most used licenses, those that SPDX has; copies that were not made from the SPDX list. */
const SPDX_IDS = [
  'Apache-2.0 MIT BSD-2-Clause BSD-3-Clause ISC CC0-1.0 Unlicense',
  'AFL-3.0 AGPL-3.0 Artistic-2.0 BSD-3-Clause-Clear BSL-1.0 C-UDA-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0',
  'CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0',
  'CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0',
  'ECL-2.0 EPL-1.0 EUPL-1.1 EUPL-1.2 etalab-2.0 GPL-2.0 GPL-3.0 LGPL-2.1 LGPL-3.0 LPPL-1.3c MPL-2.0 MS-PL NCSA',
  'ODC-By-1.0 OFL-1.1 OSL-3.0 Zlib',
].flatMap(ids => ids.split(' '));

/** Those that SPDX has not, by their names in the collection. */
const COMMUNITY: Readonly<Record<string, string>> = {
  'llama-license-2023': 'llama',
  'llama-2-license-2023': 'llama2',
  'llama-3.1-license-2024': 'llama3.1',
  'llama-3.2-license-2024': 'llama3.2',
  'llama-3.3-license-2024': 'llama3.3',
  'llama-4-cla-2025': 'llama4',
  'gemma-tou-2024-04-01': 'gemma',
  'gemma-tou-2025-03-24': 'gemma',
  'bigscience-rail-1.0': 'bigscience-bloom-rail-1.0',
  'bigscience-open-rail-m': 'bigscience-openrail-m',
  'bigscience-open-rail-m2': 'openrail++',
  'bigcode-open-rail-m-v1': 'bigcode-openrail-m',
  'stable-diffusion-2022-08-22': 'creativeml-openrail-m',
  'deepseek-la-1.0': 'deepseek',
  'qwen-2024': 'qwen',
  'tongyi-qianwen-2023': 'tongyi-qianwen',
  'falcon-2-11b-1.0': 'falcon-llm-license',
  'exaone-ai-model-1.1-nc': 'exaone',
  'flux-1-nc': 'flux-1-dev-non-commercial-license',
  'stability-ai-community-2024': 'stabilityai-ai-community',
  'nvidia-open-model-2025-04-28': 'nvidia-open-model-license',
  'tencent-hunyuan-3d-2.0-cla': 'hunyuan-community',
};

const skip = IS_LONG
  ? requireTool('python3')
  : 'a collection of 126 MB is fetched for it: set WEIGHBRIDGE_LONG=1';

describe('license texts as others have collected them', { skip }, () => {
  let texts: readonly CollectedText[];
  let identifier: LicenseIdentifier;
  before(async () => {
    texts = (await collectedTexts()).filter(({ kind }) => kind === 'list');
    identifier = await loadLicenseIdentifier();
  });

  for (const id of SPDX_IDS) {
    test(id, () => {
      const copy = texts.find(({ spdx }) => spdx === id || spdx === `${id}-only`);
      const identity = identifier.identify(copy?.text ?? '');
      assert.ok(identity.kind === 'spdx' && identity.ids.includes(id), JSON.stringify(identity));
    });
  }

  for (const [name, id] of Object.entries(COMMUNITY)) {
    test(id === name ? id : `${id}: ${name}`, () => {
      const identity = identifier.identify(texts.find(text => text.name === name)?.text ?? '');
      assert.ok(identity.kind === 'community' && identity.id === id, JSON.stringify(identity));
    });
  }

  test('no text is taken for another license, none of others for a permitted one', async () => {
    const rows = (await licenseAccuracy()).filter(({ isPinned }) => isPinned);
    assert.deepEqual(
      rows.flatMap(({ wrong, taken }) => [...wrong, ...taken]),
      [],
    );
    const [list, copies] = rows;
    assert.ok(list && list.others > 2500 && list.right >= 28, JSON.stringify(list));
    // The collection keeps copies for what is odd about them: typing errors, words of their own.
    assert.ok(copies && copies.others > 3000 && copies.right >= 480, JSON.stringify(copies));
  });
});
