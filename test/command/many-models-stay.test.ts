import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHub } from '../../src/testkit/hub.ts';
import { startRegistry } from '../../src/testkit/registry.ts';
import { accountIn } from '../support/account.ts';
import { fillRegistry, writeSampleConfig } from '../support/catalog-world.ts';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';

const MODELS = 1000;
/** About the model and twice for its config.json, which the Hub redirects to. */
const HUB_REQUESTS = 3;
const SHARED_REQUESTS = 10;
/** The list of tags; of three images each of their two tags, a manifest and what refers to it, and scans of most. */
const REGISTRY_REQUESTS = 23;

test(`${MODELS} models: update asks once about each, and prune --dry-run reads each manifest once`, {
  skip: IS_LONG ? false : 'the long form has it (WEIGHBRIDGE_LONG=1)',
}, async t => {
  await using hub = await startHub();
  await using registry = await startRegistry();
  const models = fillRegistry(registry, 'acme', MODELS);
  for (const { id } of models) {
    const files = { 'README.md': '---\nlicense: apache-2.0\n---\n', 'config.json': `{"n":"${id}"}` };
    await hub.addModel({ id, files: { ...files, 'model.safetensors': 'x' } });
  }
  const folder = await temporaryFolder(t);
  const file = await writeSampleConfig(folder, { lab: `${registry.host}/acme` }, models);
  const account = accountIn(folder);
  const env = { HF_ENDPOINT: hub.url, ...account.env };
  const timed = async (...args: string[]) => {
    const [atHub, atRegistry] = [hub.log.length, registry.log.length];
    const startMs = performance.now();
    const result = await weighbridge([...args, '-c', file], { env });
    assert.equal(result.status, 0, result.stderr.slice(-2000));
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    const counts = { hub: hub.log.length - atHub, registry: registry.log.length - atRegistry };
    const per = [counts.hub, counts.registry].map(count => (count / MODELS).toFixed(2));
    const { cpuSeconds } = await account.read();
    t.diagnostic(
      `${args[0]}: ${seconds} s, ${cpuSeconds.toFixed(1)} s of CPU; requests a model: ${per[0]} at the Hub, ${per[1]} at the registry`,
    );
    return { ...result, counts };
  };
  await timed('plan', '--lock', '--json');
  const update = await timed('update', '--dry-run', '--json');
  assert.ok(update.counts.hub <= MODELS * HUB_REQUESTS + SHARED_REQUESTS, `${update.counts.hub} requests`);
  const prune = await timed('prune', '--keep', '1', '--json');
  assert.ok(prune.counts.hub <= MODELS * HUB_REQUESTS + SHARED_REQUESTS, `${prune.counts.hub} requests`);
  assert.ok(prune.counts.registry <= MODELS * REGISTRY_REQUESTS, `${prune.counts.registry} requests`);
  const { repositories } = JSON.parse(prune.stdout) as { repositories: { removed: unknown[] }[] };
  assert.equal(repositories.filter(({ removed }) => removed.length > 0).length, MODELS);
});
