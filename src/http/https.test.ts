import assert from 'node:assert/strict';
import https from 'node:https';
import { type TestContext, test } from 'node:test';
import tls from 'node:tls';
import { NetworkError } from '../core/errors.ts';
import { selfSigned } from '../testkit/authority.ts';
import { HttpClient } from './client.ts';
import { listen, serve } from './loopback.fixtures.ts';

const { key, cert } = selfSigned();
const get = (url: string) => ({ method: 'GET', url, purpose: 'reading a test' }) as const;

async function serveTls(
  t: TestContext,
  location: string,
  host = 'localhost',
): Promise<{ url: string; connections: () => number }> {
  const server = https.createServer({ key, cert }, (_, response) =>
    response.writeHead(302, { location }).end(),
  );
  server.on('tlsClientError', () => undefined);
  const { port, connections } = await listen(t, server, host);
  return { url: `https://${host}:${port}/`, connections };
}

/** Has this process trust the certificate until the end of the test. */
function trust(t: TestContext): void {
  const authorities = tls.getCACertificates('default');
  tls.setDefaultCACertificates([cert]);
  t.after(() => tls.setDefaultCACertificates(authorities));
}

function client(t: TestContext): HttpClient {
  const http = new HttpClient({ env: {}, retry: { attempts: 3, baseMs: 1 } });
  t.after(() => http.close());
  return http;
}

test('a certificate that is not trusted is an error with a way out, and not tried again', async t => {
  const { url, connections } = await serveTls(t, '/');
  await assert.rejects(client(t).request(get(url)), (error: unknown) => {
    assert.ok(error instanceof NetworkError);
    assert.match(error.message, /certificate of localhost:\d+ is not trusted /);
    assert.match(error.remedy ?? '', /`update-ca-certificates`.*NODE_EXTRA_CA_CERTS/);
    return true;
  });
  assert.equal(connections(), 1);
});

test('a certificate of a known authority for other names says that, and names no further authority', async t => {
  const { url, connections } = await serveTls(t, '/', '127.0.0.1');
  trust(t);
  await assert.rejects(client(t).request(get(url)), (error: unknown) => {
    assert.ok(error instanceof NetworkError);
    assert.match(
      error.message,
      /the certificate of 127\.0\.0\.1:\d+ is for other names \(ERR_TLS_CERT_ALTNAME_INVALID\)$/,
    );
    return true;
  });
  assert.equal(connections(), 1);
});

test('a redirect from HTTPS to HTTP is refused, and its address is shown without its secrets', async t => {
  const plain = await serve(t, (_, response) => response.end('never'));
  const { url, connections } = await serveTls(t, `${plain.url}/x?token=hidden`);
  trust(t);
  await assert.rejects(client(t).request(get(url)), (error: unknown) => {
    assert.ok(error instanceof NetworkError);
    assert.match(error.message, /refused a redirect from HTTPS to HTTP \(http:.*\/x\?token=…\)/);
    return true;
  });
  assert.equal(connections(), 1);
  assert.equal(plain.requests.length, 0);
});
