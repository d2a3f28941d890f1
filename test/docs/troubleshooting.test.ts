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

test('every message in docs/troubleshooting.md is one that the program says', () => {
  const files = ['src/**/*.ts', '.github/workflows/*.yml'];
  const texts = files
    .flatMap(pattern => globSync(pattern, { cwd: ROOT }))
    .filter(file => !file.endsWith('.test.ts'))
    .map(file => readFileSync(path.join(ROOT, file), 'utf8'));
  const source = [...texts, ...readBootstrap().map(({ text }) => text)].join('\n');
  const page = readFileSync(path.join(ROOT, 'docs/troubleshooting.md'), 'utf8');
  const cells = [...page.matchAll(/^\| (.*?) \|/gm)].map(([, cell = '']) => cell);
  const messages = cells.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, message = '']) => message));
  assert.ok(messages.length > 25, `${messages.length}`);
  const unknown = messages.filter(message => !FOREIGN.includes(message) && !source.includes(message));
  assert.deepEqual(unknown, []);
});
