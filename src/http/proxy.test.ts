import assert from 'node:assert/strict';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { ConfigError, InterruptedError } from '../core/errors.ts';
import { createAuthority } from '../testkit/authority.ts';
import { HttpClient } from './client.ts';
import { isLoopbackHost } from './hosts.ts';
import { serve } from './loopback.fixtures.ts';

const get = (url: string) => ({ method: 'GET', url, purpose: 'reading a test' }) as const;

test('other hosts are reached through the proxy, this machine never is', async t => {
  const proxy = await serve(t, (request, response) => response.end(`proxied ${request.url}`));
  const direct = await serve(t, (_, response) => response.end('direct'));
  const http = new HttpClient({ env: { HTTP_PROXY: proxy.url }, retry: { attempts: 1 } });
  t.after(() => http.close());
  const read = async (url: string) => (await (await http.request(get(url))).bytes()).toString();
  assert.equal(await read('http://hub.example/api?x=1'), 'proxied http://hub.example/api?x=1');
  assert.equal(await read(direct.url), 'direct');
  assert.equal(await read(direct.url.replace('127.0.0.1', 'localhost')), 'direct');
  assert.equal(proxy.requests.length, 1);
});

test('a proxy that is not there is named as the proxy', async t => {
  const closed = await serve(t, () => undefined);
  await new Promise(resolve => closed.server.close(resolve));
  const { port } = new URL(closed.url);
  for (const [env, url] of [
    [{ HTTP_PROXY: closed.url.replace('http://', 'http://ann:hidden@') }, 'http://hub.example/'],
    [{ https_proxy: closed.url }, 'https://hub.example/'],
    [{ HTTPS_PROXY: 'http://proxy.invalid:3128' }, 'https://hub.example/'],
  ] as const) {
    const http = new HttpClient({ env, retry: { attempts: 1 } });
    t.after(() => http.close());
    const [variable = ''] = Object.keys(env);
    await assert.rejects(http.request(get(url)), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`the proxy (127\\.0\\.0\\.1:${port}|proxy\\.invalid:3128) \\(${variable}\\)`),
      );
      assert.doesNotMatch(error.message, /hidden/);
      return true;
    });
  }
});

test('NO_PROXY is kept to', async t => {
  const proxy = await serve(t, (_, response) => response.end('proxied'));
  const env = { HTTP_PROXY: proxy.url, NO_PROXY: 'direct.invalid' };
  const http = new HttpClient({ env, retry: { attempts: 1 } });
  t.after(() => http.close());
  await assert.rejects(http.request(get('http://direct.invalid/')), /direct\.invalid/);
  assert.equal(proxy.requests.length, 0);
});

test('NO_PROXY has nets, and domains with all that is under them, as for curl and docker', async t => {
  const proxy = await serve(t, (_, response) => response.end('proxied'));
  const direct = await serve(t, (_, response) => response.end('direct'));
  const { port } = new URL(direct.url);
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['10.0.0.0/8, 0.0.0.0/8', `http://0.0.0.0:${port}/`, true],
    ['10.0.0.0/8', `http://0.0.0.0:${port}/`, false],
    ['0.0.0.0', `http://0.0.0.0:${port}/`, true],
    [`0.0.0.0:${port}`, `http://0.0.0.0:${port}/`, true],
    ['0.0.0.0-0.0.0.9', `http://0.0.0.0:${port}/`, true],
    ['0.0.0.9-0.0.0.0,0.0.0.1-0.0.0.9', `http://0.0.0.0:${port}/`, false],
    ['a, *', `http://0.0.0.0:${port}/`, true],
    ['registry.corp.invalid', 'http://registry.corp.invalid/', true],
    ['.corp.invalid', 'http://registry.corp.invalid/', true],
    ['.registry.corp.invalid', 'http://registry.corp.invalid/', true],
    ['*.corp.invalid', 'http://registry.corp.invalid/', true],
    ['*.registry.corp.invalid', 'http://registry.corp.invalid/', false],
    ['0.0.0.0/33,0.0.0.0/', `http://0.0.0.0:${port}/`, false],
    ['.other.example invalid', 'http://registry.corp.invalid/', true],
    ['corp.invalid:80', 'http://registry.corp.invalid/', true],
    ['corp.invalid:81', 'http://registry.corp.invalid/', false],
    ['orp.invalid', 'http://registry.corp.invalid/', false],
    ['', 'http://registry.corp.invalid/', false],
  ];
  for (const [NO_PROXY, url, isDirect] of cases) {
    const http = new HttpClient({ env: { HTTP_PROXY: proxy.url, NO_PROXY }, retry: { attempts: 1 } });
    t.after(() => http.close());
    const read = http.request(get(url)).then(async response => (await response.bytes()).toString());
    if (!isDirect) assert.equal(await read, 'proxied', NO_PROXY);
    else if (url.includes('invalid')) await assert.rejects(read, /registry\.corp\.invalid/, NO_PROXY);
    else assert.equal(await read, 'direct', NO_PROXY);
  }
});

test('a proxy may be named without http://', async t => {
  const proxy = await serve(t, (request, response) => {
    response.end(`${request.url} ${request.headers['proxy-authorization']}`);
  });
  const env = { http_proxy: `ann:p@${new URL(proxy.url).host}` };
  const http = new HttpClient({ env, retry: { attempts: 1 } });
  t.after(() => http.close());
  const body = await (await http.request(get('http://hub.example/'))).bytes();
  assert.equal(body.toString(), `http://hub.example/ Basic ${Buffer.from('ann:p').toString('base64')}`);
});

test('HTTPS goes through a tunnel, in which the proxy sees no path', async t => {
  const proxy = await serve(t, () => undefined);
  const asked: [string | undefined, string | undefined][] = [];
  proxy.server.on('connect', (request, socket) => {
    asked.push([request.url, request.headers['proxy-authorization']]);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  const env = { HTTPS_PROXY: proxy.url.replace('http://', 'http://user:hidden@') };
  const http = new HttpClient({ env, retry: { attempts: 1 } });
  t.after(() => http.close());
  await assert.rejects(http.request(get('https://hub.example/secret/path')), (error: Error) => {
    assert.match(
      error.message,
      /the proxy .* \(HTTPS_PROXY\) opens no connection to hub\.example:443 \(status 403\)/,
    );
    assert.doesNotMatch(error.message, /hidden|secret/);
    return true;
  });
  assert.deepEqual(asked, [['hub.example:443', `Basic ${Buffer.from('user:hidden').toString('base64')}`]]);
});

test('HTTPS is spoken inside the tunnel, with the server behind it', async t => {
  const { cert, issue } = createAuthority();
  const target = createHttps(issue('hub.example'), (request, response) =>
    response.end(`secure ${request.url}`),
  );
  await new Promise<void>(resolve => target.listen(0, '127.0.0.1', resolve));
  t.after(() => target.close());
  const proxy = await serve(t, () => undefined);
  let tunnels = 0;
  proxy.server.on('connect', (_, socket) => {
    tunnels += 1;
    const behind = connect((target.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\nvia: x\r\n\r\n');
      behind.pipe(socket).pipe(behind);
    });
    behind.on('error', () => socket.destroy());
    socket.on('error', () => behind.destroy());
  });
  const http = new HttpClient({ env: { HTTPS_PROXY: proxy.url }, retry: { attempts: 1 } });
  t.after(() => http.close());
  for (const path of ['/a', '/b']) {
    const response = await http.request({ ...get(`https://hub.example${path}`), ca: cert });
    assert.equal(String(await response.bytes()), `secure ${path}`);
  }
  assert.equal(tunnels, 1);
  await assert.rejects(
    http.request(get('https://hub.example/')),
    /certificate of hub\.example is not trusted/,
  );
});

const BAD_PROXIES: readonly (readonly [string, string, RegExp])[] = [
  [
    'a refusal',
    'HTTP/1.1 407 ECHO\r\n\r\n',
    /opens no connection to .* \(status 407: it wants a login, as http:/,
  ],
  [
    'an echo of the login',
    'HTTP/1.1 502 ECHO\r\n\r\nECHO',
    /opens no connection to hub\.example:443 \(status 502\)$/,
  ],
  ['no HTTP', '220 ECHO ready\r\n\r\n', /the answer of the proxy .* is not valid HTTP/],
  ['nothing', '', /the proxy .* did not answer in time/],
  ['the end', 'END', /the proxy .* closed the connection/],
  [
    'a head in small pieces without end',
    'DRIP',
    /the proxy .* (?:not complete after|did not answer in time)|the answer was not complete after/,
  ],
  ['a head without end', 'FLOOD', /the answer of the proxy .* is not valid HTTP \(Header overflow\)/],
];

for (const [what, answer, message] of BAD_PROXIES) {
  test(`a proxy that answers CONNECT with ${what}`, async t => {
    const proxy = createServer(socket => {
      socket.on('error', () => undefined);
      socket.once('data', request => {
        const login = /proxy-authorization: (.*)/i.exec(String(request))?.[1] ?? '';
        if (answer === 'END') socket.end();
        else if (answer === 'DRIP') {
          socket.write('HTTP/1.1 200 OK\r\nx: ');
          const timer = setInterval(() => socket.write('x'), 20);
          socket.once('close', () => clearInterval(timer));
        } else if (answer === 'FLOOD')
          socket.write(`HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(100)}`);
        else socket.write(answer.replaceAll('ECHO', `${login} hidden-password`));
      });
    });
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => proxy.close());
    const env = {
      HTTPS_PROXY: `http://user:hidden-password@127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    };
    const http = new HttpClient({ env, idleTimeoutMs: 300, retry: { attempts: 1 } });
    t.after(() => http.close());
    await assert.rejects(http.request(get('https://hub.example/')), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /hidden|aGlkZGVu|dXNlcjpo/);
      return true;
    });
  });
}

test('an abort does not wait for a proxy', async t => {
  const proxy = await serve(t, () => undefined);
  const aborted = new AbortController();
  proxy.server.on('connect', () => aborted.abort());
  const http = new HttpClient({ env: { HTTPS_PROXY: proxy.url }, retry: { attempts: 1 } });
  t.after(() => http.close());
  await assert.rejects(
    http.request({ ...get('https://hub.example/'), signal: aborted.signal }),
    InterruptedError,
  );
});

test('an address that is no proxy is refused without being printed', () => {
  for (const value of ['socks5://hidden@proxy:1', 'http://user:hidden@ proxy', 'hidden']) {
    assert.throws(
      () => new HttpClient({ env: { https_proxy: value } }),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError && error.subject === 'https_proxy', value);
        assert.doesNotMatch(`${error.message} ${error.remedy} ${error.cause}`, /hidden/);
        return true;
      },
    );
  }
  new HttpClient({ env: { HTTPS_PROXY: 'https://user:pass@proxy:3128', HTTP_PROXY: '' } }).close();
});

test('only this machine is this machine', () => {
  const local = ['localhost', '127.0.0.1', '127.8.9.10', '[::1]'];
  const foreign = [
    'localhost.example.org',
    '127.0.0.1.example.org',
    '10.0.0.1',
    '128.0.0.1',
    '[::2]',
    '0.0.0.0',
  ];
  assert.deepEqual([...local, ...foreign].filter(isLoopbackHost), local);
});
