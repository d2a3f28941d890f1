import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startWeighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';
import { until } from '../support/until.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('Ctrl-C in a build says what is done and what is not, as in a publish', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'models.yaml'), world.config('acme/x'));
  // The fat image waits for its weights; the slim one has none.
  world.hub.faults.add({ match: ({ origin }) => origin === 'cdn', kind: 'stall', afterBytes: 0, times: 100 });
  const child = startWeighbridge(['build', '-o', 'oci:out'], {
    cwd: folder,
    env: { HF_ENDPOINT: world.hub.url },
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const output = text(child.stdout);
  const closed = once(child, 'close');
  await until(
    () => world.hub.log.some(({ origin }) => origin === 'cdn') && said.includes('licences: '),
    child,
  );
  child.kill('SIGINT');
  assert.deepEqual(await closed, [130, null], said);
  assert.match(said, /weighbridge: interrupted\n[\s\S]* not done:\n(.*\n)* {4}oci:out:v0\.6\.0-fat\n/);
  assert.equal(await output, '');
});
