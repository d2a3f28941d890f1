import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/command.ts';

/** Runs whatever a registry has under a name, by the name alone: anybody can take one that is free. */
const BARE = /\b(?:npx|bunx|pnpx|npm exec|pnpm dlx|yarn dlx)\b(?! --no-install)/;

test('nothing that is printed, documented or run in CI runs a package by its bare name', async () => {
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0');
  const found: string[] = [];
  for (const file of files.filter(name => /\.(?:md|ya?ml|ts|sh|json)$|Makefile$/.test(name))) {
    // Tests have doubles of it, and of what older versions printed.
    if (/^test\/|\.test\.ts$|^package-lock\.json$/.test(file)) continue;
    const lines = (await readFile(path.join(ROOT, file), 'utf8')).split('\n');
    lines.forEach((line, index) => {
      if (BARE.test(line)) found.push(`${file}:${index + 1}: ${line.trim()}`);
    });
  }
  assert.deepEqual(found, []);
});
