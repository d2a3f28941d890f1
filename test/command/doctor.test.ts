import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('doctor says what works, and what to do about what does not', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const env = { HF_ENDPOINT: world.hub.url, SSL_CERT_FILE: path.join(folder, 'none'.repeat(40)) };
  await writeFile(file, world.config('acme/x'));
  const right = await weighbridge(['doctor', '-c', file], { env });
  assert.equal(right.status, 0, right.stdout + right.stderr);
  for (const line of [
    /✓ Node\.js: 2/,
    /✓ .*models\.yaml: 1 model/,
    /✓ Hub, acme\/x: readable at/,
    /✓ Hub: .* no token is set/,
    /✓ registry r0: .* accepts pushes to .* without a login/,
    /✓ base image .*: linux\/amd64/,
    /\n\nEverything that `publish` needs works\.\n$/,
  ])
    assert.match(right.stdout, line);
  // A long line goes on below its text, not below its mark.
  const [list = ''] = right.stdout.split('\n\n');
  for (const line of list.split('\n')) assert.match(line, /^(?:[✓✗-] | {2,})\S/);

  // Everything is wrong: a model that is not there, a registry that is down, one that only lets pull, a base that does not exist.
  await using closed = await startRegistry({
    auth: { kind: 'bearer', user: 'ci', password: 'p', anonymousPull: true },
  });
  await writeFile(
    file,
    `registries: { lab: "127.0.0.1:9/acme", closed: "${closed.host}/acme" }\ndefaults: { base_image: "${world.registry(0).host}/no/such:v1" }\nmodels: [{ id: acme/none, short: x }]\n`,
  );
  const wrong = await weighbridge(['doctor', '-c', file, '--json'], { env });
  assert.equal(wrong.status, 1);
  const { checkups } = JSON.parse(wrong.stdout) as {
    checkups: { name: string; status: string; remedy?: string }[];
  };
  const failed = checkups.filter(({ status }) => status === 'failed');
  const names = failed.map(({ name }) => name);
  for (const name of [
    'Hub, acme/none',
    'registry lab',
    'registry closed',
    `base image ${world.registry(0).host}/no/such:v1`,
  ])
    assert.ok(names.includes(name), names.join());
  assert.ok(failed.every(({ remedy }) => remedy !== undefined));

  await writeFile(file, 'models: [');
  const broken = await weighbridge(['doctor', '-c', file], { env });
  assert.equal(broken.status, 1);
  assert.match(broken.stdout, /✗ .*models\.yaml: line 1: not valid YAML[\s\S]*weighbridge validate/);
  assert.match(broken.stdout, /\n\n1 problem keeps `publish` from working\.\n$/);
});
