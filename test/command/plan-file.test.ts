import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { PublishJson } from '../../src/report/json/publish-json.ts';
import { weighbridge } from '../support/command.ts';
import { LIMIT, SHARDED } from '../support/sharded-model.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('a plan from a file is published as it is, also when the branch has moved', async t => {
  await using world = await World.start();
  const planned = await world.hub.addModel({ id: 'acme/x', files: SHARDED });
  await world.hub.addModel({ id: 'acme/y', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const out = path.join(folder, 'made/plan.json');
  const head = `layer_limits: { r0: ${LIMIT} }\n`;
  await writeFile(file, `${head}${world.config('acme/x')}  - { id: acme/y, short: y }\n`);
  const env = { HF_ENDPOINT: world.hub.url, DOCKER_CONFIG: folder };
  const run = (...args: string[]) => weighbridge([...args, '-c', file], { env });

  const plan = await run('plan', '--format', 'github', '--out', out);
  assert.equal(plan.status, 0, plan.stderr);
  assert.equal(JSON.parse(plan.stdout).include.length, 2);
  await world.hub.updateFile('acme/x', 'config.json', '{"model_type":"another"}');
  const before = world.hub.log.length;
  const published = await run('publish', '--plan', out, '--model', 'x', '--json');
  assert.equal(published.status, 0, published.stderr);
  // Files of the planned commit are read, and nothing is asked about the model.
  const asked = world.hub.log.slice(before).map(entry => entry.path);
  assert.deepEqual(
    asked.filter(one => one.includes('acme/') && !one.includes(planned)),
    [],
  );
  const { models } = JSON.parse(published.stdout) as PublishJson;
  assert.deepEqual(
    models.map(model => [model.short, model.revision]),
    [['x', planned]],
  );
  const tags = models[0]?.images.map(image => image.tags[1]?.split(':').at(-1));
  assert.deepEqual(tags, [`r${planned}-slim`, `r${planned}-fat`]);
  assert.equal(world.manifest(0, 'v0.6.0-fat').layers.filter(layer => layer.annotations).length, 5);

  await appendFile(file, '\n');
  const other = await run('publish', '--plan', out);
  assert.equal(other.status, 2);
  assert.match(other.stderr, /plan\.json is the plan of another \S+models\.yaml/);
});
