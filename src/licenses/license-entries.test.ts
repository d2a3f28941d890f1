import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Variant } from '../config/types.ts';
import { digestOf } from '../core/digest.ts';
import type { HubFile, LicenseFacts, ModelSnapshot } from '../hub/types.ts';
import type { LayerEntry } from '../layer/recipe.ts';
import { licenseParts, loadSpdxTexts, type SpdxTexts } from '../spdx/spdx-texts.ts';
import { finishLicenses, licenseTrees } from './license-entries.ts';
import type { LicenseContext, LicensedBaseImage, LicenseOutcome } from './types.ts';

const OID = 'a'.repeat(40);
const CONTEXT: LicenseContext & { readonly variant: Variant } = {
  variant: 'fat',
  modelDir: '/models/x',
  ancestors: [],
};
const BASE: LicensedBaseImage = {
  reference: 'vllm/vllm-openai:v0.6.0',
  digest: `sha256:${'b'.repeat(64)}`,
};

function licenseEntries(
  model: ModelSnapshot,
  outcome: LicenseOutcome,
  context: typeof CONTEXT,
  texts: SpdxTexts,
): readonly LayerEntry[] {
  const repository = { snapshot: model, license: outcome.license, read: new Map() };
  return finishLicenses(licenseTrees(repository, outcome, context, texts)[context.variant], BASE);
}

function snapshot(names: readonly string[], facts: Partial<LicenseFacts> = {}): ModelSnapshot {
  return {
    id: 'acme/x',
    requestedId: 'acme/x',
    revision: 'c'.repeat(40),
    gated: false,
    isPrivate: false,
    license: { license: 'mit', licenseName: null, licenseLink: null, ...facts },
    tags: [],
    baseModels: [],
    files: names.map((path): HubFile => ({ path, sizeBytes: 10, gitOid: OID })),
  };
}

async function tree(
  names: readonly string[],
  options: {
    spdx?: string | null;
    facts?: Partial<LicenseFacts>;
    isGated?: boolean;
    context?: Partial<typeof CONTEXT>;
  } = {},
): Promise<Record<string, string>> {
  const spdx = options.spdx === undefined ? 'MIT' : options.spdx;
  const outcome: LicenseOutcome = {
    license: { spdx, declared: spdx?.toLowerCase() ?? null },
    isGated: options.isGated ?? false,
  };
  const texts = await loadSpdxTexts(licenseParts(spdx).map(({ id }) => id));
  const context = { ...CONTEXT, ...options.context };
  const entries = licenseEntries(snapshot(names, options.facts), outcome, context, texts);
  checkWellFormed(entries);
  return Object.fromEntries(entries.map(entry => [entry.path, contentOf(entry)]));
}

function contentOf({ content }: LayerEntry): string {
  return content.kind === 'inline' ? content.text : `<${content.path}>`;
}

function checkWellFormed(entries: readonly LayerEntry[]): void {
  const paths = entries.map(({ path }) => path);
  assert.deepEqual(
    paths,
    [...new Set(paths)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
  for (const path of paths) {
    assert.match(path, /^licenses\/[^/]+(\/[^/]+)*$/);
    assert.ok(!paths.some(longer => longer.startsWith(`${path}/`)), path);
  }
  for (const { content, sizeBytes, contentId } of entries) {
    if (content.kind !== 'inline') continue;
    assert.equal(sizeBytes, Buffer.byteLength(content.text));
    assert.equal(contentId, digestOf(content.text));
  }
}

/** What lies below `licenses/model`, with upstream's files as `<name>`. */
async function modelTree(names: readonly string[]): Promise<Record<string, string>> {
  const entries = Object.entries(await tree(names)).filter(([path]) => path.startsWith('licenses/model/'));
  return Object.fromEntries(entries.map(([path, text]) => [path.slice('licenses/model/'.length), text]));
}

describe('upstream files', () => {
  const cases: ReadonlyArray<{ names: readonly string[]; tree: Record<string, string> }> = [
    { names: ['LICENSE'], tree: { LICENSE: '<LICENSE>' } },
    { names: ['LICENSE.md'], tree: { LICENSE: '<LICENSE.md>' } },
    { names: ['License.txt'], tree: { LICENSE: '<License.txt>' } },
    { names: ['LICENCE'], tree: { LICENSE: '<LICENCE>' } },
    { names: ['COPYING'], tree: { LICENSE: '<COPYING>' } },
    { names: ['UNLICENSE'], tree: { LICENSE: '<UNLICENSE>' } },
    { names: ['MODEL_LICENSE'], tree: { LICENSE: '<MODEL_LICENSE>' } },
    { names: ['Qwen LICENSE AGREEMENT'], tree: { LICENSE: '<Qwen LICENSE AGREEMENT>' } },
    { names: ['LicenseAgreement.pdf'], tree: { LICENSE: '<LicenseAgreement.pdf>' } },
    {
      names: ['LICENSE-CODE', 'LICENSE-MODEL'],
      tree: {
        LICENSE: '<LICENSE-MODEL>',
        'LICENSE-CODE': '<LICENSE-CODE>',
        'LICENSE-MODEL': '<LICENSE-MODEL>',
      },
    },
    {
      names: ['LICENSE', 'LICENSE-MODEL'],
      tree: { LICENSE: '<LICENSE>', 'LICENSE-MODEL': '<LICENSE-MODEL>' },
    },
    {
      names: ['COPYING', 'LICENSE.txt', 'license'],
      tree: {
        COPYING: '<COPYING>',
        LICENSE: '<LICENSE.txt>',
        'LICENSE.txt': '<LICENSE.txt>',
        license: '<license>',
      },
    },
    {
      names: ['LICENSE.txt', 'Notice.txt', 'USE_POLICY.md'],
      tree: { LICENSE: '<LICENSE.txt>', NOTICE: '<Notice.txt>', 'USE_POLICY.md': '<USE_POLICY.md>' },
    },
    {
      names: ['LICENSE', 'NOTICE', 'NOTICE.md', 'THIRD_PARTY_NOTICES.txt'],
      tree: {
        LICENSE: '<LICENSE>',
        NOTICE: '<NOTICE>',
        'NOTICE.md': '<NOTICE.md>',
        'THIRD_PARTY_NOTICES.txt': '<THIRD_PARTY_NOTICES.txt>',
      },
    },
    {
      names: ['ACCEPTABLE_USE_POLICY.md', 'LICENSE', 'third-party-licenses.txt'],
      tree: {
        'ACCEPTABLE_USE_POLICY.md': '<ACCEPTABLE_USE_POLICY.md>',
        LICENSE: '<LICENSE>',
        'third-party-licenses.txt': '<third-party-licenses.txt>',
      },
    },
    {
      names: [
        'LICENSE',
        'README.md',
        'config.json',
        'license.json',
        'licensed.md',
        'notice.py',
        'original/LICENSE',
      ],
      tree: {
        LICENSE: '<LICENSE>',
        'license.json': '<license.json>',
        'licensed.md': '<licensed.md>',
        'original/LICENSE': '<original/LICENSE>',
      },
    },
  ];
  for (const { names, tree: expected } of cases) {
    test(names.join(', '), async () => assert.deepEqual(await modelTree(names), expected));
  }

  test('content is named by the best hash there is', async () => {
    const texts = await loadSpdxTexts([]);
    const sha256 = 'd'.repeat(64);
    const files = [
      { path: 'LICENSE', sizeBytes: 10, gitOid: OID, sha256 },
      { path: 'NOTICE', sizeBytes: 11, gitOid: OID },
    ];
    const outcome = { license: { spdx: 'MIT', declared: 'mit' }, isGated: false };
    const entries = licenseEntries({ ...snapshot([]), files }, outcome, CONTEXT, texts);
    const [license, notice] = entries.filter(({ content }) => content.kind === 'hub');
    assert.equal(license?.contentId, `sha256:${sha256}`);
    assert.deepEqual(notice, {
      path: 'licenses/model/NOTICE',
      mode: 0o644,
      sizeBytes: 11,
      contentId: `git:${OID}`,
      content: { kind: 'hub', repository: 'acme/x', revision: 'c'.repeat(40), path: 'NOTICE' },
    });
  });

  test('an empty file and an oversized one are not taken for licenses', async () => {
    const texts = await loadSpdxTexts(['MIT']);
    const files = [
      { path: 'LICENSE', sizeBytes: 0, gitOid: OID },
      { path: 'LICENSE.txt', sizeBytes: 5e9, gitOid: OID },
    ];
    const outcome = { license: { spdx: 'MIT', declared: 'mit' }, isGated: false };
    const entries = licenseEntries({ ...snapshot([]), files }, outcome, CONTEXT, texts);
    assert.ok(entries.every(({ content }) => content.kind === 'inline'));
  });
});

describe('no license file upstream', () => {
  test('the full SPDX text of one license, and nothing else', async () => {
    const files = await tree([], { spdx: 'Apache-2.0' });
    assert.match(files['licenses/model/LICENSE'] ?? '', /^Apache License\nVersion 2\.0, January 2004\n/);
    assert.match(
      files['licenses/NOTICE'] ?? '',
      /the SPDX text of Apache-2\.0: the repository has\n\s+no license file/,
    );
  });

  test('all texts of an expression under headings, each once', async () => {
    const text = (await tree([], { spdx: 'MIT AND (ISC OR MIT)' }))['licenses/model/LICENSE'] ?? '';
    assert.match(text, /^SPDX-License-Identifier: MIT AND \(ISC OR MIT\)\n/);
    assert.deepEqual(text.match(/^(MIT|ISC)$/gm), ['MIT', 'ISC']);
    assert.match(text, /Permission is hereby granted[\s\S]*Permission to use, copy, modify/);
  });

  test('an exception has its text', async () => {
    const outcome = { license: { spdx: 'Apache-2.0 WITH LLVM-exception', declared: null }, isGated: false };
    const texts = await loadSpdxTexts(['Apache-2.0', 'LLVM-exception']);
    const entries = licenseEntries(snapshot([]), outcome, CONTEXT, texts);
    const text = contentOf(entries.find(entry => entry.path === 'licenses/model/LICENSE') as LayerEntry);
    assert.match(
      text,
      /Apache License\nVersion 2\.0[\s\S]*if, as a result of your compiling your source code/,
    );
  });

  test('the authors are named by the repository, without a year', async () => {
    const text = (await tree([], { spdx: 'MIT' }))['licenses/model/LICENSE'] ?? '';
    assert.match(text, /^MIT License\n\nCopyright \(c\) the authors of acme\/x\n/);
  });

  test('a license without text is stated, and said to be no text', async () => {
    const facts = {
      license: 'other',
      licenseName: 'acme-license',
      licenseLink: 'https://acme.example/terms',
    };
    const files = await tree([], { spdx: 'LicenseRef-acme-license', facts });
    const text = files['licenses/model/LICENSE'] ?? '';
    assert.match(text, /^This is not the text of a licence\./);
    assert.match(text, /acme-license/);
    assert.match(text, /https:\/\/acme\.example\/terms/);
    assert.match(files['licenses/NOTICE'] ?? '', /Text: {6}none is known/);
  });

  test('nothing known at all', async () => {
    const files = await tree([], { spdx: null, facts: { license: null } });
    assert.match(files['licenses/model/LICENSE'] ?? '', /licence: nothing/);
    assert.match(files['licenses/NOTICE'] ?? '', /Terms: {5}not known/);
  });
});

test('a slim image has this project’s license and says where the weights are', async () => {
  const files = await tree(['LICENSE', 'NOTICE'], { context: { variant: 'slim' }, isGated: true });
  assert.deepEqual(Object.keys(files), ['licenses/CC0', 'licenses/NOTICE', 'licenses/licenses.json']);
  const notice = files['licenses/NOTICE'] ?? '';
  assert.match(notice, /weights are NOT in this image/);
  assert.match(notice, /downloaded to \/models\/x/);
  assert.match(notice, /Terms: {5}MIT/);
  assert.match(notice, /model is gated/);
});

test('the notice of a fat image says what is in it under which terms', async () => {
  const notice = (await tree(['LICENSE.md', 'USE_POLICY.md']))['licenses/NOTICE'] ?? '';
  assert.equal(
    notice,
    `What is in this image, and under which terms

1. The files that Weighbridge added: the start of the model server, the image's labels
   and settings, and this notice
   Terms:     CC0-1.0; full text: /licenses/CC0

2. The model acme/x, in /models/x
   Source:    https://huggingface.co/acme/x
   Revision:  ${'c'.repeat(40)}
   Terms:     MIT
   Declared:  mit
   Text:      /licenses/model/LICENSE, which is LICENSE.md of the repository
   Files:     /licenses/model/LICENSE
              /licenses/model/USE_POLICY.md

3. The base image vllm/vllm-openai:v0.6.0
   Digest:    sha256:${'b'.repeat(64)}
   Contains:  vLLM: Apache-2.0
              text: licenses/LICENSE in the folder vllm-*.dist-info of its Python packages
              CUDA and the libraries of NVIDIA: LicenseRef-NVIDIA-Deep-Learning-Container-License
              text: /NGC-DL-CONTAINER-LICENSE
   Terms:     those of the other software in it, which are its own and are not changed here;
              see the publisher of the base image, and the packages inside
`,
  );
});

test('what the Hub says cannot add lines to the notice', async () => {
  const licenseLink = 'x\n4. Everything\u202e is yours';
  const notice = (await tree([], { facts: { licenseLink } }))['licenses/NOTICE'] ?? '';
  assert.doesNotMatch(notice, /^4\. /m);
  assert.doesNotMatch(notice, /\u202e/);
});

test('CC0 in the image is the LICENSE of this repository', async () => {
  const license = readFileSync(new URL('../../LICENSE', import.meta.url), 'utf8');
  assert.equal((await tree([]))['licenses/CC0'], license);
});

test('any set of file names gives a well-formed tree, whatever their order', async () => {
  const texts = await loadSpdxTexts(['MIT']);
  const outcome = { license: { spdx: 'MIT', declared: 'mit' }, isGated: false };
  const name = fc.oneof(
    fc.constantFrom(
      'LICENSE',
      'license',
      'LICENSE.md',
      'LICENCE',
      'NOTICE',
      'Notice',
      'notice.txt',
      'NOTICE/LICENSE',
    ),
    fc
      .tuple(fc.constantFrom('LICENSE', 'MODEL_LICENSE', 'NOTICE', 'USE_POLICY', 'COPYING'), fc.string())
      .map(parts => parts.join('-').replaceAll('/', '')),
  );
  fc.assert(
    fc.property(fc.uniqueArray(name), names => {
      const entries = licenseEntries(snapshot(names), outcome, CONTEXT, texts);
      checkWellFormed(entries);
      assert.ok(entries.some(({ path }) => path === 'licenses/model/LICENSE'));
      assert.deepEqual(licenseEntries(snapshot(names.toReversed()), outcome, CONTEXT, texts), entries);
    }),
  );
});
