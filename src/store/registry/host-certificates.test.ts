import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { createAuthority } from '../../testkit/authority.ts';
import { certificateFolders, readHostCertificates } from './host-certificates.ts';

const company = createAuthority('Company Root');
const clients = createAuthority('Clients Root');
const robot = clients.issue('robot');

/** Empty, to be filled with files. */
async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-certs-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
}

test('folders are those of Podman and Docker, those of the user first', {
  skip: process.platform !== 'linux',
}, () => {
  assert.deepEqual(certificateFolders({ HOME: '/home/ann' }, 'registry.lan:5000'), [
    '/home/ann/.config/containers/certs.d/registry.lan:5000',
    '/home/ann/.docker/certs.d/registry.lan:5000',
    '/home/ann/.config/docker/certs.d/registry.lan:5000',
    '/etc/containers/certs.d/registry.lan:5000',
    '/etc/docker/certs.d/registry.lan:5000',
  ]);
  assert.deepEqual(certificateFolders({ XDG_CONFIG_HOME: '/cfg' }, 'ghcr.io'), [
    '/cfg/docker/certs.d/ghcr.io',
    '/etc/containers/certs.d/ghcr.io',
    '/etc/docker/certs.d/ghcr.io',
  ]);
});

test('the first folder that exists counts, whatever is in it', async t => {
  const folder = await temporary(t);
  const [none, first, second] = ['none', 'first', 'second'].map(name => path.join(folder, name)) as [
    ...[string, string, string],
  ];
  assert.equal(readHostCertificates([none, first]), undefined);
  write(second, { 'ca.crt': company.cert, 'x.cert': robot.cert, 'x.key': robot.key });
  const found = readHostCertificates([none, first, second]);
  assert.equal(found?.folder, second);
  assert.equal(found.ca, company.cert.trim());
  assert.ok(found.identity);
  assert.doesNotMatch(
    inspect(found, { depth: 9, showHidden: true }),
    /PRIVATE|BEGIN CERTIFICATE-----\nMII.*robot/,
  );
  assert.doesNotMatch(JSON.stringify(found), /PRIVATE/);
  write(first, { 'README.txt': 'nothing', 'ca.crt.bak': company.cert });
  assert.deepEqual(readHostCertificates([none, first, second]), {
    ...{ folder: first, ca: undefined, identity: undefined, troubles: [] },
  });
});

test('authorities are joined; files without a certificate are told of and change nothing', async t => {
  const folder = await temporary(t);
  write(folder, {
    'a.crt': company.cert,
    'b.crt': `${clients.cert}${company.cert}`,
    'der.crt': '\x30\x82\x01',
  });
  symlinkSync('gone', path.join(folder, 'gone.crt'));
  const { ca, troubles } = readHostCertificates([folder]) ?? {};
  assert.equal(ca?.match(/BEGIN/g)?.length, 3);
  assert.deepEqual(troubles, [
    `${folder}/der.crt has no certificate in PEM form`,
    `${folder}/gone.crt is a link to a file that does not exist`,
  ]);
});

const encrypted = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p' })
  .toString();

const BROKEN: readonly (readonly [string, Readonly<Record<string, string>>, string, RegExp])[] = [
  ['a certificate without its key', { 'x.cert': robot.cert }, 'x.cert', /x\.cert has no x\.key beside it$/],
  ['a key without its certificate', { 'x.key': robot.key }, 'x.key', /x\.key has no x\.cert beside it$/],
  [
    'a key of another certificate',
    { 'x.cert': robot.cert, 'x.key': clients.issue('other').key },
    'x.cert',
    /cannot be used: the key is not that of the certificate$/,
  ],
  [
    'a key with a passphrase',
    { 'x.cert': robot.cert, 'x.key': encrypted },
    'x.cert',
    /the key has a passphrase$/,
  ],
  ['a key file without a key', { 'x.cert': robot.cert, 'x.key': 'hidden' }, 'x.cert', /not in PEM form$/],
  [
    'a certificate file without a certificate',
    { 'x.cert': 'x', 'x.key': robot.key },
    'x.cert',
    /not in PEM form$/,
  ],
];

for (const [title, files, name, message] of BROKEN) {
  test(`${title} is an error that names the file and quotes nothing`, async t => {
    const folder = await temporary(t);
    write(folder, files);
    assert.throws(
      () => readHostCertificates([folder]),
      (error: Error & { subject?: string; code?: string; remedy?: string }) => {
        assert.equal(error.code, 'CONFIG_INVALID');
        assert.equal(error.subject, path.join(folder, name));
        assert.match(error.message, message);
        assert.ok(error.remedy);
        assert.doesNotMatch(inspect(error), /hidden|PRIVATE/);
        return true;
      },
    );
  });
}

test('something that is not a file, or is too large, is an error that names it, and a named pipe does not block', async t => {
  const folder = await temporary(t);
  const pipes = path.join(folder, 'pipes');
  write(pipes, {});
  execFileSync('mkfifo', [path.join(pipes, 'ca.crt')]);
  assert.throws(() => readHostCertificates([pipes]), {
    ...{ code: 'CONFIG_UNREADABLE', subject: path.join(pipes, 'ca.crt'), message: /it is a named pipe/ },
  });
  const large = path.join(folder, 'large');
  write(large, { 'x.cert': robot.cert, 'x.key': '' });
  truncateSync(path.join(large, 'x.key'), 2 ** 32);
  assert.throws(() => readHostCertificates([large]), {
    ...{
      code: 'CONFIG_UNREADABLE',
      subject: path.join(large, 'x.key'),
      message: /larger than 1048576 bytes/,
    },
  });
  const file = path.join(folder, 'file');
  writeFileSync(file, company.cert);
  assert.throws(() => readHostCertificates([file]), { code: 'CONFIG_UNREADABLE', subject: file });
});
