import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { createAuthority } from '../testkit/authority.ts';
import { HttpClient } from './client.ts';
import { listen, serve } from './loopback.fixtures.ts';
import { readSystemAuthorities } from './system-authorities.ts';

const company = createAuthority('Company Root');
const other = createAuthority('Other Root');
const NO_STORE = { SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: '/dev/null' };

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-authorities-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A server of the company. */
async function serveTls(t: TestContext, listener: https.ServerOptions & { location?: string } = {}) {
  const { location, ...options } = listener;
  const server = https.createServer({ ...company.issue('localhost'), ...options }, (_, response) => {
    if (location === undefined) response.end('here');
    else response.writeHead(302, { location }).end();
  });
  server.on('tlsClientError', () => undefined);
  const { port } = await listen(t, server, 'localhost');
  return { server, url: `https://localhost:${port}/` };
}

function client(t: TestContext, env: NodeJS.ProcessEnv): HttpClient {
  const http = new HttpClient({ env, retry: { attempts: 1 } });
  t.after(() => http.close());
  return http;
}

const get = (url: string) => ({ method: 'GET', url, purpose: 'reading a test' }) as const;

test('what SSL_CERT_FILE and SSL_CERT_DIR name is read as OpenSSL and Go read it', async t => {
  const folder = await folderOf(t);
  const bundle = path.join(folder, 'bundle.pem');
  const trusted = company.cert.replaceAll('CERTIFICATE', 'TRUSTED CERTIFICATE');
  writeFileSync(bundle, `# Company Root\r\n${company.cert.replaceAll('\n', '\r\n')}\n${trusted}`);
  const more = path.join(folder, 'certs');
  mkdirSync(path.join(more, 'below'), { recursive: true });
  writeFileSync(path.join(more, 'other.crt'), other.cert);
  writeFileSync(path.join(more, 'again.txt'), `${other.cert}${other.cert}`);
  symlinkSync('other.crt', path.join(more, '0123abcd.0'));
  symlinkSync('nothing.crt', path.join(more, 'gone.crt'));
  const store = readSystemAuthorities({
    SSL_CERT_FILE: bundle,
    SSL_CERT_DIR: `${more}${path.delimiter}${folder}/none`,
  });
  assert.equal(store.certificates.length, 2);
  assert.deepEqual(store.sources, [`SSL_CERT_FILE: ${bundle}`, `SSL_CERT_DIR: ${more}`]);
  assert.deepEqual(store.troubles, [`SSL_CERT_DIR: ${folder}/none cannot be read: there is no such file`]);
});

test('an unreadable store is reported; entries of a folder that are not files are skipped, and a named pipe does not block', async t => {
  const folder = await folderOf(t);
  execFileSync('mkfifo', [path.join(folder, 'pipe')]);
  symlinkSync('/dev/zero', path.join(folder, 'zero'));
  writeFileSync(path.join(folder, 'zz.crt'), company.cert);
  writeFileSync(path.join(folder, 'large'), '');
  truncateSync(path.join(folder, 'large'), 2 ** 32);
  const { certificates, troubles } = readSystemAuthorities({ SSL_CERT_FILE: folder, SSL_CERT_DIR: folder });
  assert.equal(certificates.length, 1);
  assert.deepEqual(troubles, [
    `SSL_CERT_FILE: ${folder} cannot be read: it is a folder`,
    `${path.join(folder, 'large')} cannot be read: it is larger than 8388608 bytes`,
  ]);
  assert.deepEqual(readSystemAuthorities(NO_STORE).certificates, []);
});

test("the system's store is read without being named, and its sources are told", () => {
  const { certificates, sources, troubles } = readSystemAuthorities({});
  assert.ok(certificates.length > 0);
  assert.ok(sources.length > 0);
  assert.deepEqual(troubles, []);
});

test('a server of an authority of the system is believed, and its store is not read before one has to be', async t => {
  const file = path.join(await folderOf(t), 'store.pem');
  const http = client(t, { SSL_CERT_FILE: file, SSL_CERT_DIR: '/dev/null' });
  const plain = await serve(t, (_, response) => response.end('plain'));
  assert.equal((await http.request(get(plain.url))).status, 200);
  // What is not certificates leaves the others good.
  const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  writeFileSync(file, `${broken}${company.cert}${broken}`);
  const { url } = await serveTls(t);
  assert.equal((await http.request(get(url))).status, 200);
  await assert.rejects(client(t, NO_STORE).request(get(url)), /is not trusted/);
  writeFileSync(file, createAuthority('Company Root').cert);
  const older = client(t, { SSL_CERT_FILE: file, SSL_CERT_DIR: '/dev/null' });
  await assert.rejects(older.request(get(url)), /is not trusted \(CERT_SIGNATURE_FAILURE\)$|; SSL_CERT_DIR/);
});

test('a store that cannot be read is named where a server is not believed, with what to do', async t => {
  const { url } = await serveTls(t);
  const env = { SSL_CERT_FILE: '/nowhere/ca.pem' };
  await assert.rejects(client(t, env).request(get(url)), {
    message: new RegExp(
      `^reading a test: the certificate of ${new URL(url).host} is not trusted \\(\\w+\\); ` +
        'SSL_CERT_FILE: /nowhere/ca\\.pem cannot be read: there is no such file$',
    ),
    remedy: /^Install .*`update-ca-certificates`.* NODE_EXTRA_CA_CERTS\.$/,
  });
});

test('a proxy at an https address is believed by the same authorities, whatever goes through it', async t => {
  const store = path.join(await folderOf(t), 'store.pem');
  writeFileSync(store, company.cert);
  const authorities = tls.getCACertificates('default');
  t.after(() => tls.setDefaultCACertificates(authorities));
  const { server, url } = await serveTls(t);
  const target = await serveTls(t, company.issue('hub.example'));
  server.on('connect', (_, socket) => {
    const onward = connect(Number(new URL(target.url).port), 'localhost');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    onward.pipe(socket).pipe(onward);
  });
  for (const [env, isTrusted] of [
    [NO_STORE, false],
    [{ ...NO_STORE, SSL_CERT_FILE: store }, true],
  ] as const) {
    const http = client(t, { ...env, HTTPS_PROXY: url, HTTP_PROXY: url });
    for (const wanted of ['https://hub.example/', 'http://hub.example/']) {
      const answer = http.request(get(wanted)).then(async response => (await response.bytes()).toString());
      if (isTrusted) assert.equal(await answer, 'here', wanted);
      else
        await assert.rejects(
          answer,
          /(?:certificate|that) of the proxy localhost:\d+ \(HTTPS?_PROXY\) is not trusted/,
        );
    }
  }
});
