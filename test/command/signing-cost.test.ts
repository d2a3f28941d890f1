import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { BASE_REPOSITORY, MODEL_FILES, putBase } from '../support/world.ts';

const MODELS = 100;
const IMAGES = 2 * MODELS;
/**
 * What signing an image costs on a registry with the tag schema. Five statements, each a blob (asked for, begun, sent) and
 * a manifest; the empty config; the image as it is there and its list of files; the list under the tag, read, written
 * and read again, twice.
 */
const REQUESTS_AN_IMAGE = 40;
/**
 * One that is signed as it should be: list and signature of the image, before it is believed and before it is left; and
 * the bundles of its other statements.
 */
const REQUESTS_UNCHANGED = 16;

test(`${MODELS} models: what signing costs besides publishing`, {
  skip: IS_LONG ? false : 'the long form has it (WEIGHBRIDGE_LONG=1)',
}, async t => {
  await using hub = await startHub();
  const names = Array.from({ length: MODELS }, (_, index) => `m${index}`);
  for (const name of names)
    await hub.addModel({ id: `acme/${name}`, files: { ...MODEL_FILES, 'n.json': `"${name}"` } });
  const folder = await temporaryFolder(t);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const env = {
    HF_ENDPOINT: hub.url,
    DOCKER_CONFIG: folder,
    SIGNING_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  };
  const models = names.map(name => `  - { id: acme/${name}, short: ${name} }\n`).join('');
  const publish = async (registry: EmbeddedRegistry, signing: string) => {
    const file = path.join(folder, 'models.yaml');
    const base = `defaults: { base_image: "${registry.host}/${BASE_REPOSITORY}:v0.6.0" }\n`;
    await writeFile(file, `registries: { lab: ${registry.host}/acme }\n${base}${signing}models:\n${models}`);
    const before = registry.log.length;
    const startMs = performance.now();
    const result = await weighbridge(['publish', '--json', '-c', file], { env });
    assert.equal(result.status, 0, result.stderr.slice(-2000));
    return { seconds: (performance.now() - startMs) / 1000, requests: registry.log.length - before };
  };
  await using plain = await startRegistry({ quirks: { referrers: false } });
  await using signing = await startRegistry({ quirks: { referrers: false } });
  for (const registry of [plain, signing]) putBase(registry, 'v0.6.0');
  const key = 'signing: { mode: required, key: "env://SIGNING_KEY" }\n';
  const unsigned = await publish(plain, '');
  const signed = await publish(signing, key);
  const [idle, idleSigned] = [await publish(plain, ''), await publish(signing, key)];
  const tell = (what: string, a: typeof unsigned, b: typeof unsigned): number => {
    const more = (b.requests - a.requests) / IMAGES;
    t.diagnostic(
      `${what}: ${a.seconds.toFixed(1)} s unsigned, ${b.seconds.toFixed(1)} s signed (ratio ${(b.seconds / a.seconds).toFixed(2)}); ${more.toFixed(1)} requests more an image`,
    );
    return more;
  };
  assert.ok(tell('first publish', unsigned, signed) <= REQUESTS_AN_IMAGE);
  assert.ok(tell('nothing to do', idle, idleSigned) <= REQUESTS_UNCHANGED);
});
