import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildBaseImage } from './base-image.ts';
import { type EmbeddedRegistry, type RegistryOptions, startRegistry } from './registry.ts';

const LOGIN = { user: 'ann', password: 'secret' };
const BASIC = { authorization: `Basic ${Buffer.from('ann:secret').toString('base64')}` };
const WRONG = { authorization: `Basic ${Buffer.from('ann:wrong').toString('base64')}` };

test('a Basic login is asked for and checked', async () => {
  await using registry = await startRegistry({ auth: { kind: 'basic', ...LOGIN } });
  const anonymous = await fetch(`${registry.url}/v2/`);
  assert.equal(anonymous.status, 401);
  assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Basic realm=/);
  assert.equal((await fetch(`${registry.url}/v2/`, { headers: BASIC })).status, 200);
  assert.equal((await fetch(`${registry.url}/v2/`, { headers: WRONG })).status, 401);
});

test('the challenge names realm, service and scope, with the comma in it', async () => {
  await using registry = await startBearer();
  const response = await startUpload(registry, 'acme/x', {});
  assert.equal(response.status, 401);
  const challenge = response.headers.get('www-authenticate');
  assert.equal(
    challenge,
    `Bearer realm="${registry.url}/token",service="weighbridge-testkit",scope="repository:acme/x:pull,push"`,
  );
});

test('a token does what it was asked for, and no more', async () => {
  await using registry = await startBearer();
  const pull = await tokenFor(registry, 'repository:acme/x:pull', BASIC);
  const push = await tokenFor(registry, 'repository:acme/x:pull,push', BASIC);
  assert.equal((await startUpload(registry, 'acme/x', pull)).status, 401);
  const refused = await startUpload(registry, 'acme/y', push);
  assert.match(refused.headers.get('www-authenticate') ?? '', /error="insufficient_scope"/);
  const opened = await startUpload(registry, 'acme/x', push);
  assert.equal(opened.status, 202);
  // As with Docker's registry, giving up an upload wants the right to delete.
  const location = opened.headers.get('location') ?? '';
  assert.equal((await fetch(location, { method: 'DELETE', headers: push })).status, 401);
});

test('a mount has to be allowed to read the other repository', async () => {
  await using registry = await startBearer();
  const one = await tokenFor(registry, 'repository:acme/x:pull,push', BASIC);
  const both = await tokenFor(registry, 'repository:acme/x:pull,push repository:acme/y:pull', BASIC);
  const query = `?mount=sha256:${'a'.repeat(64)}&from=acme/y`;
  assert.equal((await startUpload(registry, 'acme/x', one, query)).status, 401);
  assert.equal((await startUpload(registry, 'acme/x', both, query)).status, 202);
});

test('tokens end, forged ones never begin', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 });
  await using registry = await startBearer({ tokenTtlMs: 60_000 });
  const token = await tokenFor(registry, 'repository:acme/x:pull,push', BASIC);
  assert.equal((await startUpload(registry, 'acme/x', token)).status, 202);
  t.mock.timers.tick(60_001);
  const late = await startUpload(registry, 'acme/x', token);
  assert.match(late.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  const forged = { authorization: `Bearer ${token.authorization.slice(7).split('.')[0]}.AAAA` };
  assert.equal((await startUpload(registry, 'acme/x', forged)).status, 401);
  assert.equal(registry.tokensIssued, 1);
});

test('a wrong login gets no token; none gets one that pulls where that is allowed', async () => {
  await using closed = await startBearer();
  assert.equal(
    (await fetch(`${closed.url}/token?scope=repository:acme/x:pull`, { headers: WRONG })).status,
    401,
  );
  closed.putImage('acme/x', 'v1', buildBaseImage());
  const nobody = await tokenFor(closed, 'repository:acme/x:pull', {});
  assert.equal((await fetch(`${closed.url}/v2/acme/x/tags/list`, { headers: nobody })).status, 401);

  await using open = await startBearer({ anonymousPull: true });
  open.putImage('acme/x', 'v1', buildBaseImage());
  const anybody = await tokenFor(open, 'repository:acme/x:pull,push', {});
  assert.equal((await fetch(`${open.url}/v2/acme/x/tags/list`, { headers: anybody })).status, 200);
  assert.equal((await startUpload(open, 'acme/x', anybody)).status, 401);
});

test('an identity token is taken in place of a password', async () => {
  await using registry = await startBearer();
  const body = (token: string) =>
    new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: token,
      service: 'weighbridge-testkit',
      scope: 'repository:acme/x:pull,push',
    });
  const ask = (token: string) => fetch(`${registry.url}/token`, { method: 'POST', body: body(token) });
  assert.equal((await ask('wrong')).status, 401);
  const answer = (await (await ask(registry.identityToken)).json()) as { access_token: string };
  const headers = { authorization: `Bearer ${answer.access_token}` };
  assert.equal((await startUpload(registry, 'acme/x', headers)).status, 202);
});

test('too many requests are told how long to wait', async () => {
  await using registry = await startRegistry({ quirks: { rateLimit: { requests: 1, windowMs: 60_000 } } });
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
  const refused = await fetch(`${registry.url}/v2/`);
  assert.equal(refused.status, 429);
  assert.match(refused.headers.get('retry-after') ?? '', /^(59|60)$/);
});

function startBearer(more: { tokenTtlMs?: number; anonymousPull?: boolean } = {}): Promise<EmbeddedRegistry> {
  const auth: RegistryOptions['auth'] = { kind: 'bearer', ...LOGIN, ...more };
  return startRegistry({ auth });
}

async function tokenFor(
  registry: EmbeddedRegistry,
  scope: string,
  headers: Record<string, string>,
): Promise<{ authorization: string }> {
  const query = new URLSearchParams([
    ['service', 'weighbridge-testkit'],
    ...scope.split(' ').map((one): [string, string] => ['scope', one]),
  ]);
  const response = await fetch(`${registry.url}/token?${query}`, { headers });
  const { token } = (await response.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}

function startUpload(
  registry: EmbeddedRegistry,
  repository: string,
  headers: Record<string, string>,
  query = '',
): Promise<Response> {
  return fetch(`${registry.url}/v2/${repository}/blobs/uploads/${query}`, { method: 'POST', headers });
}
