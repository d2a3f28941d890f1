import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readBootstrap } from '../../src/engine/bootstrap-files.ts';
import { ROOT } from '../support/command.ts';

/** What other programs say. */
const FOREIGN = [
  'DB error',
  'failed to download',
  'unrecognized arguments: serve',
  'out of memory',
  '***',
  '-',
];

for (const [file, least] of [
  ['docs/troubleshooting.md', 26],
  ['docs/private-ca.md', 6],
] as const) {
  test(`every message in ${file} is one that the program says`, () => checkMessages(file, least));
}

function checkMessages(file: string, least: number): void {
  const files = ['src/**/*.ts', '.github/workflows/*.yml'];
  const texts = files
    .flatMap(pattern => globSync(pattern, { cwd: ROOT }))
    .filter(name => !name.endsWith('.test.ts'))
    .map(name => readFileSync(path.join(ROOT, name), 'utf8'));
  const source = [...texts, ...readBootstrap().map(({ text }) => text)].join('\n');
  const page = readFileSync(path.join(ROOT, file), 'utf8');
  const cells = [...page.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
  const messages = cells.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message));
  assert.ok(messages.length >= least, `${messages.length}`);
  const unknown = messages.filter(message => !FOREIGN.includes(message) && !source.includes(message));
  assert.deepEqual(unknown, []);
}
