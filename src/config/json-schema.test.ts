import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { modelsJsonSchema, modelsJsonSchemaText } from './json-schema.ts';
import { loadConfig, parseConfig } from './load-config.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const DOCS = readFileSync(path.join(ROOT, 'docs/configuration.md'), 'utf8');

test('schema/models.schema.json is up to date', () => {
  const stored = readFileSync(path.join(ROOT, 'schema/models.schema.json'), 'utf8');
  assert.equal(stored, modelsJsonSchemaText(), 'it is stale: run `npm run schema`');
});

test('every key has a description for editors to show', () => {
  const missing = undescribed(modelsJsonSchema(), 'models.yaml');
  assert.deepEqual(missing, []);
});

test('docs/configuration.md names every key and gives its default', () => {
  const rows = DOCS.split('\n').filter(line => line.startsWith('|'));
  for (const [key, schema] of leaves(modelsJsonSchema())) {
    const isFilledIn = (row: string): boolean =>
      row.startsWith(`| \`${key}\` |`) && tells(row, schema.default);
    assert.ok(
      rows.some(isFilledIn) || DOCS.includes(`\n## \`${key}\`\n`),
      `${key}, default ${JSON.stringify(schema.default)}`,
    );
  }
});

test('the examples of docs/configuration.md are valid', () => {
  const examples = [...DOCS.matchAll(/^```yaml\n(models:[^`]*)```$/gm)].map(match => match[1] as string);
  assert.equal(examples.length, 3);
  for (const text of examples) assert.ok(parseConfig(text, 'example').models.length > 0);
});

test("the project's own models.yaml lists the model of the original document", async () => {
  const { models } = await loadConfig(path.join(ROOT, 'models.yaml'));
  assert.deepEqual(
    models.map(({ id, short }) => [id, short]),
    [['deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B', 'deepseek-r1-distill-qwen-15b']],
  );
});

interface Schema {
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
}

function undescribed(schema: Schema, name: string): string[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    undescribed(value, `${name}.${key}`),
  );
  const items =
    schema.items?.properties === undefined ? [] : undescribed({ ...schema.items, description: 'item' }, name);
  return [...(schema.description === undefined ? [name] : []), ...inner, ...items];
}

function leaves({ properties = {}, items }: Schema): [string, Schema][] {
  const own = Object.entries(properties);
  return [
    ...own,
    ...own.flatMap(([, value]) => leaves(value)),
    ...(items === undefined ? [] : leaves(items)),
  ];
}

/** A list may stand in the row as YAML or item by item. */
function tells(row: string, value: unknown): boolean {
  const asYaml = JSON.stringify(value)?.replaceAll(',', ', ');
  if (Array.isArray(value))
    return row.includes(`\`${asYaml}\``) || value.every(item => row.includes(`\`${item}\``));
  if (typeof value === 'string') return row.includes(`\`${value}\``);
  return typeof value === 'object' || value === undefined || row.includes(`\`${asYaml}\``);
}
