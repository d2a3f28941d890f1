import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { startHub } from '../../src/testkit/hub.ts';
import { startRegistry } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { BASE_REPOSITORY, MODEL_FILES, putBase } from '../support/world.ts';

test('images with their model signature as a file: published, planned without the key, built, verified', {
  skip: onlyLong,
}, async t => {
  const folder = await temporaryFolder(t);
  await using hub = await startHub();
  await using registry = await startRegistry();
  putBase(registry, 'v0.6.0');
  await hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(path.join(folder, 'key.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const signing = 'signing: { mode: required, key: "env://SIGNING_KEY", model_signature_file: true }\n';
  const rest = `registries: { lab: ${registry.host}/acme }
defaults: { base_image: "${registry.host}/${BASE_REPOSITORY}:v0.6.0" }
models: [{ id: acme/x, short: x }]
`;
  await writeFile(path.join(folder, 'models.yaml'), signing + rest);
  const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder };
  const withKey = { ...env, SIGNING_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
  const run = async (args: readonly string[], variables: Record<string, string> = env) => {
    const result = await weighbridge(args, { env: variables, cwd: folder });
    return { ...result, said: result.stdout + result.stderr };
  };
  const json = async (args: readonly string[], variables?: Record<string, string>) => {
    const { status, stdout, said } = await run([...args, '--json'], variables);
    assert.equal(status, 0, said);
    return JSON.parse(stdout);
  };
  const imagesOf = (document: {
    models: { images: { variant: string; status: string; digest: string }[] }[];
  }) => document.models.flatMap(({ images }) => images);
  const statuses = (document: Parameters<typeof imagesOf>[0]) =>
    imagesOf(document).map(({ status }) => status);

  const published = await json(['publish'], withKey);
  assert.deepEqual(statuses(published), ['published', 'published']);
  assert.deepEqual(statuses(await json(['publish'], withKey)), ['unchanged', 'unchanged']);
  assert.deepEqual(statuses(await json(['publish', '--dry-run'])), ['unchanged', 'unchanged']);

  // A layout has what a registry would have.
  const built = await json(['build', '--output', 'oci:out'], withKey);
  const digests = (document: Parameters<typeof imagesOf>[0]) =>
    imagesOf(document).map(({ digest }) => digest);
  assert.deepEqual(digests(built), digests(published));

  const verified = await run(['verify', '-c', 'models.yaml']);
  assert.equal(verified.status, 0, verified.said);
  const image = `${registry.host}/acme/hf-x:v0.6.0-fat`;
  const signed = await run(['verify', '--signed', '--policy', 'strict', '--key', 'key.pub', image]);
  assert.equal(signed.status, 0, signed.said);
  assert.match(signed.stdout, /verified +model signature \(\/models\/x\/model\.sig\)/);
  const inspected = await json(['inspect', image]);
  assert.equal(inspected.images[0].files.length, 7);
  assert.ok(inspected.images[0].layers.some(({ kind }: { kind: string }) => kind === 'signature'));
});
