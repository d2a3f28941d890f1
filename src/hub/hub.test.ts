import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { readAll } from '../core/byte-source.ts';
import { HubError, IntegrityError, WeighbridgeError } from '../core/errors.ts';
import { HttpClient } from '../http/client.ts';
import { DEFAULT_RETRY } from '../http/retry.ts';
import type { HttpRequest } from '../http/types.ts';
import { createHub } from './create-hub.ts';
import { FileLink } from './download/file-link.ts';
import { readSpan } from './download/file-span.ts';
import { hubFromEnv } from './hub-from-env.ts';
import { checkPaths } from './safe-path.ts';
import type { Hub, HubFile } from './types.ts';

const SHA = 'a'.repeat(40);
const OID = 'b'.repeat(40);
const RETRY = { ...DEFAULT_RETRY, attempts: 3, baseMs: 1 };
const servers: Server[] = [];
const http = new HttpClient({ retry: RETRY, idleTimeoutMs: 400 });
after(() => {
  http.close();
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
});

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(handler: Handler): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response, requests.length);
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const json = (response: ServerResponse, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
};
const info = (more: object = {}): object => ({
  id: 'acme/x',
  sha: SHA,
  gated: false,
  siblings: [
    {
      rfilename: 'w.safetensors',
      size: 10,
      blobId: OID,
      lfs: { sha256: 'c'.repeat(64), size: 10, pointerSize: 120 },
    },
    { rfilename: 'config.json', size: 2, blobId: OID },
  ],
  ...more,
});
const hubAt = (endpoint: string, token?: string): Hub =>
  createHub({ endpoint, http, readAttempts: RETRY.attempts, ...(token === undefined ? {} : { token }) });
const failsWith = (code: string, text?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof WeighbridgeError, String(error));
  assert.equal(error.code, code, error.message);
  if (text !== undefined) assert.match(`${error.message} ${error.remedy}`, text);
  assert.doesNotMatch(`${error.message} ${error.remedy}`, /hf_secret/);
  return true;
};

test('one request tells all of a model', async () => {
  const cardData = { license: ['mit', 'apache-2.0'], license_link: 'LICENSE', base_model: 'acme/base' };
  const { url, requests } = await serve((_, response) =>
    json(response, info({ cardData, gated: 'auto', private: true })),
  );
  const model = await hubAt(url, 'hf_secret').getModel('acme/x', 'refs/pr/1');
  assert.equal(requests.length, 1);
  assert.equal(requests[0]?.url, '/api/models/acme/x/revision/refs%2Fpr%2F1?blobs=true&securityStatus=true');
  assert.equal(requests[0]?.headers.authorization, 'Bearer hf_secret');
  assert.deepEqual(model.files, [
    { path: 'config.json', sizeBytes: 2, gitOid: OID },
    { path: 'w.safetensors', sizeBytes: 10, gitOid: OID, sha256: 'c'.repeat(64) },
  ]);
  assert.deepEqual(model.license, {
    license: ['mit', 'apache-2.0'],
    licenseName: null,
    licenseLink: 'LICENSE',
  });
  assert.deepEqual(
    [model.gated, model.isPrivate, model.revision, model.baseModels],
    ['auto', true, SHA, ['acme/base']],
  );
});

test('languages are the codes that a card names, in lower case, each once', async () => {
  const cases: [unknown, readonly string[] | undefined][] = [
    ['en', ['en']],
    [
      ['en', 'zh-Hans', 'EN', '../x', 7, null, 'no language'],
      ['en', 'zh-hans'],
    ],
    [false, undefined],
    [{ en: true }, undefined],
  ];
  for (const [language, expected] of cases) {
    const { url } = await serve((_, response) => json(response, info({ cardData: { language } })));
    assert.deepEqual((await hubAt(url).getModel('acme/x', null)).languages, expected);
  }
});

test('what only tags and scanners know comes with the same answer', async () => {
  const answers: [object, object][] = [
    [
      {
        tags: ['license:mit', 'base_model:acme/base', 'base_model:quantized:acme/base'],
        securityRepoStatus: {
          scansDone: true,
          filesWithIssues: [{ path: 'w.safetensors', level: 'unsafe' }],
        },
      },
      {
        license: { license: ['mit'], licenseName: null, licenseLink: null, isFromTags: true },
        baseModelRelation: 'quantized',
        safety: { isScanned: true, issues: [{ path: 'w.safetensors', level: 'unsafe' }] },
      },
    ],
    [
      {
        tags: ['license:mit'],
        cardData: { license: 'gemma', base_model_relation: 'merge' },
        securityRepoStatus: 'soon',
      },
      {
        license: { license: 'gemma', licenseName: null, licenseLink: null },
        baseModelRelation: 'merge',
        safety: undefined,
      },
    ],
    [{}, { license: { license: null, licenseName: null, licenseLink: null }, safety: undefined }],
  ];
  for (const [more, expected] of answers) {
    const { url } = await serve((_, response) => json(response, info(more)));
    const { license, baseModelRelation, safety } = await hubAt(url).getModel('acme/x', null);
    assert.deepEqual({ license, baseModelRelation, safety }, { baseModelRelation: undefined, ...expected });
  }
});

test('bases are those of the card and of the tags, and what is not readable is told', async () => {
  const answers: [unknown, readonly string[], readonly string[], readonly string[]][] = [
    ['acme/base', [], ['acme/base'], []],
    [' https://huggingface.co/acme/base ', ['base_model:finetune:acme/base'], ['acme/base'], []],
    [undefined, ['base_model:quantized:acme/base', 'base_model:acme/other'], ['acme/base', 'acme/other'], []],
    [['acme/a', null, ''], [], ['acme/a'], []],
    [['acme/a', 3, ['acme/b'], { model: 'acme/c' }], [], ['acme/a', 'acme/b'], ['3', '{"model":"acme/c"}']],
    [{ name: 'acme/a' }, [], [], ['{"name":"acme/a"}']],
    ['./outputs/x', [], ['./outputs/x'], []],
    ['', [], [], []],
    [null, [], [], []],
  ];
  for (const [base_model, tags, bases, unreadable] of answers) {
    const { url } = await serve((_, response) => json(response, info({ cardData: { base_model }, tags })));
    const { baseModels, unreadableBases = [] } = await hubAt(url).getModel('acme/x', null);
    assert.deepEqual([baseModels, unreadableBases], [bases, unreadable], JSON.stringify(base_model));
  }
});

test('a base is read under other spellings of its key, and a name or link that is a list is told', async () => {
  const cards: [object, readonly string[]][] = [
    [{ base_models: ['acme/a'] }, ['acme/a']],
    [{ 'base model': 'acme/a' }, ['acme/a']],
    [{ finetuned_from: 'acme/a', base_model: 'acme/b' }, ['acme/a', 'acme/b']],
    [{ base_model_relation: 'acme/a', models: ['acme/b'] }, []],
  ];
  for (const [cardData, bases] of cards) {
    const { url } = await serve((_, response) => json(response, info({ cardData })));
    assert.deepEqual((await hubAt(url).getModel('acme/x', null)).baseModels, bases, JSON.stringify(cardData));
  }
  const cardData = { license: 'mit', license_name: ['llama3.1'], license_link: ' ' };
  const { url } = await serve((_, response) => json(response, info({ cardData })));
  const { license } = await hubAt(url).getModel('acme/x', null);
  assert.deepEqual([license.licenseName, license.licenseLink], ['llama3.1', null]);
});

test('a license list keeps what can be read, and is not made shorter by the rest', async () => {
  const answers: [unknown, unknown][] = [
    [['mit', null], ['mit']],
    [
      ['mit', { name: 'acme' }],
      ['mit', '{"name":"acme"}'],
    ],
    [3, ['3']],
    ['', null],
    [[], null],
  ];
  for (const [written, read] of answers) {
    const { url } = await serve((_, response) => json(response, info({ cardData: { license: written } })));
    assert.deepEqual((await hubAt(url).getModel('acme/x', null)).license.license, read);
  }
});

test('a renamed repository is followed and its present name noted', async () => {
  const { url } = await serve((request, response) => {
    if (request.url?.startsWith('/api/models/old/x/')) {
      response.writeHead(307, { location: request.url.replace('old/x', 'acme/x') }).end();
    } else json(response, info());
  });
  const model = await hubAt(url).getModel('old/x', null);
  assert.deepEqual([model.id, model.requestedId], ['acme/x', 'old/x']);
});

test('where sizes are missing the tree is read, page by page', async () => {
  const entry = (name: string, more: object = {}): object => ({
    type: 'file',
    path: name,
    size: 3,
    oid: OID,
    ...more,
  });
  const { url, requests } = await serve((request, response) => {
    if (request.url?.includes('/revision/')) json(response, info({ siblings: [{ rfilename: 'a' }] }));
    else if (request.url?.includes('cursor'))
      json(response, [entry('z'), { type: 'directory', path: 'd', size: 0, oid: OID }]);
    else
      json(response, [entry('a', { size: 99, lfs: { oid: 'd'.repeat(64), size: 99 } })], {
        link: `<${url}${request.url}&cursor=1>; rel="next"`,
      });
  });
  const model = await hubAt(url).getModel('acme/x', null);
  assert.deepEqual(
    model.files.map(file => [file.path, file.sizeBytes, file.sha256]),
    [
      ['a', 99, 'd'.repeat(64)],
      ['z', 3, undefined],
    ],
  );
  assert.equal(requests.length, 3);
});

test('a list that goes on at another server is not followed with the token', async () => {
  const { url } = await serve((request, response) => {
    if (request.url?.includes('/revision/')) json(response, info({ siblings: [{ rfilename: 'a' }] }));
    else json(response, [], { link: '<http://127.0.0.2:1/next>; rel="next"' });
  });
  await assert.rejects(
    hubAt(url, 'hf_secret').getModel('acme/x', null),
    failsWith('HUB_BAD_ANSWER', /another server/),
  );
});

const REFUSALS: [string, number, Record<string, string>, string | undefined, string, RegExp][] = [
  ['gated, no token', 401, { 'x-error-code': 'GatedRepo' }, undefined, 'HUB_GATED', /set HF_TOKEN/],
  [
    'gated, token without access',
    403,
    { 'x-error-code': 'GatedRepo' },
    'hf_secret',
    'HUB_GATED',
    /no access.*terms/,
  ],
  [
    'unknown to the anonymous',
    401,
    { 'x-error-code': 'RepoNotFound' },
    undefined,
    'HUB_NOT_FOUND',
    /set HF_TOKEN/,
  ],
  [
    'unknown with a token',
    404,
    { 'x-error-code': 'RepoNotFound' },
    'hf_secret',
    'HUB_NOT_FOUND',
    /Check the id/,
  ],
  [
    'no such revision',
    404,
    { 'x-error-code': 'RevisionNotFound' },
    undefined,
    'HUB_REVISION_NOT_FOUND',
    /revision/,
  ],
  ['bad token', 401, {}, 'hf_secret', 'HUB_UNAUTHORIZED', /HF_TOKEN/],
  [
    'rate limited for long',
    429,
    { ratelimit: '"api";r=0;t=9000' },
    undefined,
    'HUB_RATE_LIMITED',
    /9000 seconds/,
  ],
  ['its own problem', 503, {}, undefined, 'HUB_UNREACHABLE', /later/],
];
for (const [name, status, headers, token, code, text] of REFUSALS) {
  test(`refusal: ${name}`, async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(status, headers).end('<html>hf_secret</html>'),
    );
    await assert.rejects(hubAt(url, token).getModel('acme/x', 'v1'), failsWith(code, text));
  });
}

test('a Hub that is down, and one that is no Hub', async () => {
  await assert.rejects(
    hubAt('http://127.0.0.1:9').getModel('acme/x', null),
    failsWith('HUB_UNREACHABLE', /HF_ENDPOINT/),
  );
  const { url } = await serve((_, response) => response.end('<html>'));
  await assert.rejects(hubAt(url).getModel('acme/x', null), failsWith('HUB_BAD_ANSWER', /not JSON/));
  const odd = await serve((_, response) => json(response, info({ sha: 'main' })));
  await assert.rejects(hubAt(odd.url).getModel('acme/x', null), failsWith('HUB_BAD_ANSWER', /sha/));
});

const HOSTILE = [
  '../a',
  'a/../b',
  '/etc/passwd',
  'a\\b',
  'a\u0000b',
  'a\u001b[2J',
  'a//b',
  './a',
  'a/.',
  'C:/a',
  '.git/config',
  '',
  'a/',
];
test('a list of millions of nothings is refused before it takes gigabytes', async () => {
  for (const [entry, count, why] of [
    ['{}', 120_000, /it lists 120001 files, and 100000 are read at most/],
    ['{}', 2_000_000, /it is not JSON/],
    ['[]', 2_000_000, /it is not JSON/],
  ] as const) {
    const { url } = await serve((_, response) =>
      response.end(`{"siblings":[${`${entry},`.repeat(count)}{}]}`),
    );
    await assert.rejects(hubAt(url).getModel('acme/x', null), failsWith('HUB_BAD_ANSWER', why));
  }
});

test('hostile paths are refused, safely shown', async () => {
  for (const hostile of HOSTILE) {
    const siblings = [{ rfilename: hostile, size: 1, blobId: OID }];
    const { url } = await serve((_, response) => json(response, info({ siblings })));
    await assert.rejects(hubAt(url).getModel('acme/x', null), (error: unknown) => {
      assert.ok(error instanceof HubError && error.code === 'HUB_HOSTILE_PATH', JSON.stringify(hostile));
      assert.doesNotMatch(error.message, /\p{Cc}/u);
      return true;
    });
  }
  for (const clash of [
    ['a', 'a/b'],
    ['a', 'a'],
    ['x/y/z', 'x/y'],
  ])
    assert.throws(() => checkPaths('m', clash), HubError);
});

test('files that no image can have are left out where they may be, and refused with what to do elsewhere', async () => {
  const names = [
    'a\\b',
    'C:x',
    'x/.wh.config.json',
    '.wh..wh..opq',
    '.weighbridge.json',
    '.weighbridge/lock',
  ];
  const siblings = [...names, 'config.json'].map(rfilename => ({ rfilename, size: 1, blobId: OID }));
  const { url } = await serve((_, response) => json(response, info({ siblings })));
  await assert.rejects(hubAt(url).getModel('acme/x', null), (error: unknown) => {
    assert.ok(error instanceof HubError && error.code === 'HUB_HOSTILE_PATH');
    assert.match(error.remedy ?? '', /files\.exclude/);
    return true;
  });
  const { files, unusable } = await hubAt(url).getModel('acme/x', null, undefined, {
    mayLeaveOut: 'all',
  });
  assert.deepEqual(
    [files.map(({ path }) => path), unusable?.map(({ path }) => path)],
    [['config.json'], names],
  );
  // All at once: a list of globs costs as much for one name as for all of them.
  const asked: (readonly string[])[] = [];
  const mayLeaveOut = (paths: readonly string[]) => {
    asked.push(paths);
    return new Set(paths);
  };
  const again = await hubAt(url).getModel('acme/x', null, undefined, { mayLeaveOut });
  assert.deepEqual([again.unusable?.length, asked], [names.length, [names]]);
  const { url: hostile } = await serve((_, response) =>
    json(response, info({ siblings: [{ rfilename: '../a', size: 1, blobId: OID }] })),
  );
  const getting = hubAt(hostile).getModel('acme/x', null, undefined, { mayLeaveOut: 'all' });
  await assert.rejects(getting, failsWith('HUB_HOSTILE_PATH', /segment/));
});

test('every path that is accepted stays inside its folder', () => {
  const segment = fc.oneof(
    fc.constantFrom('..', '.', '', 'a', 'b c', '~', '.git'),
    fc.string({ maxLength: 6, unit: 'binary' }),
  );
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), segments => {
      const name = segments.join('/');
      try {
        checkPaths('m', [name]);
      } catch (error) {
        assert.ok(error instanceof HubError);
        return;
      }
      const joined = path.posix.join('/models/x', name);
      assert.equal(joined, `/models/x/${name}`);
    }),
    { numRuns: 2000 },
  );
});

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 256));
const FILE: HubFile = { path: 'dir/w x.bin', sizeBytes: CONTENT.length, gitOid: OID };
const read = (hub: Hub): Promise<Buffer> => readAll(hub.openFile({ id: 'acme/x', revision: SHA }, FILE), 1e6);
const sendFrom = (request: IncomingMessage, response: ServerResponse, until = CONTENT.length): void => {
  const [, first, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = last ? Number(last) + 1 : CONTENT.length;
  const range = { 'content-range': `bytes ${start}-${end - 1}/${CONTENT.length}` };
  response.writeHead(first ? 206 : 200, {
    'content-length': String(end - start),
    ...(first ? range : {}),
  });
  response.write(CONTENT.subarray(start, Math.min(until, end)), () =>
    until < end ? response.destroy() : response.end(),
  );
};

test('a download that breaks goes on where it stood', async () => {
  const { url, requests } = await serve((request, response, count) =>
    sendFrom(request, response, count < 3 ? count * 100_000 : undefined),
  );
  assert.deepEqual(await read(hubAt(url)), CONTENT);
  assert.equal(requests[0]?.url, `/acme/x/resolve/${SHA}/dir/w%20x.bin`);
  assert.equal(requests[0]?.headers.range, undefined);
  assert.match(requests[1]?.headers.range ?? '', /^bytes=\d+-$/);
});

test('a server that stalls is left, one that ignores ranges is read over', async () => {
  const { url } = await serve((request, response, count) => {
    if (count === 1)
      response.writeHead(200, { 'content-length': String(CONTENT.length) }).write(CONTENT.subarray(0, 5000));
    else
      response
        .writeHead(200, { 'content-length': String(CONTENT.length) })
        .end(request.method === 'GET' ? CONTENT : '');
  });
  assert.deepEqual(await read(hubAt(url)), CONTENT);
});

test('a link that has expired is made anew, and the token stays at the Hub', async () => {
  const cdn = await serve((request, response) => {
    if (request.url === '/old') response.writeHead(403).end();
    else sendFrom(request, response);
  });
  const { url, requests } = await serve((_, response, count) =>
    response.writeHead(302, { location: `${cdn.url}/${count === 1 ? 'old' : 'new'}` }).end(),
  );
  assert.deepEqual(await read(hubAt(url, 'hf_secret')), CONTENT);
  assert.deepEqual(
    cdn.requests.map(request => request.headers.authorization),
    [undefined, undefined],
  );
  assert.equal(requests.length, 2);
});

test('storage that a public Hub names stays under suspicion for every part that is read there', async t => {
  const proxy = await serve((request, response) => {
    if (request.url?.startsWith('http://hub.example/'))
      response.writeHead(302, { location: 'http://storage.example/file' }).end();
    else response.end(CONTENT.subarray(0, 10));
  });
  const proxied = new HttpClient({ retry: RETRY, env: { HTTP_PROXY: proxy.url } });
  t.after(() => proxied.close());
  const asked: [string, boolean | undefined][] = [];
  const { request } = proxied;
  t.mock.method(proxied, 'request', (one: HttpRequest) => {
    asked.push([new URL(one.url).host, one.isPublicOnly]);
    return request.call(proxied, one);
  });
  const link = new FileLink({ url: 'http://hub.example/file', headers: {} });
  const span = { start: 0, end: 10, link, isRangeNeeded: false, onTrouble: () => undefined };
  const question = { endpoint: 'http://hub.example', model: 'acme/x', revision: SHA, hasToken: false };
  const file = { path: 'a', sizeBytes: 10 };
  const parts = { http: proxied, url: '', headers: {}, file, question, attempts: 3 };
  link.note(await proxied.request({ method: 'GET', url: 'http://hub.example/file', purpose: 'x' }));
  for await (const _ of readSpan(parts, span, {}));
  assert.deepEqual(asked, [
    ['hub.example', undefined],
    ['storage.example', true],
  ]);
});

test('a length that is not the listed one is an error at once', async () => {
  const { url, requests } = await serve((_, response) => response.end('short'));
  await assert.rejects(
    read(hubAt(url)),
    (error: unknown) => error instanceof IntegrityError && error.code === 'INTEGRITY_SIZE',
  );
  assert.equal(requests.length, 1);
});

test('a reader that takes its time is not taken for a server that stalls', async () => {
  const { url, requests } = await serve((request, response) => sendFrom(request, response));
  const chunks: Uint8Array[] = [];
  for await (const chunk of hubAt(url).openFile({ id: 'acme/x', revision: SHA }, FILE).open({ start: 0 })) {
    if (chunks.length === 0) await new Promise(resolve => setTimeout(resolve, 1300));
    chunks.push(chunk);
  }
  assert.deepEqual(Buffer.concat(chunks), CONTENT);
  assert.equal(requests.length, 1);
});

for (const [server, isRanged] of [
  ['a server that knows ranges', true],
  ['one that sends the whole file', false],
] as const) {
  test(`a span of a file is read from ${server}`, async () => {
    const { url } = await serve((request, response) => {
      if (!isRanged) delete request.headers.range;
      sendFrom(request, response);
    });
    for (const [start, end] of [
      [0, 10],
      [7, CONTENT.length - 3],
      [CONTENT.length - 5, CONTENT.length],
    ] as const) {
      const source = hubAt(url).openFile({ id: 'acme/x', revision: SHA }, FILE, { start, end });
      assert.equal(source.sizeBytes, end - start);
      assert.deepEqual(await readAll(source, 1e6), CONTENT.subarray(start, end));
      const rest = [];
      for await (const chunk of source.open({ start: 2 })) rest.push(chunk);
      assert.deepEqual(Buffer.concat(rest), CONTENT.subarray(start + 2, end));
    }
  });
}

test('an abort ends a download', async () => {
  const { url } = await serve((_, response) =>
    response.writeHead(200, { 'content-length': String(CONTENT.length) }).write('x'),
  );
  const controller = new AbortController();
  const source = hubAt(url).openFile({ id: 'acme/x', revision: SHA }, FILE);
  await assert.rejects(async () => {
    for await (const _ of source.open({ start: 0, signal: controller.signal })) controller.abort();
  }, failsWith('INTERRUPTED'));
});

test('tokens and endpoint come from the environment; a broken one is refused unseen', () => {
  assert.equal(hubFromEnv({}, http).endpoint, 'https://huggingface.co');
  assert.equal(hubFromEnv({ HF_ENDPOINT: 'http://localhost:1/' }, http).endpoint, 'http://localhost:1');
  assert.throws(() => hubFromEnv({ HF_ENDPOINT: 'hub' }, http), failsWith('USAGE'));
  assert.throws(() => hubFromEnv({ HF_TOKEN: 'hf_secret\nx' }, http), failsWith('USAGE', /HF_TOKEN/));
  assert.throws(() => hubFromEnv({ HF_TOKEN: `hf_"x"y` }, http), failsWith('USAGE', /without quotes/));
  assert.doesNotThrow(() => hubFromEnv({ WEIGHBRIDGE_HUB_STREAMS: '1' }, http));
  assert.throws(() => hubFromEnv({ WEIGHBRIDGE_HUB_STREAMS: '0' }, http), failsWith('USAGE', /from 1 to 8/));
});

test('a token goes over plain HTTP to this machine alone, unless that is allowed', () => {
  const plain = { HF_ENDPOINT: 'http://hub.lab' };
  const token = { HF_TOKEN: 'hf_secret' };
  assert.throws(() => hubFromEnv({ ...plain, ...token }, http), failsWith('USAGE', /over plain HTTP/));
  for (const env of [
    plain,
    { HF_ENDPOINT: 'https://hub.lab', ...token },
    { HF_ENDPOINT: 'http://127.0.0.1:1', ...token },
    { ...plain, ...token, WEIGHBRIDGE_PLAIN_HTTP_TOKEN: '1' },
  ])
    assert.doesNotThrow(() => hubFromEnv(env, http));
});

test('quotes around a token, which docker --env-file keeps, are not part of it', async () => {
  const seen: (string | undefined)[] = [];
  const { url } = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(404).end();
  });
  for (const HF_TOKEN of ['"hf_x"', "'hf_x'", ' hf_x\n'])
    await hubFromEnv({ HF_ENDPOINT: url, HF_TOKEN }, http)
      .getModel('a/b', null)
      .catch(() => undefined);
  assert.deepEqual([...new Set(seen)], ['Bearer hf_x']);
});
