import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { startHub } from '../../src/testkit/hub.ts';
import { sampleModelFiles } from '../../src/testkit/sample-model.ts';
import { ROOT, weighbridge } from '../support/command.ts';

const ID = 'deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B';

test('the first models.yaml, unchanged, gives the names and tags that its users know', async () => {
  await using hub = await startHub();
  const sha = await hub.addModel({ id: ID, files: await sampleModelFiles({ license: 'mit' }) });
  const env = { HF_ENDPOINT: hub.url, GITHUB_REPOSITORY_OWNER: '13fragments' };
  const { status, stdout, stderr } = await weighbridge(['plan', '--json'], { env });
  assert.equal(status, 0, stderr);
  const [model] = JSON.parse(stdout).models;
  assert.equal(model.id, ID);
  assert.equal(model.revision, sha);
  assert.equal(model.decisions.fat.build, true);
  const name = 'hf-deepseek-r1-distill-qwen-15b';
  const expected = ['ghcr.io/13fragments', 'docker.io/13fragments'].flatMap(prefix =>
    ['slim', 'fat'].map(variant => [
      `${prefix}/${name}:v0.6.0-${variant}`,
      `${prefix}/${name}:r${sha}-${variant}`,
      `${prefix}/${name}:v0.6.0-r${sha.slice(0, 8)}-${variant}`,
    ]),
  );
  const tags = model.images.map((image: { tags: string[] }) => image.tags);
  assert.deepEqual(tags.sort(), expected.sort());
  const yaml = parse(await readFile(path.join(ROOT, 'models.yaml'), 'utf8'));
  assert.ok(!('registries' in yaml));
});
