import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { createServices } from '../../src/engine/services.ts';
import { createAuthority } from '../../src/testkit/authority.ts';
import { startRegistry as startEmbedded } from '../../src/testkit/registry.ts';
import { requireTool, run, temporaryFolder } from '../support/tools.ts';
import { EDITIONS, startRegistry } from './registry.ts';

// What skopeo, and so Podman, makes of `certs.d`, Weighbridge does too, for each case with the same folder.

const HOST = '0.0.0.0';
const company = createAuthority('Company Root');
const clients = createAuthority('Clients Root');
const robot = clients.issue('robot');
const ca = { 'ca.crt': company.cert };
const pair = { 'client.cert': robot.cert, 'client.key': robot.key };

const encrypted = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' })
  .toString();

/** The files of a folder, and whether the registry is reached with them; `HOST` is the registry's folder. */
const CASES: readonly (readonly [string, Readonly<Record<string, string>>, boolean])[] = [
  ['nothing', {}, false],
  ['the authority, no client certificate', ca, false],
  ['both', { ...ca, ...pair }, true],
  [
    'several authorities, the right one last',
    { 'a.crt': clients.cert, 'z.crt': company.cert, ...pair },
    true,
  ],
  ['the authority in a bundle', { 'x.crt': `# two\n${clients.cert}\n${company.cert}`, ...pair }, true],
  ['an authority under another ending', { 'ca.pem': company.cert, ...pair }, false],
  ['an authority that is no text beside the right one', { ...ca, 'der.crt': '\x30\x82\x01', ...pair }, true],
  ['an empty file beside the right one', { ...ca, 'empty.crt': '', ...pair }, true],
  ['a link to nothing beside the right one', { ...ca, 'gone.crt': '-> nothing', ...pair }, true],
  ['a certificate without its key', { ...ca, 'client.cert': robot.cert }, false],
  ['a key without its certificate', { ...ca, 'client.key': robot.key }, false],
  ['the key of another', { ...ca, 'client.cert': robot.cert, 'client.key': clients.issue('x').key }, false],
  ['a key with a passphrase', { ...ca, 'client.cert': robot.cert, 'client.key': encrypted }, false],
  ['a certificate of an authority that the registry does not know', { ...ca, ...renamed() }, false],
  ['another name for the pair', { ...ca, 'x.cert': robot.cert, 'x.key': robot.key }, true],
  ['other files', { ...ca, ...pair, 'README.md': 'x', 'ca.crt.bak': 'x' }, true],
];

function renamed(): Readonly<Record<string, string>> {
  const stranger = company.issue('stranger');
  return { 'client.cert': stranger.cert, 'client.key': stranger.key };
}

/** Of a user on a machine whose store is empty. */
function environment(home: string) {
  return { HOME: home, SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: home };
}

/** Whether each of the two reaches the registry as the user with this home. */
async function reach(home: string, host: string): Promise<{ skopeo: boolean; weighbridge: boolean }> {
  const env = environment(home);
  const { status, stderr } = await run('skopeo', ['list-tags', `docker://${host}/acme/none`], { env });
  const services = createServices({ ...env, WEIGHBRIDGE_RETRY_SECONDS: '0' }, () => undefined);
  try {
    const tags = await services.openRepository(`${host}/acme/none`, 'pull').listTags(5);
    assert.deepEqual(tags, []);
    return { skopeo: isReached(status, stderr), weighbridge: true };
  } catch {
    return { skopeo: isReached(status, stderr), weighbridge: false };
  } finally {
    services.http.close();
  }
}

/** The repository does not exist: that it says so is enough. */
function isReached(status: number | null, stderr: string): boolean {
  return status === 0 || /404|name unknown|not known to registry/i.test(stderr);
}

async function fill(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    if (text.startsWith('-> ')) await symlink(text.slice(3), file);
    else await writeFile(file, text);
  }
}

test('what skopeo reaches with a folder in certs.d, Weighbridge reaches', {
  skip: requireTool('skopeo'),
}, async t => {
  const tls = { ...company.issue(HOST), clientCa: clients.cert };
  await using registry = await startEmbedded({ host: HOST, tls });
  for (const [title, files, isReachable] of CASES) {
    const home = await temporaryFolder(t);
    await fill(path.join(home, '.config/containers/certs.d', registry.host), files);
    const expected = { skopeo: isReachable, weighbridge: isReachable };
    assert.deepEqual(await reach(home, registry.host), expected, title);
  }
  const home = await temporaryFolder(t);
  const certificates = path.join(home, '.config/containers/certs.d');
  await fill(path.join(certificates, HOST), { ...ca, ...pair });
  assert.deepEqual(
    await reach(home, registry.host),
    { skopeo: false, weighbridge: false },
    'without its port',
  );
});

for (const { edition, skip } of EDITIONS) {
  test(`${edition} that wants a client certificate`, { skip: skip() || requireTool('skopeo') }, async t => {
    const tls = { ...company.issue(HOST), clientCa: clients.cert, client: robot };
    const registry = await startRegistry({ edition, tls });
    t.after(() => registry.stop());
    for (const [files, isReachable] of [
      [ca, false],
      [{ ...ca, ...renamed() }, false],
      [{ ...ca, ...pair }, true],
    ] as const) {
      const home = await temporaryFolder(t);
      await fill(path.join(home, '.config/containers/certs.d', registry.host), files);
      const expected = { skopeo: isReachable, weighbridge: isReachable };
      assert.deepEqual(await reach(home, registry.host), expected);
      if (isReachable) continue;
      const services = createServices(
        { ...environment(home), WEIGHBRIDGE_RETRY_SECONDS: '0' },
        () => undefined,
      );
      const asking = services.openRepository(`${registry.host}/acme/none`, 'pull').listTags(5);
      await assert.rejects(asking, { code: 'REGISTRY_UNAUTHORIZED', message: /or requires one$/ });
      services.http.close();
    }
  });
}
