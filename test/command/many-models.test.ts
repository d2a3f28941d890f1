import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { accountIn } from '../support/account.ts';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { BASE_REPOSITORY, LOGIN, putBase } from '../support/world.ts';

const MODELS = IS_LONG ? 1000 : 20;
/**
 * Requests that a model with nothing to do may cost: at the Hub one about it and two for its config.json (the Hub
 * redirects); six tags and a token at its registry. The card is the same for all of them.
 */
const HUB_REQUESTS = 3;
const SHARED_HUB_REQUESTS = 2;
const REGISTRY_REQUESTS = 7;
/** What the run costs beside: the base image, and the first answers that say how to log in. */
const SHARED_REQUESTS = 60;
/**
 * For a thousand models as for one: of a model that is done little is kept. The package takes 190 to 200 MiB (bench); from its
 * sources, whose types are stripped at the start, it is 208 to 238, the more the busier the machine is.
 */
const MAX_PEAK_MIB = 275;

test(`${MODELS} models with nothing to do: few requests, and the Hub's limits are waited out`, async t => {
  await using hub = await startHub({ rateLimits: { api: Math.ceil(MODELS * 0.75), windowMs: 4000 } });
  await using registry = await startRegistry({ auth: { kind: 'bearer', ...LOGIN, anonymousPull: true } });
  putBase(registry, 'v0.6.0');
  const names = Array.from({ length: MODELS }, (_, index) => `m${index}`);
  for (const name of names) {
    await hub.addModel({
      id: `acme/${name}`,
      files: { 'README.md': CARD, 'config.json': `{"n":"${name}"}` },
    });
  }
  const folder = await temporaryFolder(t);
  const file = await writeModels(folder, registry, names);
  const account = accountIn(folder);
  const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder, ...account.env };

  const first = await weighbridge(['publish', '--config', file, '--json'], { env });
  assert.equal(first.status, 0, first.stderr.slice(-2000));
  const { peakMiB } = await account.read();
  const hubStart = hub.log.length;
  const registryStart = registry.log.length;
  // Whatever the machine's speed: these are turned away, others where they come too fast.
  hub.faults.add({
    match: /^GET hub .*\/api\/models/,
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '1' },
    times: 3,
  });
  const startMs = performance.now();
  const again = await weighbridge(['publish', '--config', file, '--json'], { env });
  const seconds = (performance.now() - startMs) / 1000;
  assert.equal(again.status, 0, again.stderr.slice(-2000));

  const { models } = JSON.parse(again.stdout) as { models: { images: { status: string }[] }[] };
  assert.deepEqual(
    [...new Set(models.flatMap(model => model.images.map(image => image.status)))],
    ['unchanged'],
  );
  const asked = hub.log.slice(hubStart);
  const turnedAway = asked.filter(({ status }) => status === 429).length;
  const atHub = asked.length - turnedAway;
  const atRegistry = registry.log.length - registryStart;
  const peaks = [peakMiB, (await account.read()).peakMiB];
  t.diagnostic(`peak memory: ${peaks.map(peak => peak.toFixed(0)).join(' and ')} MiB`);
  for (const peak of peaks) assert.ok(peak < MAX_PEAK_MIB, `${peak} MiB`);
  t.diagnostic(
    `${seconds.toFixed(1)} s; requests a model: ${atHub / MODELS} at the Hub (and ${turnedAway} turned away in all), ${(atRegistry / MODELS).toFixed(2)} at the registry`,
  );
  assert.ok(atHub <= MODELS * HUB_REQUESTS + SHARED_HUB_REQUESTS, `${atHub} requests at the Hub`);
  assert.ok(
    atRegistry <= MODELS * REGISTRY_REQUESTS + SHARED_REQUESTS,
    `${atRegistry} requests at the registry`,
  );
  assert.ok(turnedAway > 0, 'the limit was not reached');
});

const CARD = '---\nlicense: apache-2.0\n---\n# x\n';

async function writeModels(
  folder: string,
  registry: EmbeddedRegistry,
  names: readonly string[],
): Promise<string> {
  const login = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
  await writeFile(
    path.join(folder, 'config.json'),
    JSON.stringify({ auths: { [registry.host]: { auth: login } } }),
  );
  const file = path.join(folder, 'models.yaml');
  const models = names.map(name => `  - id: acme/${name}\n    short: ${name}\n`).join('');
  const base = `${registry.host}/${BASE_REPOSITORY}:v0.6.0`;
  await writeFile(
    file,
    `registries:\n  lab: ${registry.host}/acme\ndefaults:\n  base_image: ${base}\nmodels:\n${models}`,
  );
  return file;
}
