import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModelConfig } from '../config/types.ts';
import { byVariant } from '../config/variants.ts';
import { modelConfig, policyFacts } from '../policy/decide.fixtures.ts';
import { commitTags, immutableTags, tagsFor } from './tags.ts';
import type { ModelPin } from './types.ts';

const { snapshot } = policyFacts('mit', {});
const { revision } = snapshot;
const DIGEST = `sha256:${'b'.repeat(64)}` as const;
const DEFAULT = ['{version}-{variant}', 'r{revision}-{variant}', '{version}-r{revision8}-{variant}'];
const BARE = ['{variant}', 'r{revision}-{variant}'];
const TAGS = { slim: DEFAULT, fat: DEFAULT, weights: BARE, modelpack: BARE };

function immutable(changes: Partial<ModelConfig>, pin?: ModelPin): Readonly<Record<string, string[]>> {
  const model = modelConfig({ baseImage: 'docker.io/vllm/vllm-openai:v0.6.0', tags: TAGS, ...changes });
  const tags = byVariant(variant => tagsFor(model, variant, revision));
  const planned = { model, snapshot, tags, ...(pin && { pin }) };
  return byVariant(variant => [...immutableTags(planned, variant)]);
}

const ALL = {
  slim: [`v0.6.0-r${revision.slice(0, 8)}-slim`],
  fat: [`v0.6.0-r${revision.slice(0, 8)}-fat`],
  weights: [`r${revision}-weights`],
  modelpack: [`r${revision}-modelpack`],
};

test('a tag stays if its template names the commit and a pinned base', () => {
  assert.deepEqual(immutable({}), { ...ALL, slim: [], fat: [] });
  assert.deepEqual(immutable({}, { revision }), { ...ALL, slim: [], fat: [] });
  assert.deepEqual(immutable({}, { revision, baseDigest: DIGEST }), ALL);
  assert.deepEqual(immutable({ baseImage: `docker.io/vllm/vllm-openai:v0.6.0@${DIGEST}` }), ALL);
});

test('a version that is written out is not known to follow the base', () => {
  const tags = { ...TAGS, fat: ['v0.6.0-r{revision}', '{version}-{revision}', '{version}'] };
  assert.deepEqual(immutable({ tags }, { revision, baseDigest: DIGEST }).fat, [`v0.6.0-${revision}`]);
});

test('published tags name a commit in full or by its first eight characters', () => {
  const [full, short] = [`r${revision}-weights`, `a-${revision.slice(0, 8)}`];
  assert.deepEqual(commitTags(['weights', short, full, 'v1'], revision), [full, short]);
  assert.deepEqual(commitTags(['weights', full], 'main'), []);
  assert.deepEqual(commitTags(['weights'], ''), []);
});
