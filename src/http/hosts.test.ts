import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { HttpClient } from './client.ts';
import { isPrivateHost, publicLookup } from './hosts.ts';
import { serve } from './loopback.fixtures.ts';

const get = (url: string) => ({ method: 'GET', url, purpose: 'reading a test' }) as const;

test('private addresses are known in all their forms', () => {
  const isPrivate = (url: string): boolean => isPrivateHost(new URL(url).hostname);
  for (const host of [
    '10.1.2.3',
    '2130706433',
    '0x7f.1',
    '169.254.169.254',
    '[::ffff:192.168.1.1]',
    '[fe80::1]',
    '[fec0::1]',
    '[64:ff9b::169.254.169.254]',
    '[64:ff9b:1::10.1.2.3]',
    '[2002:c0a8:101::1]',
    '[::127.0.0.1]',
    '192.0.0.192',
    'a.localhost',
    'localhost.',
  ])
    assert.ok(isPrivate(`http://${host}/`), host);
  for (const host of [
    'ghcr.io',
    '8.8.8.8',
    '[2606:4700::1111]',
    '[64:ff9b::8.8.8.8]',
    '[2002:808:808::]',
    'localhost.example.org',
  ])
    assert.ok(!isPrivate(`http://${host}/`), host);
});

test('a name of private addresses is refused where only public ones are wanted', async () => {
  const look = promisify((name: string, all: boolean, done: (error: Error | null, found?: unknown) => void) =>
    publicLookup(name, { all }, (error, found) => done(error, found)),
  );
  for (const all of [true, false])
    await assert.rejects(look('localhost', all), { code: 'EPRIVATE', message: /private address/ });
});

test('a public server cannot send us to a private address; a private one can', async t => {
  // The proxy speaks for the public server, so that nothing here needs the network.
  const target = await serve(t, (_, response) => response.end('secret'));
  const proxy = await serve(t, (request, response) => {
    const isPublic = request.url?.startsWith('http://hub.example/') === true;
    const location = `${isPublic ? target.url : `${target.url}/next`}`;
    response.writeHead(307, { location }).end();
  });
  const http = new HttpClient({ env: { HTTP_PROXY: proxy.url }, retry: { attempts: 1 } });
  t.after(() => http.close());
  await assert.rejects(http.request(get('http://hub.example/')), /points to the private address .*refused/);
  assert.equal(target.requests.length, 0);
  const allowed = { HTTP_PROXY: proxy.url, WEIGHBRIDGE_PRIVATE_ADDRESSES: '1' };
  const trusting = new HttpClient({ env: allowed, retry: { attempts: 1 } });
  t.after(() => trusting.close());
  assert.equal(String(await (await trusting.request(get('http://hub.example/'))).bytes()), 'secret');
  const direct = new HttpClient({ env: {}, retry: { attempts: 1 } });
  t.after(() => direct.close());
  assert.equal(String(await (await direct.request(get(proxy.url))).bytes()), 'secret');
});
