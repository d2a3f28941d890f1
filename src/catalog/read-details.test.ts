import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HubError } from '../core/errors.ts';
import { HttpClient } from '../http/client.ts';
import { createHub } from '../hub/create-hub.ts';
import type { Hub } from '../hub/types.ts';
import type { FoundModel } from '../inspect/read-published.ts';
import { startHub } from '../testkit/hub.ts';
import { readDetails } from './read-details.ts';

const signal = new AbortController().signal;
const open = (): never => {
  throw new TypeError('no image has a card');
};

const found = (id: string, revision: string): FoundModel =>
  ({
    id,
    short: id.replace('/', '-'),
    problems: [],
    images: [
      {
        digest: `sha256:${'a'.repeat(64)}`,
        places: [],
        referrers: [],
        files: [{ path: 'model.safetensors', sizeBytes: 1e9 }],
        platforms: [
          {
            platform: 'linux/amd64',
            labels: { 'org.opencontainers.image.base.name': 'vllm/vllm-openai:v0.11.2' },
            container: {},
            config: {},
            layers: [],
            manifest: { layers: [] },
            model: { id, revision, variant: 'slim', dir: '/models/x' },
          },
        ],
      },
    ],
  }) as unknown as FoundModel;

const CONFIG = JSON.stringify({
  architectures: ['Qwen2ForCausalLM'],
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  hidden_size: 896,
  max_position_embeddings: 32768,
});

test('the Hub is asked about the published revision; an odd, a gone and a gated model are left out', async () => {
  await using server = await startHub();
  const card = '---\nlanguage: [en, zh]\nlicense: mit\n---\n# First\n';
  const first = await server.addModel({ id: 'acme/x', files: { 'README.md': card, 'config.json': CONFIG } });
  await server.updateFile('acme/x', 'README.md', '# Later\n');
  const odd = await server.addModel({
    id: 'acme/odd',
    files: { 'README.md': '# Odd', 'config.json': '{{{' },
  });
  const gated = await server.addModel({
    id: 'acme/gated',
    gated: 'manual',
    files: { 'README.md': '# No', 'config.json': CONFIG },
  });
  server.faults.add({ match: /models\/acme\/broken/, kind: 'status', status: 400, times: 100 });
  const http = new HttpClient({ userAgent: 'test' });
  const hub = createHub({ endpoint: server.url, http });
  const models = [
    found('acme/x', first),
    found('acme/odd', odd),
    found('acme/gated', gated),
    found('acme/broken', 'b'.repeat(40)),
    found('acme/gone', 'c'.repeat(40)),
  ];
  const { details, notes } = await readDetails(models, { hub, open, signal });
  http.close();
  const x = details.get('acme-x');
  assert.equal(x?.card, card);
  assert.deepEqual(x?.facts?.languages, ['en', 'zh']);
  assert.equal(x?.facts?.weightBytes, 1e9);
  assert.deepEqual([x?.license, x?.access, x?.committed?.slice(0, 4)], ['mit', null, '2026']);
  assert.deepEqual(
    [details.get('acme-odd')?.card, details.get('acme-odd')?.fit?.status],
    ['# Odd', 'unknown'],
  );
  assert.deepEqual(
    [details.get('acme-gated')?.access, details.get('acme-gated')?.card],
    ['gated', undefined],
  );
  assert.deepEqual([details.has('acme-broken'), details.has('acme-gone')], [false, false]);
  assert.equal(notes.length, 2);
});

test('a Hub that is down is asked about the models under way, and no more', async () => {
  let asked = 0;
  const hub = {
    endpoint: 'https://hub.example',
    getModel: async () => {
      asked += 1;
      throw new HubError('no route', { code: 'HUB_UNREACHABLE' });
    },
  } as unknown as Hub;
  const models = Array.from({ length: 50 }, (_, index) => found(`acme/m${index}`, 'a'.repeat(40)));
  const { details, notes } = await readDetails(models, { hub, open, signal });
  assert.ok(asked <= 6, `${asked}`);
  assert.equal(details.size, 0);
  assert.deepEqual(notes, ['the Hub was not asked further: no route']);
});

test('a model that never answers ends at its limit, an interrupted run at once', async () => {
  const hub = {
    endpoint: 'https://hub.example',
    getModel: async (_id: string, _revision: string, ended: AbortSignal) =>
      await new Promise((_, reject) => {
        if (ended.aborted) reject(ended.reason);
        ended.addEventListener('abort', () => reject(ended.reason));
      }),
  } as unknown as Hub;
  const models = [found('acme/x', 'a'.repeat(40))];
  const { notes } = await readDetails(models, { hub, open, signal, limits: { modelMs: 1, allMs: 1000 } });
  assert.deepEqual(notes, ['acme/x: it took too long']);
  const ended = AbortSignal.abort(new Error('interrupted'));
  await assert.rejects(readDetails(models, { hub, open, signal: ended }), /interrupted/);
});
