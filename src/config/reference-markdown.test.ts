import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { modelsJsonSchema } from './json-schema.ts';
import { referenceMarkdown } from './reference-markdown.ts';

test('docs/reference.md is what the definition says: `npm run schema` renews it', () => {
  const file = new URL('../../docs/reference.md', import.meta.url);
  assert.equal(readFileSync(file, 'utf8'), referenceMarkdown());
});

test('every key of the schema has a row', () => {
  const text = referenceMarkdown();
  const keys = new Set<string>();
  JSON.stringify(modelsJsonSchema(), (name, value) => {
    if (name === 'properties') for (const key of Object.keys(value)) keys.add(key);
    return value;
  });
  const missing = [...keys].filter(key => !text.includes(`| \`${key}\` |`) && !text.includes(`## \`${key}`));
  assert.deepEqual(missing, []);
  assert.match(text, /\| `id` \| text \| required \|/);
  assert.match(text, /\| `permissive` \| `auto` or `true` or `false` \| `auto` \|/);
});
