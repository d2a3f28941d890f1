import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readBootstrap } from '../../src/engine/bootstrap-files.ts';
import { ROOT } from '../support/command.ts';

/** Found by the expressions below, and no variables. */
const NO_VARIABLES: Readonly<Record<string, string>> = {
  CERTIFICATE_VERIFY_FAILED: 'what OpenSSL says, in failures.py',
};

/** On the page, and named by none of our sources. */
const FOREIGN: Readonly<Record<string, string>> = {
  no_proxy: "Node's agents read it",
  TMPDIR: 'node:os reads it for tmpdir()',
  HF_HUB_DOWNLOAD_TIMEOUT: 'huggingface_hub reads it in the slim image',
};

const READ = /\benv(?:\.|\[')([A-Z][A-Z0-9_]*)\b/g;
const TAKEN_OUT = /\{([^{}]*)\}\s*[:=]\s*[\w.]*env(?:ironment)?\b/gi;
/** Error codes are no names of variables. */
const QUOTED = /(?<!code: )'([A-Z]+(?:_[A-Z]+)+|[a-z]+_proxy)'/g;

const page = readText('docs/environment.md');

test('every variable that the command reads is on the page', () => {
  const read = new Set(productSources().flatMap(variablesIn));
  // One for each way of reading that the expressions know.
  for (const name of ['HF_ENDPOINT', 'HF_TOKEN_PATH', 'NO_COLOR', 'HUGGING_FACE_HUB_TOKEN', 'https_proxy'])
    assert.ok(read.has(name), name);
  assert.deepEqual(missing(read, 'The command'), []);
});

test('every variable that the slim image reads is on the page', () => {
  const source = bootstrapTexts().join('\n');
  const read = new Set(namesIn(source, /"([A-Z]+(?:_[A-Z0-9]+)+)"|\b(HF_[A-Z_]+)=/g));
  for (const name of ['MODEL_DIR', 'SERVE_ARGS', 'HF_HUB_OFFLINE', 'HF_HUB_DISABLE_TELEMETRY'])
    assert.ok(read.has(name), name);
  assert.deepEqual(missing(read, 'The slim image'), []);
});

test('every secret and variable that the workflows take is on the page', () => {
  const text = globSync('.github/workflows/*.yml', { cwd: ROOT }).map(readText).join('\n');
  const read = new Set(namesIn(text, /\b(?:secrets|vars)\.([A-Z_]+)/g));
  assert.ok(read.has('WEIGHBRIDGE_CATALOG'));
  assert.deepEqual(missing(read, 'CI'), []);
});

test('every variable on the page is one that the sources name', () => {
  const workflows = globSync('.github/workflows/*.yml', { cwd: ROOT }).map(readText);
  const source = [...productSources(), ...bootstrapTexts(), ...workflows].join('\n');
  const named = [...new Set(rowsOf(page))];
  const unknown = named.filter(name => !(name in FOREIGN) && !new RegExp(`\\b${name}\\b`).test(source));
  assert.ok(named.length > 50, `${named.length}`);
  assert.deepEqual(unknown, []);
});

/** Names read as `env.NAME` or `env['NAME']`, taken out of it as `{ NAME } = env`, or listed where `env[name]` reads them. */
function variablesIn(source: string): string[] {
  return [
    ...namesIn(source, READ),
    ...namesIn(source, TAKEN_OUT).flatMap(names => namesIn(names, /\b([A-Z][A-Z0-9_]*)\b/g)),
    ...(/\benv\[[a-z]/.test(source) ? namesIn(source, QUOTED) : []),
  ];
}

function missing(read: ReadonlySet<string>, section: string): string[] {
  const text = page.split(/^## /m).find(part => part.startsWith(`${section}\n`)) ?? '';
  const rows = rowsOf(text);
  return [...read].filter(name => !(name in NO_VARIABLES) && !rows.includes(name)).sort();
}

/** The variables in the first cells of tables. */
function rowsOf(text: string): string[] {
  return [...text.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => namesIn(cell, /`(\w+)`/g));
}

function productSources(): string[] {
  return globSync('src/**/*.ts', { cwd: ROOT })
    .filter(file => !file.startsWith(path.join('src', 'testkit')))
    .filter(file => !/\.(test|fixtures|contract)\.ts$/.test(file))
    .map(readText);
}

function bootstrapTexts(): string[] {
  return readBootstrap().map(({ text }) => text);
}

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(match => match.slice(1).filter(name => name !== undefined));
}

function readText(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
