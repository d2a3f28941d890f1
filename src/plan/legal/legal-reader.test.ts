import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { finishLicenses } from '../../licenses/license-entries.ts';
import { APACHE, asked, card, LLAMA, only, withWorld } from './legal-reader.fixtures.ts';

test('a text that many repositories share is read once, and so is a base of many', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('acme/base', { 'README.md': card('apache-2.0'), LICENSE: APACHE });
    const ids = Array.from({ length: 20 }, (_, index) => `acme/tune-${index}`);
    for (const id of ids) await add(id, { 'README.md': card('apache-2.0', 'acme/base'), LICENSE: APACHE });
    const { models } = await plan(ids);
    assert.ok(models.every(model => model.kind === 'planned' && model.outcome.decisions.fat.build));
    // One question a model and one about the base; one license of 21 that are the same, and two different cards.
    assert.equal(asked(hub, /^\/api\/models\//), 21);
    assert.equal(asked(hub, /\/resolve\/.*LICENSE/), 1);
    assert.equal(asked(hub, /\/resolve\/.*README/), 2);
  }));

test('a model with neither a text nor a base costs two requests; one that cannot be fat costs one, and its config', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('acme/plain', { 'README.md': card('mit') });
    await add('acme/gated', { 'README.md': card('mit', 'acme/plain'), LICENSE: APACHE });
    await add('acme/copyleft', { 'README.md': card('gpl-3.0'), 'config.json': '{}' });
    hub.repository('acme/gated').gated = 'manual';
    await plan(['acme/plain', 'acme/gated', 'acme/copyleft']);
    assert.equal(asked(hub, /^\/api\/models\//), 3);
    assert.equal(asked(hub, /\/resolve\//), 2);
  }));

test('the chain is followed to the root, round circles and past what is not there', () =>
  withWorld(async ({ add, plan }) => {
    await add('a/x', { 'README.md': card('mit', 'a/y', 'a/gone', './out/checkpoint') });
    await add('a/y', { 'README.md': card('mit', 'a/z') });
    await add('a/z', { 'README.md': card('llama3.1', 'a/x'), LICENSE: LLAMA });
    const { outcome } = only(await plan(['a/x']));
    assert.deepEqual(
      outcome.lineage.map(({ id, spdx, chain }) => [id, spdx, chain.length]),
      [
        ['a/y', 'MIT', 1],
        ['a/gone', null, 1],
        ['./out/checkpoint', null, 1],
        ['a/z', 'LicenseRef-llama3.1', 2],
      ],
    );
    assert.equal(outcome.decisions.fat.build, false);
  }));

test('the texts of the ancestors are in the tree, with where each is from', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('a/x', { 'README.md': card('apache-2.0', 'a/y', 'a/closed'), LICENSE: APACHE });
    await add('a/y', { 'README.md': card('apache-2.0'), LICENSE: `${APACHE}\n`, NOTICE: 'Made by Y.\n' });
    await add('a/closed', { 'README.md': card('mit'), LICENSE: 'not for you' });
    hub.repository('a/closed').gated = 'auto';
    const { licenses, outcome } = only(await plan(['a/x']));
    assert.equal(outcome.decisions.fat.build, true, outcome.decisions.fat.reason);
    const tree = finishLicenses(licenses.fat, { reference: 'vllm/vllm-openai:v1' });
    const paths = tree.map(({ path }) => path.slice('licenses/'.length));
    assert.deepEqual(paths, [
      'CC0',
      'NOTICE',
      'base-models/a/closed/LICENSE',
      'base-models/a/y/LICENSE',
      'base-models/a/y/NOTICE',
      'licenses.json',
      'model/LICENSE',
    ]);
    const json = tree.find(({ path }) => path === 'licenses/licenses.json')?.content;
    assert.ok(json?.kind === 'inline');
    const { files, baseModels } = JSON.parse(json.text);
    assert.deepEqual(
      baseModels.map((one: { id: string; license: string }) => [one.id, one.license]),
      [
        ['a/y', 'Apache-2.0'],
        ['a/closed', 'MIT'],
      ],
    );
    const file = files.find((one: { path: string }) => one.path === '/licenses/base-models/a/y/NOTICE');
    assert.equal(file.sha256, digestOf('Made by Y.\n').slice('sha256:'.length));
    assert.match(file.source, /^https:\/\/huggingface\.co\/a\/y\/resolve\/[0-9a-f]{40}\/NOTICE$/);
    const closed = files.find(
      (one: { path: string }) => one.path === '/licenses/base-models/a/closed/LICENSE',
    );
    assert.equal(closed.source, 'https://spdx.org/licenses/MIT');
  }));

test('a base behind a gate is told by its name', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('a/x', { 'README.md': card('mit', 'a/Llama-2-7b-chat') });
    await add('a/Llama-2-7b-chat', { 'README.md': card('mit') });
    hub.repository('a/Llama-2-7b-chat').gated = 'auto';
    assert.equal(only(await plan(['a/x'])).outcome.decisions.fat.rule, 'lineage-suspected');
  }));

test('what the Hub has scanned comes with the one request', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('a/x', { 'README.md': card('mit') });
    hub.repository('a/x').filesWithIssues.push({ path: 'model.safetensors', level: 'unsafe' });
    const { outcome, snapshot } = only(await plan(['a/x']));
    assert.deepEqual(snapshot.safety, {
      isScanned: true,
      issues: [{ path: 'model.safetensors', level: 'unsafe' }],
    });
    assert.equal(outcome.decisions.fat.rule, 'files-unsafe');
    assert.equal(asked(hub, /^\/api\/models\//), 1);
  }));

test('a Hub that is down in the middle of it fails that model, and nothing is guessed', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('a/x', { 'README.md': card('mit', 'a/y') });
    await add('a/y', { 'README.md': card('mit') });
    hub.faults.add({ match: /models\/a\/y/, kind: 'status', status: 503, times: 9 });
    const { models } = await plan(['a/x']);
    assert.equal(models[0]?.kind, 'unresolved');
  }));

test('a base that is not there is asked about once, however many were made from it', () =>
  withWorld(async ({ hub, add, plan }) => {
    const ids = Array.from({ length: 5 }, (_, index) => `a/x${index}`);
    for (const id of ids) await add(id, { 'README.md': card('mit', 'gone/base') });
    const { models } = await plan(ids);
    assert.ok(
      models.every(one => one.kind === 'planned' && one.outcome.decisions.fat.rule === 'lineage-unknown'),
    );
    assert.equal(asked(hub, /models\/gone\/base/), 1);
  }));

test('ancestors without end are bounded, and no consent', () =>
  withWorld(async ({ hub, add, plan }) => {
    for (let index = 0; index < 60; index++)
      await add(`a/x${index}`, {
        'README.md': card('mit', ...[1, 7, 11].map(step => `a/x${(index + step) % 60}`)),
      });
    const { fat } = only(await plan(['a/x0'])).outcome.decisions;
    assert.match(fat.reason, /there are more than 40 of them/);
    assert.equal(asked(hub, /^\/api\/models\//), 41);
  }));

for (const [what, isEqual] of [
  ['of their own', false],
  ['that are the same', true],
] as const)
  test(`what is read of all ancestors is bounded, each content counted once: with configs ${what}`, () =>
    withWorld(async ({ hub, add, plan }) => {
      const ids = Array.from({ length: 6 }, (_, index) => `a/x${index}`);
      for (const [index, id] of ids.entries()) {
        const config = JSON.stringify({ index: isEqual ? 0 : index }) + ' '.repeat(1_900_000);
        const base = ids[index + 1];
        await add(id, {
          'README.md': base === undefined ? card('mit') : card('mit', base),
          ...(index > 0 && { 'config.json': config }),
        });
      }
      const { fat } = only(await plan(['a/x0'])).outcome.decisions;
      const read = asked(hub, /\/resolve\/.*config\.json/);
      if (isEqual) {
        assert.ok(fat.build, fat.reason);
        assert.equal(read, 1);
      } else {
        assert.match(
          fat.reason,
          /a\/x5, whose license cannot be known \(its texts and those of .* longer than 8 MiB\)/,
        );
        assert.equal(read, 4);
      }
    }));
