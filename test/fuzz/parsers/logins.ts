import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeText } from '../../../src/core/decode-text.ts';
import { plainValue } from '../../../src/core/env-text.ts';
import { WeighbridgeError } from '../../../src/core/errors.ts';
import { checkProxyEnv, proxiesOf, proxyChoice } from '../../../src/http/proxy-env.ts';
import { parseHelperAnswer } from '../../../src/store/auth/credential-helper.ts';
import { findAuth, findHelper, findTroubles, parseLogins } from '../../../src/store/auth/login-file.ts';
import { tokenFailure } from '../../../src/store/auth/token-failure.ts';
import type { Credential } from '../../../src/store/auth/types.ts';
import { RegistryClient } from '../../../src/store/registry/registry-client.ts';
import { clientOf, responseOf } from '../answers.ts';
import { assertPlain, bent, bentJson, orRefused, orRefusedLater } from '../bent.ts';
import { parser } from './table.ts';

// Logins, and who gives them: files of Docker and Podman, programs that keep passwords, services that trade them for tokens.

const SECRET = 'hunter2hunter2';
const AUTH = Buffer.from(`me:${SECRET}`).toString('base64');
const REGISTRIES = ['ghcr.io', 'docker.io', 'quay.io', 'localhost:5000', 'constructor', '__proto__'];

/** A login file, a helper's answer and a token may be quoted by nothing: an error of them has none of it. */
function assertSecret(error: unknown): void {
  const text = error instanceof Error ? `${error.message} ${error.cause ?? ''}` : '';
  assert.ok(!text.includes(SECRET) && !text.includes(AUTH), text);
}

function withoutSecret<T>(work: () => T): T | undefined {
  return orRefused(() => {
    try {
      return work();
    } catch (error) {
      assertSecret(error);
      throw error;
    }
  });
}

function assertCredential(credential: Credential | undefined): void {
  for (const value of Object.values(credential ?? {})) assert.equal(typeof value, 'string');
}

{
  const docker = {
    auths: {
      'ghcr.io': { auth: AUTH },
      'https://index.docker.io/v1/': { username: 'me', password: SECRET },
      'quay.io/acme': { identitytoken: SECRET },
      'localhost:5000': { registrytoken: SECRET },
      'gcr.io': null,
    },
    credHelpers: { 'ghcr.io': 'desktop', 'quay.io': '' },
    credsStore: 'osxkeychain',
  };
  parser(
    'login files',
    fc.property(bentJson(docker, { auths: { 'https://ghcr.io/v2/': { auth: AUTH } } }), bytes => {
      const logins = withoutSecret(() => parseLogins(decodeText(bytes), 'config.json'));
      if (logins === undefined) return;
      for (const registry of REGISTRIES) {
        assertCredential(findAuth(logins, registry, 'acme/x'));
        const helper = findHelper(logins, registry);
        assert.ok(helper === undefined || typeof helper === 'string');
        for (const trouble of findTroubles(logins, registry)) {
          assertPlain(trouble);
          assert.ok(!trouble.includes(SECRET) && !trouble.includes(AUTH), trouble);
        }
      }
    }),
  );
}

{
  const question = { helper: 'desktop', registry: 'ghcr.io', file: 'config.json', env: {} };
  const answer = { ServerURL: 'ghcr.io', Username: 'me', Secret: SECRET };
  parser(
    'answers of credential helpers',
    fc.property(bentJson(answer, { Username: '<token>', Secret: SECRET }), bytes => {
      assertCredential(withoutSecret(() => parseHelperAnswer(question, bytes.toString('utf8'))));
    }),
  );
}

// A token goes into a header, or the service is named as what gave none.
{
  const answer = { token: SECRET, access_token: SECRET, expires_in: 300, issued_at: '2026-11-20T00:00:00Z' };
  const realm = bent(
    'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:acme/x:pull"',
    'Bearer realm="/token"',
    'Bearer realm="https://10.0.0.1/token"',
  );
  parser(
    'answers of token services',
    fc.asyncProperty(realm, bentJson(answer), async (challenge, body) => {
      const sent: string[] = [];
      const http = clientOf(({ url, headers = {} }) => {
        if (!url.startsWith('https://ghcr.io/v2/')) return { body };
        if (headers.authorization === undefined)
          return { status: 401, headers: { 'www-authenticate': challenge } };
        sent.push(headers.authorization);
        return {};
      });
      const client = new RegistryClient({ http, registry: 'ghcr.io', credential: async () => undefined });
      const asked = { url: '/v2/x/manifests/a', purpose: 'reading', scope: 'repository:x:pull' };
      await orRefusedLater(() => client.request({ ...asked, method: 'GET' }));
      for (const header of sent) assert.match(header, /^(?:Bearer|Basic) [\x21-\x7e]+$/);
    }),
  );
}

// What a registry, a gateway or a token service says of a failure: a line of it is shown, or nothing.
{
  const errors = { errors: [{ code: 'DENIED', message: 'no', detail: { unauthorized: true } }] };
  const words = fc.oneof(
    bentJson(errors, { message: 'no', error: 'x' }, { error: 'invalid_grant' }, 'a', { errors: null }),
    bent('<html><title>502 Bad Gateway</title></html>', 'no space left on device', '\u001b[2J\u202e').map(
      text => Buffer.from(text),
    ),
  );
  const status = fc.constantFrom(400, 401, 403, 404, 413, 429, 500, 502, 507);
  const headers = fc.record({ 'retry-after': bent('3', '1e9', 'Wed, 21 Oct 2026 07:28:00 GMT') });
  const client = new RegistryClient({
    http: clientOf(() => ({})),
    registry: 'ghcr.io',
    credential: async () => undefined,
  });
  parser(
    'errors of registries',
    fc.asyncProperty(words, status, headers, async (body, code, head) => {
      const response = responseOf('https://ghcr.io/v2/x', { status: code, headers: head, body });
      const error = await client.failure(response, 'reading x');
      assert.ok(error instanceof WeighbridgeError);
      assertPlain(error.message);
      assert.ok(error.message.length < 500, error.message);
    }),
  );
  parser(
    'errors of token services',
    fc.asyncProperty(words, status, async (body, code) => {
      const response = responseOf('https://ghcr.io/token', { status: code, body });
      const login = { registry: 'ghcr.io', hasCredential: true, trouble: '' };
      assertPlain((await tokenFailure(response, login)).message);
    }),
  );
}

// Variables of the environment: copied with white space and quotes, and written for other programs.
{
  const secret = bent(' "hf_abc"\n', "'x'", 'hf_abc');
  parser(
    'secrets of the environment',
    fc.property(secret, text => {
      const value = plainValue(text);
      assert.equal(value, value?.trim());
      assert.ok(value !== undefined && text.includes(value));
    }),
  );
  const hosts = bent(
    'localhost,127.0.0.1,.example.com',
    '10.0.0.0/8, fd00::/8,example.com:8443',
    '10.0.0.1-10.0.0.9,[fd00::1]',
    '*',
    '10.0.0.0/99',
  );
  const url = fc.constantFrom(
    'https://a.example.com/x',
    'http://10.1.2.3:80/',
    'https://[fd00::1]/',
    'https://b/',
  );
  parser(
    'NO_PROXY',
    fc.property(hosts, url, (noProxy, address) => {
      const env = { https_proxy: 'http://proxy:3128', http_proxy: 'http://proxy:3128', no_proxy: noProxy };
      const chosen = proxyChoice(env)(new URL(address));
      assert.ok(chosen === undefined || chosen.hostname === 'proxy');
    }),
  );
  const proxy = bent(`http://me:${SECRET}@proxy.example:3128`, 'proxy:3128', 'socks5://x', 'http://[::1]:1/');
  parser(
    'addresses of proxies',
    fc.property(proxy, address => {
      withoutSecret(() => checkProxyEnv({ https_proxy: address }));
      for (const { port } of proxiesOf({ https_proxy: address })) assert.ok(port >= 0 && port < 65_536);
    }),
  );
  const text = bent('{"auths":{}}', 'Copyright © Açme', '\u{1f600}');
  const encoding = fc.constantFrom<BufferEncoding>('utf8', 'utf16le', 'latin1');
  const mark = fc.constantFrom([], [0xff, 0xfe], [0xfe, 0xff], [0xef, 0xbb, 0xbf], [0xff]);
  parser(
    'encodings of texts',
    fc.property(text, encoding, mark, fc.boolean(), (written, as, first, isOdd) => {
      const bytes = Buffer.concat([Buffer.from(first), Buffer.from(written, as)]);
      const read = decodeText(isOdd ? bytes.subarray(0, -1) : bytes);
      assert.ok(!read.startsWith('\ufeff') || written.startsWith('\ufeff'));
      assert.ok(read.length <= bytes.length);
    }),
  );
}
