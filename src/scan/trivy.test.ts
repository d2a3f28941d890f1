import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Trivy } from './trivy.ts';

test('Trivy gets its own settings, and no token of the Hub, of CI or of a registry', async t => {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-trivy-'));
  t.after(() => rm(folder, { recursive: true }));
  const [trivy, seen] = [path.join(folder, 'trivy'), path.join(folder, 'env')];
  await writeFile(trivy, `#!/bin/sh\nenv > '${seen}'\necho '{"Version":"0.74.0"}'\n`);
  await chmod(trivy, 0o755);
  const secrets = { HF_TOKEN: 'planted', GITHUB_TOKEN: 'planted', COSIGN_PASSWORD: 'planted' };
  const env = { PATH: process.env.PATH, TRIVY_CACHE_DIR: '/cache', ...secrets };
  assert.equal((await new Trivy(trivy, env).version()).version, '0.74.0');
  const text = await readFile(seen, 'utf8');
  assert.match(text, /^TRIVY_CACHE_DIR=\/cache$/m);
  assert.doesNotMatch(text, /planted/);
});
