import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readAll } from '../../core/byte-source.ts';
import { digestOf } from '../../core/digest.ts';
import { ConfigError, describeError, errorToJson } from '../../core/errors.ts';
import { HttpClient } from '../../http/client.ts';
import { type LoopbackServer, serve } from '../../http/loopback.fixtures.ts';
import { MediaType } from '../../oci/types.ts';
import { type EmbeddedRegistry, type RegistryOptions, startRegistry } from '../../testkit/registry.ts';
import type { Access, LoginManner } from '../auth/registry-auth.ts';
import type { Credential } from '../auth/types.ts';
import { RegistryClient } from './registry-client.ts';
import { RegistryStore } from './registry-store.ts';

const ANN = { kind: 'basic', username: 'ann', password: 'p' } satisfies Credential;
const BEARER = { kind: 'bearer', user: 'ann', password: 'p', anonymousPull: true } as const;

function storeAt(
  t: TestContext,
  registry: string,
  credential: (refused?: Credential) => Promise<Credential | undefined>,
  options: { readonly access?: Access; readonly manner?: LoginManner } = {},
): RegistryStore {
  const http = new HttpClient({ env: {}, retry: { attempts: 1 } });
  t.after(() => http.close());
  const { access = 'pull', ...rest } = options;
  return new RegistryStore(new RegistryClient({ http, registry, credential, ...rest }), 'acme/x', access);
}

async function withImage(t: TestContext, options: RegistryOptions): Promise<EmbeddedRegistry> {
  const registry = await startRegistry(options);
  t.after(() => registry.close());
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [] }));
  registry.putImage('acme/x', 'v1', { blobs: [], manifests: [{ mediaType: MediaType.ociIndex, bytes }] });
  return registry;
}

const paths = ({ log }: EmbeddedRegistry): string[] =>
  log.map(({ method, path, status }) => `${method} ${path} ${status}`);

for (const status of [403, 404] as const) {
  test(`a registry that answers ${status} to who has sent no login is asked how to log in, once`, async t => {
    const registry = await withImage(t, { auth: BEARER, quirks: { hidesFromAnonymous: status } });
    const manner = {};
    const stores = [1, 2, 3].map(() => storeAt(t, registry.host, async () => ANN, { manner }));
    const found = await Promise.all(stores.map(store => store.listTags(10)));
    assert.deepEqual(found, [['v1'], ['v1'], ['v1']]);
    assert.equal(paths(registry).filter(line => line === 'GET /v2/ 401').length, 1);
    const anonymous = storeAt(t, registry.host, async () => undefined);
    const asked = registry.log.length;
    if (status === 404) assert.deepEqual(await anonymous.listTags(10), []);
    else await assert.rejects(anonymous.listTags(10), /wants a login and none was found \(status 403/);
    assert.equal(registry.log.length, asked + 1);
  });
}

test('what is not in an open registry is looked for once more only if there is a login, and never again', async t => {
  const registry = await withImage(t, {});
  const broken = storeAt(t, registry.host, async () => {
    throw new ConfigError('not valid JSON', { code: 'CONFIG_INVALID', subject: 'config.json' });
  });
  assert.equal(await broken.getManifest('v2'), undefined);
  registry.log.length = 0;
  const store = storeAt(t, registry.host, async () => ANN);
  assert.equal(await store.getManifest('v2'), undefined);
  assert.equal(await store.getManifest('v3'), undefined);
  assert.deepEqual(paths(registry), [
    'GET /v2/acme/x/manifests/v2 404',
    'GET /v2/ 200',
    'GET /v2/acme/x/manifests/v3 404',
  ]);
});

test("a token for other names than those in the address is asked for when the address's is not enough", async t => {
  const registry = await withImage(t, { auth: BEARER, quirks: { scopePrefix: 'upstream/' } });
  assert.deepEqual(await storeAt(t, registry.host, async () => undefined).listTags(10), ['v1']);
  assert.equal(registry.tokensIssued, 2);
  // A registry that asks for more and more is not followed.
  let serial = 0;
  const greedy = await serve(t, (request, response) => {
    if (request.url?.startsWith('/token')) return response.end('{"token":"t"}');
    const challenge = `Bearer realm="${greedy.url}/token",scope="repository:other/${serial++}:pull"`;
    return response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  const store = storeAt(t, new URL(greedy.url).host, async () => undefined);
  await assert.rejects(store.listTags(10), { code: 'REGISTRY_UNAUTHORIZED' });
  assert.equal(greedy.requests.length, 5);
});

for (const kind of ['bearer', 'basic'] as const) {
  test(`a login that has ended is looked for again, and one that is just wrong is not tried twice (${kind})`, async t => {
    const registry = await withImage(t, { auth: { kind, user: 'ann', password: 'p' } });
    const places = { login: ANN, found: ANN, refused: [] as Credential[] };
    // As a helper whose logins live for an hour: what it has said is kept until it is refused.
    const find = async (refused?: Credential) => {
      if (refused !== undefined) {
        places.refused.push(refused);
        places.found = places.login;
      }
      return places.found;
    };
    // A token that was given would outlive the login, so each is another client.
    const list = () => storeAt(t, registry.host, find).listTags(10);
    assert.deepEqual(await list(), ['v1']);
    registry.changePassword('q');
    places.login = { ...ANN, password: 'q' };
    assert.deepEqual(await list(), ['v1']);
    assert.deepEqual(places.refused, [ANN]);
    registry.changePassword('r');
    await assert.rejects(list(), { code: 'REGISTRY_UNAUTHORIZED' });
    assert.equal(places.refused.length, 2);
  });
}

test('ECR says with 403 that a login has ended', async t => {
  const server = await serve(t, (request, response) => {
    const { authorization } = request.headers;
    if (authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else if (authorization === 'Basic YW5uOnE=') response.end('{"tags":["v1"]}');
    else
      response
        .writeHead(403)
        .end('{"errors":[{"code":"DENIED","message":"Your authorization token has expired."}]}');
  });
  let found = ANN;
  const store = storeAt(t, new URL(server.url).host, async refused => {
    if (refused !== undefined) found = { ...ANN, password: 'q' };
    return found;
  });
  assert.deepEqual(await store.listTags(10), ['v1']);
});

test('an identity token goes to a token service without OAuth as the password of <token>', async t => {
  const registry = await withImage(t, {
    auth: { ...BEARER, anonymousPull: false },
    quirks: { refreshTokens: false },
  });
  const login: Credential = { kind: 'identity', token: registry.identityToken };
  assert.deepEqual(await storeAt(t, registry.host, async () => login).listTags(10), ['v1']);
  assert.ok(paths(registry).includes('POST /token 405'));
});

test('an access token of a login file is sent as it is, to the registry alone', async t => {
  const server = await serve(t, (request, response) => {
    const realm = `${server.url.replace('127.0.0.1', 'localhost')}/token`;
    if (request.headers.authorization === 'Bearer planted') response.end('{"tags":["v1"]}');
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
  });
  const login: Credential = { kind: 'bearer', token: 'planted' };
  assert.deepEqual(await storeAt(t, new URL(server.url).host, async () => login).listTags(10), ['v1']);
  assert.deepEqual(
    server.requests.map(({ url, headers }) => [url?.split('?')[0], headers.authorization]),
    [
      ['/v2/acme/x/tags/list', undefined],
      ['/v2/acme/x/tags/list', 'Bearer planted'],
    ],
  );
});

test('a realm may be a path of the registry itself, and none is not one', async t => {
  for (const realm of ['/token', '']) {
    const server = await serve(t, (request, response) => {
      if (request.url?.startsWith('/token')) response.end('{"token":"t"}');
      else if (request.headers.authorization === 'Bearer t') response.end('{"tags":["v1"]}');
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}"` }).end();
    });
    const listed = storeAt(t, new URL(server.url).host, async () => undefined).listTags(10);
    if (realm !== '') assert.deepEqual(await listed, ['v1']);
    else await assert.rejects(listed, { message: /names no realm to log in at/ });
  }
});

test('of several challenges the one that can be met is taken, and others are named', async t => {
  const cases: readonly (readonly [string, string | RegExp])[] = [
    ['Bearer, Basic realm="x"', 'v1'],
    ['Negotiate, Basic realm="x", Digest realm="y", nonce="a, b"', 'v1'],
    ['Negotiate', /wants a login by negotiate, which is not supported \(status 401\)/],
    ['Digest realm="y", NTLM', /wants a login by digest or ntlm, which is not supported/],
    ['', /does not allow it with the login that was found/],
  ];
  for (const [challenge, expected] of cases) {
    const server: LoopbackServer = await serve(t, (request, response) => {
      if (request.headers.authorization === 'Basic YW5uOnA=') response.end('{"tags":["v1"]}');
      else response.writeHead(401, challenge ? { 'www-authenticate': challenge } : {}).end();
    });
    const listed: Promise<string[]> = storeAt(t, new URL(server.url).host, async () => ANN).listTags(10);
    if (typeof expected === 'string') assert.deepEqual(await listed, [expected]);
    else await assert.rejects(listed, { message: expected });
  }
});

test('a login that a registry repeats in its words or headers is not in the error', async t => {
  const login = { kind: 'basic', username: 'ann', password: 'hunter2-password' } satisfies Credential;
  const token = `planted-token-${'x'.repeat(400)}`;
  const hasNone = (error: unknown): boolean => {
    const texts = [describeError(error), JSON.stringify(errorToJson(error))].join();
    assert.doesNotMatch(texts, /hunter2|aHVudGVy|planted|xxxx/, texts);
    assert.match(texts, /…/);
    return true;
  };
  for (const isBearer of [false, true]) {
    for (const status of [400, 403, 500]) {
      const server: LoopbackServer = await serve(t, (request, response) => {
        const { authorization } = request.headers;
        const realm = `${server.url}/token`;
        const challenge = isBearer ? `Bearer realm="${realm}"` : 'Basic realm="x"';
        if (request.url?.startsWith('/token')) response.end(JSON.stringify({ token }));
        else if (authorization === undefined)
          response.writeHead(401, { 'www-authenticate': challenge }).end();
        else {
          const message = `bad Authorization ${authorization} of ann, hunter2-password`;
          response.writeHead(status).end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));
        }
      });
      await assert.rejects(storeAt(t, new URL(server.url).host, async () => login).listTags(10), hasNone);
    }
  }
  const echo = await serve(t, ({ headers: { authorization } }, response) => {
    if (authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    else response.writeHead(206, { 'content-range': authorization }).end('x');
  });
  const blob = { mediaType: MediaType.ociLayerTar, digest: digestOf('x'), size: 1 };
  await assert.rejects(
    readAll(storeAt(t, new URL(echo.url).host, async () => login).openBlob(blob), 10),
    hasNone,
  );
});

const FULL = [
  'DENIED: adding 29.0 MiB of storage resource, which when updated to current usage of 152.4 MiB will exceed the configured upper limit of 10.0 MiB.',
  'DENIED: Quota has been exceeded on namespace',
  'DENIED: registry storage quota exceeded',
  'DENIED: You have exceeded your storage quota. Delete one or more images, or review your storage quota',
];

for (const text of FULL) {
  test(`a 403 for want of space is no matter of logins: ${text.slice(0, 40)}`, async t => {
    const [code, message] = text.split(/: (.*)/s);
    const server = await serve(t, (_, response) =>
      response.writeHead(403).end(JSON.stringify({ errors: [{ code, message }] })),
    );
    const store = storeAt(t, new URL(server.url).host, async () => undefined, { access: 'push' });
    const bytes = Buffer.from('{}');
    const manifest = { mediaType: MediaType.ociManifest, digest: digestOf(bytes), bytes };
    await assert.rejects(store.putManifest('v1', manifest), { code: 'REGISTRY_FULL', remedy: /^Free space/ });
  });
}
