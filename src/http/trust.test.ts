import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import tls, { type TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import { createAuthority } from '../testkit/authority.ts';
import { HttpClient } from './client.ts';
import { listen } from './loopback.fixtures.ts';
import { ClientIdentity } from './trust.ts';

const company = createAuthority('Company Root');
const robot = company.issue('robot');
const identity = new ClientIdentity('robot', robot);
const NO_STORE = { SSL_CERT_FILE: '/dev/null', SSL_CERT_DIR: '/dev/null' };

/** A server that asks for a certificate, and tunnels to wherever `port` says. Its `seen` has who came, and for what. */
async function serveTls(t: TestContext, name: string, port?: () => number) {
  const seen: string[] = [];
  const note = (what: string | undefined, socket: TLSSocket): void => {
    seen.push(`${what} ${socket.getPeerCertificate().subject?.CN}`);
  };
  const options = { ...company.issue(name), requestCert: true, rejectUnauthorized: false };
  const server = https.createServer(options, (request, response) => {
    note(request.headers.host?.split(':')[0], request.socket as TLSSocket);
    response.end('here');
  });
  server.on('connect', ({ url }, socket) => {
    note(url, socket as TLSSocket);
    const onward = connect(port?.() ?? 0, 'localhost');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    onward.pipe(socket).pipe(onward);
    for (const end of [onward, socket]) end.on('error', () => undefined);
  });
  const { port: own } = await listen(t, server, 'localhost');
  return { seen, port: own };
}

test('a certificate goes to the server and not to a proxy before it; what is direct stays so with the same authority', async t => {
  const registry = await serveTls(t, 'registry.example');
  const here = await serveTls(t, 'localhost');
  const proxy = await serveTls(t, 'localhost', () => registry.port);
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-trust-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'ca.pem'), company.cert);
  const authorities = tls.getCACertificates('default');
  const store = { SSL_CERT_FILE: path.join(folder, 'ca.pem'), SSL_CERT_DIR: '/dev/null' };
  const env = { ...store, HTTPS_PROXY: `https://localhost:${proxy.port}` };
  const http = new HttpClient({ env, retry: { attempts: 1 } });
  t.after(() => http.close());
  for (const url of ['https://registry.example/', `https://localhost:${here.port}/`]) {
    const request = { method: 'GET', url, purpose: 'reading a test', ca: company.cert, identity } as const;
    assert.equal((await (await http.request(request)).bytes()).toString(), 'here');
  }
  assert.deepEqual(proxy.seen, ['registry.example:443 undefined']);
  assert.deepEqual(registry.seen, ['registry.example robot']);
  assert.deepEqual(here.seen, ['localhost robot']);
  assert.deepEqual(tls.getCACertificates('default'), authorities);
});

test('a certificate is not shown where the same host is asked without it', async t => {
  const server = await serveTls(t, 'localhost');
  const http = new HttpClient({ env: NO_STORE, retry: { attempts: 1 } });
  t.after(() => http.close());
  const request = {
    method: 'GET',
    url: `https://localhost:${server.port}/`,
    purpose: 'reading a test',
  } as const;
  for (const shown of [identity, undefined, identity])
    (await http.request({ ...request, ca: company.cert, identity: shown })).discard();
  assert.deepEqual(server.seen, ['localhost robot', 'localhost undefined', 'localhost robot']);
});

test('nothing prints a key', () => {
  const everything = `${inspect(identity, { depth: 9, showHidden: true })}${JSON.stringify(identity)}`;
  assert.doesNotMatch(everything, /PRIVATE/);
});
