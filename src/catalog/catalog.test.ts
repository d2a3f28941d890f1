import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { GIB } from '../core/units.ts';
import type { ImageLayer, PublishedImage } from '../image/published-image.ts';
import type { FoundImage, FoundModel } from '../inspect/read-published.ts';
import type { CatalogData, CatalogModel } from './catalog-data.ts';
import { atomFeed } from './feed.ts';
import { makeSite, type SiteSources } from './make-site.ts';
import { toTopic } from './pages/docs-page.ts';
import { marksFor } from './pages/layers-section.ts';
import { toCatalog } from './to-catalog.ts';

const NOW = new Date('2026-11-25T12:00:00Z');
const REVISION = 'a'.repeat(40);

function layer(kind: ImageLayer['kind'], sizeBytes: number, path: string): ImageLayer {
  const digest = `sha256:${Buffer.from(path).toString('hex').padEnd(64, '0').slice(0, 64)}` as const;
  const file = { path, sizeBytes, offset: 0, contentId: 'sha256:x', sha256: 'b'.repeat(64) };
  return { digest, sizeBytes, kind, createdBy: 'a step', files: kind === 'base' ? [] : [file] };
}

function image(
  variant: string,
  changes: Partial<FoundImage> = {},
  labels: Record<string, string> = {},
): FoundImage {
  const digest = `sha256:${(variant === 'fat' ? 'f' : '5').repeat(64)}` as const;
  const platform = {
    digest,
    platform: 'linux/amd64',
    labels: {
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': 'v0.6.0',
      'org.opencontainers.image.base.name': 'vllm/vllm-openai:v0.6.0',
      ...labels,
    },
    config: { created: '2026-01-01T00:00:00Z' },
    container: {},
    model: { id: 'acme/x', revision: REVISION, variant, dir: '/models/x' },
    layers: [layer('base', 12 * GIB, 'base'), layer('weights', 3 * GIB, 'models/x/model.safetensors')],
  } as unknown as PublishedImage;
  return {
    digest,
    platforms: [platform],
    places: [{ registry: 'ghcr', repository: 'ghcr.io/acme/hf-x', tags: ['v0.6.0-fat', `r${REVISION}-fat`] }],
    files: [{ path: 'model.safetensors', sizeBytes: 3 * GIB, sha256: 'b'.repeat(64) }],
    referrers: [],
    ...changes,
  };
}

const model = (images: readonly FoundImage[], changes: Partial<FoundModel> = {}): FoundModel => ({
  id: 'acme/x',
  short: 'x',
  images,
  problems: [],
  ...changes,
});

const options = { title: 'Models', now: NOW, previous: undefined };

test('a model without an image is left out; the others are in the order of their names', () => {
  const data = toCatalog(
    [
      model([image('fat')], { short: 'b' }),
      model([], { short: 'none' }),
      model([image('slim')], { short: 'a' }),
    ],
    options,
  );
  assert.deepEqual(
    data.models.map(one => one.short),
    ['a', 'b'],
  );
});

test('an image counts from when a catalog had it first, never from the age of its base', () => {
  const first = toCatalog([model([image('fat')])], { ...options, now: new Date('2026-11-20T08:00:00Z') });
  assert.equal(first.models[0]?.updated, '2026-11-20T08:00:00Z');
  const later = toCatalog([model([image('slim'), image('fat')])], { ...options, previous: first });
  assert.deepEqual(
    later.models[0]?.images.map(one => [one.variant, one.firstSeen]),
    [
      ['slim', '2026-11-25T12:00:00Z'],
      ['fat', '2026-11-20T08:00:00Z'],
    ],
  );
  assert.equal(later.models[0]?.updated, '2026-11-25T12:00:00Z');
});

test('what an older catalog dated by its base image counts from that catalog', () => {
  const [known] = toCatalog([model([image('fat')])], options).models;
  const [only] = known?.images ?? [];
  const previous = {
    schemaVersion: 1,
    title: 'Models',
    generated: '2026-11-01T00:00:00Z',
    models: [{ ...known, images: [{ ...only, firstSeen: only?.created }] }],
  } as CatalogData;
  const later = toCatalog([model([image('fat')])], { ...options, previous });
  assert.equal(later.models[0]?.images[0]?.firstSeen, '2026-11-01T00:00:00Z');
});

const LABELS = {
  'io.weighbridge.model.license': 'llama3.1',
  'io.weighbridge.model.parameters': '8030261248',
  'io.weighbridge.model.precision': 'bf16',
  'io.weighbridge.model.context-length': '131072',
  'io.weighbridge.model.task': 'generate',
  'io.weighbridge.model.languages': 'en,de',
  'io.weighbridge.model.attention-heads': '32',
  'io.weighbridge.model.kv-cache': '{"bytesPerToken":131072,"kvHeads":8}',
  'io.weighbridge.model.access': 'gated',
  'io.weighbridge.fat.refused': 'gated',
  'io.weighbridge.fat.reason': 'The Hub gates this model.',
  'io.weighbridge.model.adapters': JSON.stringify([['sql', 'acme/sql-lora', 'b'.repeat(40), 'mit']]),
};

test('labels alone tell what a model is, what it needs, and why it has no fat image', () => {
  const data = toCatalog([model([image('slim', {}, LABELS)])], options);
  const [one] = data.models;
  assert.deepEqual(
    [one?.license, one?.access, one?.fatRefusal?.rule, one?.facts.parameters, one?.facts.languages],
    ['llama3.1', 'gated', 'gated', 8_030_261_248, ['en', 'de']],
  );
  assert.deepEqual(one?.facts.gpus[0], { memoryGB: 16, count: 1, contextLength: 73_728 });
  const page = pageOf(data, 'models/x.html');
  assert.match(page, /Why there is no fat image:<\/strong> The Hub gates this model\./);
  assert.match(page, /The model is gated\./);
  assert.match(page, /<code>sql<\/code>.*<bdi>acme\/sql-lora<\/bdi>/);
  const list = pageOf(data, 'index.html');
  assert.match(list, /<span class="badge badge-gate" data-f="access">gated<\/span>/);
  assert.match(list, /1 × 16 GB/);
});

test('the Hub fills what labels leave open; the catalog before keeps it for the same revision', () => {
  const details = new Map([
    [
      'x',
      {
        access: null,
        license: 'mit',
        committed: '2026-05-01T00:00:00Z',
        facts: undefined,
        fit: {
          status: 'warn' as const,
          findings: [{ rule: 'no-tokenizer' as const, message: 'No tokenizer.', evidence: 'files' }],
        },
        card: '# Hello\n\n<script>alert(1)</script> *World*',
      },
    ],
  ]);
  const asked = toCatalog([model([image('fat')])], { ...options, details });
  const later = toCatalog([model([image('fat')])], { ...options, previous: asked });
  for (const data of [asked, later]) {
    assert.equal(data.models[0]?.revisionDate, '2026-05-01T00:00:00Z');
    assert.equal(data.models[0]?.fit?.findings[0]?.message, 'No tokenizer.');
  }
  const cards = new Map([['x', '# Hello\n\n<script>alert(1)</script> *World*']]);
  const page = pageOf(asked, 'models/x.html', { cards });
  assert.match(page, /<h3 id="card-hello">Hello<\/h3>/);
  assert.match(page, /It may not run/);
  assert.doesNotMatch(page, /alert/);
});

test('a model whose labels are nonsense is a row with nothing known', () => {
  const odd = {
    'org.opencontainers.image.url': 'javascript:alert(1)',
    'org.opencontainers.image.title': 'a\u202eb',
    'io.weighbridge.model.parameters': '1e99',
    'io.weighbridge.model.task': '<b>x</b>',
    'io.weighbridge.model.precision': 'a'.repeat(1000),
    'io.weighbridge.model.kv-cache': '[]',
    'io.weighbridge.model.lineage': '[["javascript:alert(1)","x"]]',
  };
  const data = toCatalog([model([image('fat', {}, odd)])], options);
  const [one] = data.models;
  assert.deepEqual([one?.facts.parameters, one?.facts.task, one?.facts.precision], [null, null, null]);
  assert.equal(one?.url, 'https://huggingface.co/acme/x');
  for (const { path, content } of makeSite({ data, docs: [], assets: [], url: undefined }))
    assert.doesNotMatch(String(content), /\u202e|href="javascript:/, path);
});

test('every page has a policy that lets nothing in from elsewhere, and nothing that it would stop', () => {
  const data = toCatalog([model([image('fat'), image('slim', {}, LABELS)])], options);
  const cards = new Map([['x', '<p style="color:red" onclick="x()">a</p>']]);
  for (const { path, content } of makeSite({ data, docs: [], cards, assets: [], url: undefined })) {
    if (!path.endsWith('.html')) continue;
    const text = String(content);
    assert.match(
      text,
      /http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'sha256-/,
    );
    assert.doesNotMatch(text, /<[^>]*\s(style|on\w+)=/, path);
    assert.equal(text.match(/<script>/g)?.length, 1, path);
  }
});

test('with an address there are previews of links, and a sitemap of every page', () => {
  const data = toCatalog([model([image('fat')])], options);
  const url = 'https://acme.example/models/';
  const site = [...makeSite({ data, docs: [{ name: 'a', markdown: '# A' }], assets: [], url })];
  const sitemap = String(site.find(({ path }) => path === 'sitemap.xml')?.content);
  assert.deepEqual(
    [...sitemap.matchAll(/<loc>(.*?)<\/loc>/g)].map(([, loc]) => loc),
    [url, `${url}models/x.html`, `${url}docs/index.html`, `${url}docs/a.html`],
  );
  assert.match(
    pageOf(data, 'models/x.html', { url }),
    /<meta property="og:url" content="https:\/\/acme\.example\/models\/models\/x\.html" \/>/,
  );
  assert.doesNotMatch(pageOf(data, 'models/x.html'), /og:url|canonical/);
});

test('ten thousand models: a first page of bounded size, and lists for readers without scripts', () => {
  const [one] = toCatalog([model([image('fat', {}, LABELS)])], options).models;
  const models = Array.from({ length: 10_000 }, (_, index) => ({
    ...(one as CatalogModel),
    short: `m${index}`,
    page: `models/m${index}.html`,
  }));
  const data = { schemaVersion: 1, title: 'Models', generated: '2026-11-25T12:00:00Z', models } as const;
  const files = new Map<string, string>();
  for (const { path, content } of makeSite({ data, docs: [], assets: [], url: undefined })) {
    if (path.startsWith('models/')) break;
    files.set(path, String(content));
  }
  assert.ok((files.get('index.html') ?? '').length < 150_000);
  assert.equal([...files.keys()].filter(path => /^all(-\d+)?\.html$/.test(path)).length, 20);
  assert.match(files.get('all.html') ?? '', /href="all-20\.html"/);
  assert.ok((files.get('assets/rows.js') ?? '').length < 3_000_000);
});

function pageOf(data: CatalogData, name: string, more: Partial<SiteSources> = {}): string {
  const site = [...makeSite({ data, docs: [], assets: [], url: undefined, ...more })];
  return String(site.find(({ path }) => path === name)?.content);
}

test('what a model was made from stands beside its license; a label that makes no sense is none', () => {
  const label = (text: string) => image('fat', {}, { 'io.weighbridge.model.lineage': text });
  const lineageIn = (text: string) => toCatalog([model([label(text)])], options).models[0]?.lineage;
  const rows = [
    ['meta-llama/Llama-3.1-8B', 'llama3.1'],
    ['acme/older', null],
  ];
  assert.deepEqual(lineageIn(JSON.stringify(rows)), [
    { id: 'meta-llama/Llama-3.1-8B', license: 'llama3.1' },
    { id: 'acme/older', license: null },
  ]);
  for (const text of ['{', '{"a":1}', '[[1]]', '[null]']) assert.deepEqual(lineageIn(text), [], text);
  const data = toCatalog([model([label(JSON.stringify(rows))])], options);
  const site = [...makeSite({ data, docs: [], assets: [], url: undefined })];
  const page = site.find(({ path }) => path === 'models/x.html');
  assert.match(String(page?.content), /<bdi>meta-llama\/Llama-3\.1-8B<\/bdi><\/a>: llama3\.1/);
});

test('words from a registry never become markup, nor an XML feed that cannot be read', () => {
  const evil = '</script><img src=x onerror=alert(1)>"\'&\u0007';
  const found = model(
    [
      image(
        'fat',
        {},
        { 'org.opencontainers.image.licenses': evil, 'org.opencontainers.image.description': evil },
      ),
    ],
    {
      problems: [evil],
    },
  );
  const data = toCatalog([found], { ...options, title: evil });
  for (const { path, content } of makeSite({ data, docs: [], assets: [], url: undefined })) {
    if (path.endsWith('.html')) assert.doesNotMatch(String(content), /<img|<\/script><img/, path);
    if (path.endsWith('.xml'))
      assert.ok(!/<img/.test(String(content)) && !String(content).includes('\u0007'), path);
  }
});

test('a label that is not an address of the web becomes no link, and a date that is none no date', () => {
  for (const url of ['javascript:alert(1)', 'data:text/html,x', 'x', '//evil.example']) {
    const odd = image('fat', {}, { 'org.opencontainers.image.url': url });
    const data = toCatalog([model([odd])], options);
    assert.equal(data.models[0]?.url, 'https://huggingface.co/acme/x', url);
  }
  const fine = image('fat', {}, { 'org.opencontainers.image.url': 'https://acme.example/x' });
  assert.equal(toCatalog([model([fine])], options).models[0]?.url, 'https://acme.example/x');
  const dated = image('fat');
  for (const created of ['</updated><x>', 'yesterday', 7, '2026-99-99T00:00:00Z']) {
    Object.assign(dated.platforms[0]?.config ?? {}, { created });
    const data = toCatalog([model([dated])], options);
    assert.equal(data.models[0]?.images[0]?.created, '1970-01-01T00:00:00Z');
    assert.doesNotMatch(atomFeed(data, undefined), /<x>|yesterday/);
  }
});

test('no page runs a script that is not of the site', () => {
  const data = toCatalog([model([image('fat')])], options);
  const pages = [...makeSite({ data, docs: [], assets: [], url: undefined })].filter(({ path }) =>
    path.endsWith('.html'),
  );
  assert.ok(pages.length > 1);
  for (const { path, content } of pages) {
    const text = String(content);
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text) ?? [];
    assert.match(policy, /^default-src 'none'; script-src 'self' 'sha256-[^']+'; /, path);
    const inline = [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script = '']) => script);
    assert.equal(inline.length, 1);
    for (const script of inline)
      assert.ok(policy.includes(`'sha256-${createHash('sha256').update(script).digest('base64')}'`), path);
    assert.doesNotMatch(text, / on[a-z]+=/);
  }
});

test('the feed has whole addresses where it knows its own', () => {
  const data = toCatalog([model([image('fat')])], options);
  const feed = atomFeed(data, 'https://acme.example/models/');
  assert.match(
    feed,
    /<link rel="alternate" type="text\/html" href="https:\/\/acme\.example\/models\/models\/x\.html"\/>/,
  );
  assert.match(feed, /<id>urn:oci:sha256:f{64}<\/id>/);
  assert.match(atomFeed(data, undefined), /href="models\/x\.html"/);
});

test('a topic: anchors as on GitHub, links between topics, none out of the folder', () => {
  const markdown =
    '# Top `x`\n\nFirst. More.\n\n## A & B\n\n[a](policy.md#the-rules) [b](../README.md) [d](gone.md#there) [c](https://x.example/?a=1&b=2)\n\n```sh\necho "<b>"\n```\n';
  const { title, summary, headings, body } = toTopic({ name: 'x', markdown }, new Set(['x', 'policy']));
  const text = JSON.stringify(body);
  assert.deepEqual([title, summary], ['Top x', 'First. More.']);
  assert.deepEqual(
    headings.map(heading => heading.id),
    ['a--b'],
  );
  assert.match(text, /href=\\"policy\.html#the-rules\\"/);
  assert.doesNotMatch(text, /README|gone|<b>/);
});

test('a scale has a handful of round marks, whatever it weighs', () => {
  assert.deepEqual(
    marksFor(25 * GIB).map(mark => mark / GIB),
    [0, 5, 10, 15, 20, 25],
  );
  for (const max of [1, 700, 5000, 3 * 1024 ** 2, 1.1 * GIB, 754 * GIB, 3 * 1024 ** 4]) {
    const marks = marksFor(max);
    assert.ok(marks.length >= 2 && marks.length <= 9, `${max}: ${marks.length}`);
    assert.ok(marks.every(mark => mark <= max));
  }
});
