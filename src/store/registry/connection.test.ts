import assert from 'node:assert/strict';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { RegistryError } from '../../core/errors.ts';
import { HttpClient } from '../../http/client.ts';
import { serve } from '../../http/loopback.fixtures.ts';
import { selfSigned } from '../../http/self-signed.fixtures.ts';
import { type ConnectionSettings, RegistryClient } from './registry-client.ts';
import { RegistryStore } from './registry-store.ts';

// `localhost` is spoken to over HTTP always, so these go by another name of this machine.
function store(t: { after(work: () => void): void }, registry: string, connection?: ConnectionSettings) {
  const http = new HttpClient({ env: {}, retry: { attempts: 1 } });
  t.after(() => http.close());
  const login = { kind: 'basic', username: 'ann', password: 'p' } as const;
  const client = new RegistryClient({ http, registry, credential: async () => login, connection });
  return new RegistryStore(client, 'acme/x', 'pull');
}

test('an HTTP registry where HTTPS is spoken: the message says so, and plain_http is what it wants', async t => {
  const asked: (string | undefined)[] = [];
  const server = await serve(t, (request, response) => {
    asked.push(request.headers.authorization);
    if (request.headers.authorization === undefined) {
      const realm = `http://0.0.0.0:${new URL(server.url).port}/token`;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
    } else if (request.url?.startsWith('/token')) response.end('{"token":"t"}');
    else response.end('{"tags":["v1"]}');
  });
  const registry = `0.0.0.0:${new URL(server.url).port}`;
  await assert.rejects(store(t, registry).listTags(10), (error: unknown) => {
    assert.ok(error instanceof RegistryError);
    assert.equal(
      error.message,
      `listing the tags of ${registry}/acme/x: ${registry} answers in plain HTTP, not HTTPS`,
    );
    assert.match(error.remedy ?? '', /plain_http: true/);
    return true;
  });
  assert.deepEqual(asked, []);
  assert.deepEqual(await store(t, registry, { isPlainHttp: true }).listTags(10), ['v1']);
  assert.deepEqual(asked, [undefined, 'Basic YW5uOnA=', 'Bearer t']);
});

test('an HTTPS registry where plain HTTP is spoken: the message says so, whatever the server is', async t => {
  const isWrong = (registry: string) => (error: unknown) => {
    assert.ok(error instanceof RegistryError);
    assert.equal(
      error.message,
      `listing the tags of ${registry}/acme/x: ${registry} answers in HTTPS, not plain HTTP`,
    );
    assert.match(error.remedy ?? '', /Remove `plain_http: true`/);
    return true;
  };
  const answers = {
    go: 'Client sent an HTTP request to an HTTPS server.\n',
    nginx: '<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>',
  };
  for (const answer of Object.values(answers)) {
    const server = await serve(t, (_, response) => response.writeHead(400).end(answer));
    const registry = `0.0.0.0:${new URL(server.url).port}`;
    await assert.rejects(store(t, registry, { isPlainHttp: true }).listTags(10), isWrong(registry));
  }
  // An alert of TLS, as others send.
  const tls = createServer(socket => socket.end(Buffer.from('15030300020228', 'hex')));
  await new Promise<void>(resolve => tls.listen(0, '127.0.0.1', resolve));
  t.after(() => tls.close());
  const registry = `0.0.0.0:${(tls.address() as AddressInfo).port}`;
  await assert.rejects(store(t, registry, { isPlainHttp: true }).listTags(10), isWrong(registry));
});

test('a registry with an authority of its own is trusted with its certificate', async t => {
  const { key, cert } = selfSigned();
  const server = createHttps({ key, cert }, (_, response) => response.end('{"tags":["v1"]}'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const http = new HttpClient({ env: {}, retry: { attempts: 1 } });
  t.after(() => http.close());
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const get = (ca?: string) => http.request({ method: 'GET', url, purpose: 'reading a test', ca });
  await assert.rejects(get(), /is not trusted/);
  assert.equal((await get(cert)).status, 200);
  await assert.rejects(get(), /is not trusted/);
});

test('a public registry names no token service and no upload address inside a private network', async t => {
  // The proxy speaks for the public registry, so that nothing here needs the network.
  const inside = await serve(t, (_, response) => response.end('{"token":"x"}'));
  const places = ['https://10.0.0.5', 'https://[fd00::1]', 'https://169.254.169.254', inside.url];
  for (const place of places) {
    const proxy = await serve(t, ({ method }, response) => {
      const isUpload = method === 'POST';
      if (isUpload) response.writeHead(202, { location: `${place}/upload` }).end();
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${place}/token"` }).end();
    });
    const http = new HttpClient({ env: { HTTP_PROXY: proxy.url }, retry: { attempts: 1 } });
    t.after(() => http.close());
    const login = { kind: 'basic', username: 'ann', password: 'hidden' } as const;
    const client = new RegistryClient({
      ...{ http, registry: 'registry.example', credential: async () => login },
      connection: { isPlainHttp: true },
    });
    const at = new RegistryStore(client, 'acme/x', 'push');
    await assert.rejects(at.listTags(10), {
      code: 'REGISTRY_BAD_ANSWER',
      message: /points to the private address/,
    });
    await assert.rejects(at.startUpload({ sizeBytes: 1 }), {
      code: 'REGISTRY_BAD_ANSWER',
      message: /points to .*, which is refused/,
    });
    assert.ok(proxy.requests.every(({ headers }) => headers.authorization === undefined));
  }
  assert.equal(inside.requests.length, 0);
});

test("a registry's own fault is told as one, also if the login service has it: neither is a refused login", async t => {
  const server = await serve(t, (request, response) => {
    const realm = `${server.url}/token`;
    if (request.url?.startsWith('/token')) response.writeHead(503).end();
    else if (request.url?.includes('v1')) response.writeHead(502).end('<html>Bad gateway</html>');
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
  });
  const { host } = new URL(server.url);
  const common = {
    code: 'REGISTRY_BAD_ANSWER',
    remedy: /^The registry, or a proxy .* run the command again/,
  };
  await assert.rejects(store(t, host).listTags(10), {
    ...{ ...common, status: 503, message: `logging in to ${host}: ${host} answered 503` },
  });
  await assert.rejects(store(t, host).getManifest('v1'), {
    ...{ ...common, status: 502, message: /^reading the manifest v1 of .*: .* answered 502/ },
  });
});
