import assert from 'node:assert/strict';
import dns from 'node:dns';
import { createServer as createHttps } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { RegistryError } from '../../core/errors.ts';
import { HttpClient } from '../../http/client.ts';
import { serve } from '../../http/loopback.fixtures.ts';
import type { RetryNotice } from '../../http/types.ts';
import { selfSigned } from '../../testkit/authority.ts';
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
    const at = () => {
      const client = new RegistryClient({
        ...{ http, registry: 'registry.example', credential: async () => login },
        connection: { isPlainHttp: true },
      });
      return new RegistryStore(client, 'acme/x', 'push');
    };
    await assert.rejects(at().listTags(10), {
      code: 'REGISTRY_LOGIN_SERVICE',
      message: /points to the private address/,
    });
    await assert.rejects(at().startUpload({ sizeBytes: 1 }), {
      code: 'REGISTRY_BAD_ANSWER',
      message: /points to .*, which is refused/,
    });
    assert.ok(proxy.requests.every(({ headers }) => headers.authorization === undefined));
  }
  assert.equal(inside.requests.length, 0);
});

test('a login goes unencrypted only where that was chosen, and to no other host', async t => {
  const tokens = await serve(t, (_, response) => response.end('{"token":"t"}'));
  const server = await serve(t, (_, response) =>
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.url}/token"` }).end(),
  );
  const registry = `0.0.0.0:${new URL(server.url).port}`;
  await assert.rejects(store(t, registry, { isPlainHttp: true }).listTags(10), {
    code: 'REGISTRY_LOGIN_SERVICE',
    message: /its answer wants the login sent unencrypted to http:\/\/127\.0\.0\.1:\d+\/token$/,
  });
  assert.equal(tokens.requests.length, 0);
});

test("a registry's own fault is told as one", async t => {
  const server = await serve(t, (_, response) => response.writeHead(502).end('<html>Bad gateway</html>'));
  const { host } = new URL(server.url);
  await assert.rejects(store(t, host).getManifest('v1'), {
    ...{
      code: 'REGISTRY_BAD_ANSWER',
      status: 502,
      message: /^reading the manifest v1 of .*: .* answered 502/,
    },
    remedy: /^The registry, or a proxy .* run the command again/,
  });
});

const BUSY: readonly (readonly [number, string, string, RegExp])[] = [
  [429, 'REGISTRY_RATE_LIMITED', 'is busy (status 429)', /not checked. Wait/],
  [500, 'REGISTRY_LOGIN_SERVICE', 'answered 500', /not checked. .* run the command again later/],
  [503, 'REGISTRY_LOGIN_SERVICE', 'answered 503', /not checked. .* run the command again later/],
  [404, 'REGISTRY_LOGIN_SERVICE', 'answered 404', /not checked. Check that/],
  [400, 'REGISTRY_LOGIN_SERVICE', 'answered 400', /not checked. Check that/],
];

for (const [status, code, words, remedy] of BUSY) {
  test(`a token service that answers ${status} has not refused the login: its host is named, not the registry's`, async t => {
    const service = await serve(t, (_, response) => response.writeHead(status).end('{"error":"later"}'));
    const { host } = new URL((await registryOf(t, service.url)).url);
    const tokens = new URL(service.url).host;
    const message = `logging in to ${host}: its token service ${tokens} ${words}`;
    await assert.rejects(store(t, host).listTags(10), { code, status, message, remedy });
  });
}

for (const status of [429, 503]) {
  test(`a token service that answers ${status} once is asked again, when it wants to be`, async t => {
    const service = await serve(t, (_, response) => {
      if (service.requests.length === 1) response.writeHead(status, { 'retry-after': '7' }).end();
      else response.end('{"token":"t"}');
    });
    const { host } = new URL((await registryOf(t, service.url)).url);
    const http = new HttpClient({ env: {}, retry: { attempts: 2 } });
    t.after(() => http.close());
    const waits: RetryNotice[] = [];
    t.mock.method(http, 'waitToRetry', async (notice: RetryNotice) => {
      waits.push(notice);
    });
    const client = new RegistryClient({ http, registry: host, credential: async () => undefined });
    assert.deepEqual(await new RegistryStore(client, 'acme/x', 'pull').listTags(10), ['v1']);
    assert.deepEqual(
      waits.map(({ purpose, serverWaitMs }) => [purpose, serverWaitMs]),
      [[`logging in to ${host} at ${new URL(service.url).host}`, 7000]],
    );
  });
}

const REFUSED: readonly (readonly [number, string])[] = [
  [401, '{"details":"incorrect username or password"}'],
  [403, '{"errors":[{"code":"DENIED"}]}'],
  [400, '{"error":"invalid_grant","error_description":"planted-token is not valid"}'],
  [400, '{"errors":[{"code":"UNAUTHORIZED","message":"planted-token"}]}'],
];

for (const [status, body] of REFUSED) {
  test(`a token service that answers ${status} with ${body} has refused the login`, async t => {
    const service = await serve(t, (_, response) => response.writeHead(status).end(body));
    const { host } = new URL((await registryOf(t, service.url)).url);
    await assert.rejects(store(t, host).listTags(10), {
      code: 'REGISTRY_UNAUTHORIZED',
      message: `${host} refused the login (status ${status})`,
      remedy: /docker login/,
    });
  });
}

test('a token service that is not there is what is to be checked, not the registry', async t => {
  const server = await registryOf(t, 'http://127.0.0.1:9');
  await assert.rejects(store(t, new URL(server.url).host).listTags(10), {
    code: 'REGISTRY_UNREACHABLE',
    message: /^logging in to .* at 127\.0\.0\.1:9: 127\.0\.0\.1:9 refused the connection$/,
    remedy: /^Check that 127\.0\.0\.1:9 is up/,
  });
});

/** A registry whose tokens come from somewhere else. */
async function registryOf(t: TestContext, tokens: string) {
  return await serve(t, (request, response) => {
    if (request.headers.authorization === 'Bearer t') response.end('{"tags":["v1"]}');
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens}/token"` }).end();
  });
}

/** Has a name mean an address of this machine, as one does that is made to point inside. */
function pointInside(t: TestContext, name: string): void {
  const real = dns.lookup;
  const lookup = (host: string, options: dns.LookupAllOptions, done: (...found: unknown[]) => void): void => {
    const found = [{ address: '127.0.0.1', family: 4 }];
    if (host !== name) real(host, options, done);
    else if (options.all) done(null, found);
    else done(null, '127.0.0.1', 4);
  };
  t.mock.method(dns, 'lookup', lookup as typeof dns.lookup);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}

const get = (url: string) => ({ method: 'GET', url, purpose: 'reading a test' }) as const;

test('a name that a public server gives is looked up, also where a connection to it is open already', async t => {
  pointInside(t, 'storage.example');
  const target = await serve(t, (_, response) => response.end('secret'));
  const { port } = new URL(target.url);
  const proxy = await serve(t, ({ method, url }, response) => {
    const location = `http://storage.example:${port}/x`;
    if (method === 'POST') response.writeHead(202, { location }).end();
    else if (url?.endsWith('/tags/list?n=10'))
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="${location.replace('http', 'https')}"` })
        .end();
    else response.writeHead(307, { location }).end();
  });
  const http = new HttpClient({
    env: { HTTP_PROXY: proxy.url, NO_PROXY: 'storage.example' },
    retry: { attempts: 1 },
  });
  t.after(() => http.close());
  // What the user has named is reached, and the connection is kept.
  assert.equal(String(await (await http.request(get(`http://storage.example:${port}/`))).bytes()), 'secret');
  const refused = { message: /storage\.example:\d+, which has a private address; that is refused/ };
  await assert.rejects(http.request(get('http://hub.example/')), refused);

  const open = () => {
    const client = new RegistryClient({
      ...{ http, registry: 'registry.example', credential: async () => undefined },
      connection: { isPlainHttp: true },
    });
    return new RegistryStore(client, 'acme/x', 'push');
  };
  await assert.rejects(open().listTags(10), refused);
  const upload = await open().startUpload({ sizeBytes: 1 });
  await assert.rejects(async () => {
    await upload.write(Buffer.from('x'));
    await upload.commit(digestOf('x'));
  }, refused);
  assert.equal(target.requests.length, 1);
});
