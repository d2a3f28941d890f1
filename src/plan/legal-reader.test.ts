import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../config/load-config.ts';
import { digestOf } from '../core/digest.ts';
import { HttpClient } from '../http/client.ts';
import { createHub } from '../hub/create-hub.ts';
import { finishLicenses } from '../licenses/license-entries.ts';
import { loadSpdxText } from '../spdx/spdx-texts.ts';
import { type EmbeddedHub, startHub } from '../testkit/hub.ts';
import { makePlan } from './make-plan.ts';
import type { Plan, PlannedModel } from './types.ts';

const APACHE = (await loadSpdxText('Apache-2.0')) ?? '';
const LLAMA = 'LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\n\nLlama 3.1 Version Release Date: July 23, 2024\n';
const card = (license: string, ...bases: string[]): string =>
  `---\nlicense: ${license}\n${bases.length === 0 ? '' : `base_model:\n${bases.map(base => `  - ${base}\n`).join('')}`}---\n`;

interface World {
  readonly hub: EmbeddedHub;
  add(id: string, files: Readonly<Record<string, string>>): Promise<void>;
  plan(ids: readonly string[], more?: string): Promise<Plan>;
}

async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  const hub = await startHub();
  const http = new HttpClient({ retry: { baseMs: 1, attempts: 2 } });
  try {
    await work({
      hub,
      add: async (id, files) => {
        await hub.addModel({ id, files: { 'model.safetensors': id, ...files } });
      },
      plan: async (ids, more = '') => {
        const models = ids.map((id, index) => `  - { id: "${id}", short: m${index} }\n`).join('');
        const config = parseConfig(`${more}models:\n${models}`, 'models.yaml');
        return await makePlan(config, config.models, {
          hub: createHub({ endpoint: hub.url, http }),
          targets: 'none',
          overrides: {},
          env: {},
        });
      },
    });
  } finally {
    http.close();
    await hub.close();
  }
}

function only({ models }: Plan): PlannedModel {
  const [model] = models;
  if (model?.kind !== 'planned') throw model?.error ?? new TypeError('no model');
  return model;
}

const asked = (hub: EmbeddedHub, pattern: RegExp): number =>
  hub.log.filter(({ path }) => pattern.test(path)).length;

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

test('a model with neither a text nor a base costs two requests; one that cannot be fat costs one', () =>
  withWorld(async ({ hub, add, plan }) => {
    await add('acme/plain', { 'README.md': card('mit') });
    await add('acme/gated', { 'README.md': card('mit', 'acme/plain'), LICENSE: APACHE });
    await add('acme/copyleft', { 'README.md': card('gpl-3.0'), 'config.json': '{}' });
    hub.repository('acme/gated').gated = 'manual';
    await plan(['acme/plain', 'acme/gated', 'acme/copyleft']);
    assert.equal(asked(hub, /^\/api\/models\//), 3);
    assert.equal(asked(hub, /\/resolve\//), 1);
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
    const json = tree.find(({ path }) => path === 'licenses/licenses.json')?.origin;
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
