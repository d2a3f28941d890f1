import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpClient } from '../http/client.ts';
import { ownAddress } from './own-address.ts';
import { RegistryClient } from './registry/registry-client.ts';

test('a registry that does not know of its HTTPS is reached by it, and nothing else is changed', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['http://hub.example/v2/x?_state=a%2Bb', 'https://hub.example', 'https://hub.example/v2/x?_state=a%2Bb'],
    ['http://hub.example/v2/x', 'https://hub.example:8443', 'https://hub.example:8443/v2/x'],
    ['http://hub.example:8443/v2/x', 'https://hub.example:8443', 'https://hub.example:8443/v2/x'],
    ['http://hub.example:5000/v2/x', 'https://hub.example', 'http://hub.example:5000/v2/x'],
    ['http://other.example/v2/x', 'https://hub.example', 'http://other.example/v2/x'],
    ['https://hub.example:5000/v2/x', 'https://hub.example', 'https://hub.example:5000/v2/x'],
    ['http://hub.example/v2/x', 'http://hub.example', 'http://hub.example/v2/x'],
  ];
  for (const [url, origin, expected] of cases)
    assert.equal(ownAddress(new URL(url), origin).href, expected, url);
});

test('uploads and pages of such a registry go on in HTTPS, those of others in plain HTTP are refused', t => {
  const http = new HttpClient({ env: {} });
  t.after(() => http.close());
  const client = new RegistryClient({
    ...{ http, registry: 'hub.example:8443', credential: async () => undefined },
  });
  assert.equal(
    client.resolve('http://hub.example/v2/x/blobs/uploads/1'),
    'https://hub.example:8443/v2/x/blobs/uploads/1',
  );
  assert.throws(() => client.resolve('http://hub.example:5000/v2/x'), {
    code: 'REGISTRY_BAD_ANSWER',
    remedy: /X-Forwarded-Proto/,
  });
  assert.throws(() => client.resolve('http://other.example/v2/x'), { code: 'REGISTRY_BAD_ANSWER' });
  assert.throws(() => client.resolve('https://10.0.0.5/v2/x'), { code: 'REGISTRY_BAD_ANSWER' });
  const inside = new HttpClient({ env: { WEIGHBRIDGE_PRIVATE_ADDRESSES: '1' } });
  t.after(() => inside.close());
  const open = new RegistryClient({
    http: inside,
    registry: 'hub.example',
    credential: async () => undefined,
  });
  assert.equal(open.resolve('https://10.0.0.5/v2/x'), 'https://10.0.0.5/v2/x');
});
