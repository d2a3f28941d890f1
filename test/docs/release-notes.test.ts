import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import binaries from '../../scripts/image/node-binaries.json' with { type: 'json' };
import { notesOf } from '../../scripts/release/notes.ts';
import { ROOT } from '../support/command.ts';

const CHANGELOG = `# Changelog

## Unreleased

## [0.2.0] - 2026-12-01

### Added

- Two

## 0.1.0

- One
`;

test('the notes of a release are its section of the changelog', () => {
  assert.equal(notesOf(CHANGELOG, '0.2.0'), '## Added\n\n- Two\n');
  assert.equal(notesOf(CHANGELOG, '0.1.0'), '- One\n');
  assert.equal(notesOf(CHANGELOG, 'Unreleased'), undefined);
  assert.equal(notesOf(CHANGELOG, '0.1'), undefined);
});

test("this project's changelog has notes of what is released next", async () => {
  const own = await readFile(path.join(ROOT, 'CHANGELOG.md'), 'utf8');
  const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  assert.ok(notesOf(own, 'Unreleased') ?? notesOf(own, version));
});

test("the Node.js of Weighbridge's own image is the one that the tests run on", async () => {
  const lock = JSON.parse(await readFile(path.join(ROOT, 'package-lock.json'), 'utf8'));
  assert.equal(binaries.version, lock.packages['node_modules/node'].version);
});
