import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAuthority, type KeyPair } from '../../src/testkit/authority.ts';
import { type EmbeddedHub, startHub } from '../../src/testkit/hub.ts';
import { type EmbeddedRegistry, startRegistry } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { BASE_REPOSITORY, MODEL_FILES, putBase } from '../support/world.ts';

// A network in which everything has certificates of the company's own authority. `localhost` is spoken to over HTTP always,
// so the servers go by another address of this machine.
const HOST = '0.0.0.0';
const company = createAuthority('Company Root');
const clients = createAuthority('Clients Root');
const robot = clients.issue('robot');

interface Network {
  readonly hub: EmbeddedHub;
  /** One wants a client certificate; its neighbor does not. */
  readonly registries: readonly [EmbeddedRegistry, EmbeddedRegistry];
  readonly home: string;
  readonly run: (...args: string[]) => ReturnType<typeof weighbridge>;
  putCertificates(registry: EmbeddedRegistry, files: Readonly<Record<string, string>>): Promise<string>;
}

async function start(t: TestContext, variables: Readonly<Record<string, string>> = {}): Promise<Network> {
  const tls = company.issue(HOST);
  const hub = await startHub({ host: HOST, tls });
  const registries = [
    await startRegistry({ host: HOST, tls: { ...tls, clientCa: clients.cert } }),
    await startRegistry({ host: HOST, tls }),
  ] as const;
  t.after(() => Promise.all([hub.close(), ...registries.map(registry => registry.close())]));
  // Large enough for the bytes to be moved by worker threads.
  const files = { ...MODEL_FILES, 'model-00001-of-00003.safetensors': Buffer.alloc(9_000_000, 1) };
  await hub.addModel({ id: 'acme/x', files });
  for (const registry of registries) putBase(registry, 'v0.6.0');
  const home = await temporaryFolder(t);
  await writeFile(path.join(home, 'company.pem'), company.cert);
  const [one, two] = registries.map(({ host }) => host);
  await writeFile(
    path.join(home, 'models.yaml'),
    `registries: { one: '${one}/acme', two: '${two}/acme' }
defaults: { base_image: '${two}/${BASE_REPOSITORY}:v0.6.0' }
models: [{ id: acme/x, short: x }]
`,
  );
  const env = {
    ...{ HF_ENDPOINT: hub.url, HOME: home, SSL_CERT_DIR: home, NODE_EXTRA_CA_CERTS: undefined },
    ...{ SSL_CERT_FILE: path.join(home, 'company.pem'), XDG_CONFIG_HOME: undefined, ...variables },
  };
  return {
    ...{ hub, registries, home },
    run: (...args) => weighbridge(args, { cwd: home, env }),
    async putCertificates({ host }, certificates) {
      const folder = path.join(home, '.config/containers/certs.d', host);
      await mkdir(folder, { recursive: true });
      for (const [name, text] of Object.entries(certificates)) await writeFile(path.join(folder, name), text);
      return folder;
    },
  };
}

function pairFiles({ key, cert }: KeyPair): Readonly<Record<string, string>> {
  return { 'client.cert': cert, 'client.key': key };
}

test('a model goes through a network with an authority of its own, all threads of it, and is read back', {
  skip: onlyLong,
}, async t => {
  const { registries, run, putCertificates, home } = await start(t);
  const [one, two] = registries;
  const folder = await putCertificates(one, pairFiles(robot));
  const doctor = await run('doctor');
  assert.equal(doctor.status, 0, doctor.stdout + doctor.stderr);
  assert.ok(doctor.stdout.includes(`SSL_CERT_FILE: ${path.join(home, 'company.pem')}`), doctor.stdout);
  assert.ok(doctor.stdout.replace(/\s+/g, ' ').includes(`a client certificate in ${folder}`), doctor.stdout);
  const published = await run('publish');
  assert.equal(published.status, 0, published.stderr);
  assert.ok(one.log.every(({ client }) => client === 'robot'));
  assert.ok(two.log.every(({ client }) => client === undefined));
  for (const { host } of registries) {
    const verified = await run('verify', '--deep', `${host}/acme/hf-x:v0.6.0-fat`);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  }
});

test('half a client certificate stops its registry alone, and its file is named', async t => {
  const { registries, run, putCertificates } = await start(t);
  const [one, two] = registries;
  const folder = await putCertificates(one, { 'client.cert': robot.cert });
  const published = await run('publish');
  assert.equal(published.status, 1);
  assert.match(
    published.stdout.replace(/\s+/g, ' '),
    new RegExp(`${folder}/client\\.cert has no client\\.key beside it`),
  );
  assert.equal(one.log.length, 0);
  assert.ok(two.manifest('acme/hf-x', 'v0.6.0-fat'));
  const doctor = await run('doctor');
  assert.equal(doctor.status, 1);
  assert.match(doctor.stdout, /✗ registry one: [\s\S]*has no client\.key[\s\S]*1 problem keeps/);
});

test('without the authority nothing is trusted, and doctor says what to do', async t => {
  const { run } = await start(t, { SSL_CERT_FILE: '/nowhere/ca.pem', SSL_CERT_DIR: '/dev/null' });
  const doctor = await run('doctor');
  assert.equal(doctor.status, 1);
  const said = doctor.stdout.replace(/\s+/g, ' ');
  assert.match(said, /✗ Hub: .*is not trusted .*; SSL_CERT_FILE: \/nowhere\/ca\.pem cannot be read/);
  assert.match(said, /`update-ca-certificates`/);
  assert.match(said, /✗ registry two: .* is not trusted .*\/certs\.d\/0\.0\.0\.0:\d+\/ca\.crt/);
});
