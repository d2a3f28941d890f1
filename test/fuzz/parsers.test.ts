import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Digest } from '../../src/core/digest.ts';
import { WeighbridgeError } from '../../src/core/errors.ts';
import { HttpClient } from '../../src/http/client.ts';
import { isPrivateHost } from '../../src/http/hosts.ts';
import { nextLink } from '../../src/http/link-header.ts';
import { redactUrl } from '../../src/http/redact.ts';
import { serverWaitMs } from '../../src/http/retry.ts';
import { parseModelInfo, parseTreePage } from '../../src/hub/model-info.ts';
import { readLayerDescriptor, readPart } from '../../src/image/format/layer-annotations.ts';
import { parseSlimList } from '../../src/image/published-image.ts';
import { parseSafetensorsHeader } from '../../src/layer/safetensors-header.ts';
import { formatSafetensorsIndex, parseSafetensorsIndex } from '../../src/layer/safetensors-index.ts';
import { buildImage } from '../../src/oci/image.ts';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import { parseManifest } from '../../src/oci/parse.ts';
import { formatPlatform, parsePlatform, parseReference } from '../../src/oci/reference.ts';
import { type ImageConfig, MediaType } from '../../src/oci/types.ts';
import { parseChallenges } from '../../src/store/auth/auth-challenge.ts';
import { RegistryClient } from '../../src/store/registry/registry-client.ts';
import { parseTagList } from '../../src/store/registry/tag-list.ts';
import { heldBytes } from '../../src/store/registry/upload/upload-session.ts';
import { IS_LONG } from '../support/long.ts';

// What comes from outside, as it should be and as it should not: what is right is read, what is wrong is an error with a
// code or nothing, and never anything else. Samples are cut, doubled, mixed and bent; the long form does so for longer.

const RUNS = { numRuns: IS_LONG ? 20_000 : 400 };
const DIGEST = `sha256:${'0a'.repeat(32)}`;
const OID = '0a'.repeat(20);

/** Texts that are one of the samples, or were. */
function bent(...samples: readonly string[]): fc.Arbitrary<string> {
  const sample = fc.constantFrom(...samples);
  const edit = fc.record({
    at: fc.nat(400),
    drop: fc.nat(6),
    put: fc.oneof(fc.string({ maxLength: 4 }), sample),
  });
  const edited = fc
    .tuple(sample, fc.array(edit, { maxLength: 4 }))
    .map(([text, edits]) =>
      edits.reduce((now, { at, drop, put }) => now.slice(0, at) + put + now.slice(at + drop), text),
    );
  return fc.oneof({ weight: 8, arbitrary: edited }, { weight: 1, arbitrary: fc.string({ unit: 'binary' }) });
}

/** JSON that is one of the samples, or was: also with other values in the places of its own. */
function bentJson(...samples: readonly unknown[]): fc.Arbitrary<Buffer> {
  const values = fc
    .tuple(fc.constantFrom(...samples), fc.nat(40), fc.jsonValue())
    .map(([sample, at, value]) => {
      let seen = 0;
      const swap = (_: string, old: unknown): unknown => (seen++ === at ? value : old);
      return JSON.stringify(sample, swap) ?? 'null';
    });
  return fc
    .oneof(values, bent(...samples.map(sample => JSON.stringify(sample))))
    .map(text => Buffer.from(text));
}

/** The result, or undefined where it is refused with one of our errors; anything else fails the test. */
function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    assert.ok(error instanceof WeighbridgeError, `a defect: ${error instanceof Error ? error.stack : error}`);
    return undefined;
  }
}

test('WWW-Authenticate: every parameter that is found stands in the header', () => {
  const header = bent(
    'Bearer realm="https://a/token",service="a",scope="repository:x/y:pull,push"',
    'Basic realm=x, Bearer a=b',
  );
  fc.assert(
    fc.property(header, text => {
      for (const { scheme, parameters } of parseChallenges(text)) {
        assert.ok(text.toLowerCase().includes(scheme));
        for (const [name] of parameters) assert.ok(text.toLowerCase().includes(name));
      }
    }),
    RUNS,
  );
});

test('Link: the next page stands in the header, in time that does not explode', () => {
  const header = bent(
    '</v2/x/tags/list?last=b&n=2>; rel="next"',
    '<https://a/b?c=1,2>; rel=next; title="x", <d>; rel="prev"',
  );
  fc.assert(
    fc.property(header, link => {
      const next = nextLink({ link });
      if (next !== undefined) assert.ok(link.includes(`<${next}>`));
    }),
    RUNS,
  );
  assert.equal(nextLink({ link: '<a>; rel="prev", <b>; title="x"; rel="next"' }), 'b');
  assert.equal(nextLink({ link: '<a>; rel="nextish"' }), undefined);
  // One that takes the square of the length would be at it for hours.
  for (const piece of ['<', '<>;', '<a>; ', ' ', '<a>;;;', '; rel='])
    nextLink({ link: `<a>${piece.repeat(1_000_000)}` });
});

test('Range of an upload: a whole number above one, or nothing', () => {
  fc.assert(
    fc.property(bent('0-1023', 'bytes=0-99', '0-0', '0-9007199254740993'), range => {
      const held = heldBytes({ headers: { range } });
      assert.ok(held === undefined || (Number.isSafeInteger(held) && held > 1));
    }),
    RUNS,
  );
});

test('Retry-After and RateLimit: a wait that is a number, or none', () => {
  const header = bent('120', 'Wed, 21 Oct 2026 07:28:00 GMT', '-1', '1e9');
  fc.assert(
    fc.property(header, header, bent('"api";r=0;t=55'), (retryAfter, date, ratelimit) => {
      const waitMs = serverWaitMs({ 'retry-after': retryAfter, date, ratelimit });
      assert.ok(waitMs === undefined || (waitMs >= 0 && !Number.isNaN(waitMs)));
    }),
    RUNS,
  );
});

test('Location: an HTTP address, encrypted where the registry is, and never a private one that it may not name', () => {
  const http = new HttpClient();
  const client = new RegistryClient({ http, registry: 'ghcr.io', credential: async () => undefined });
  const location = bent(
    '/v2/x/blobs/uploads/1?_state=a',
    'https://uploads.example/x?sig=1',
    'https://10.0.0.1/x',
    'https://[::1]/x',
    'http://ghcr.io/x',
    'file:///etc/passwd',
    'https://0x7f000001/',
    '//localhost/x',
  );
  fc.assert(
    fc.property(location, text => {
      const url = orRefused(() => client.resolve(text));
      if (url === undefined) return;
      const { protocol, hostname } = new URL(url);
      assert.equal(protocol, 'https:');
      assert.ok(!isPrivateHost(hostname), url);
    }),
    RUNS,
  );
  http.close();
});

test('a redacted address has neither a password nor an unknown value, and is one line', () => {
  fc.assert(
    fc.property(bent('https://u:secret@a.example/b?sig=secret&n=2#secret', 'https://a/b?secret'), text => {
      const shown = redactUrl(text);
      assert.doesNotMatch(shown, /[\r\n]/);
      if (!/^https?:/.test(shown) || !URL.canParse(shown)) return;
      const { username, password, searchParams, hash } = new URL(shown);
      assert.deepEqual([username, password, hash], ['', '', '']);
      assert.ok(searchParams.getAll('sig').every(value => value === '…'));
    }),
    RUNS,
  );
});

test('references and platforms: what is read can be written and read again', () => {
  fc.assert(
    fc.property(
      bent('ghcr.io/acme/hf-x:v1', `localhost:5000/a/b@${DIGEST}`, 'vllm/vllm-openai', '[::1]:5000/a'),
      text => {
        const parsed = orRefused(() => parseReference(text));
        if (parsed === undefined) return;
        const { registry, repository, tag, digest } = parsed;
        const again = `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
        assert.deepEqual(parseReference(again), parsed);
      },
    ),
    RUNS,
  );
  fc.assert(
    fc.property(bent('linux/amd64', 'linux/arm64/v8'), text => {
      const parsed = orRefused(() => parsePlatform(text));
      if (parsed !== undefined) assert.deepEqual(parsePlatform(formatPlatform(parsed)), parsed);
    }),
    RUNS,
  );
});

const DESCRIPTOR = { mediaType: MediaType.ociLayerTar, digest: DIGEST, size: 2048 };

test('manifests, indexes and configs: what is relied on is there, or it is refused', () => {
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    config: DESCRIPTOR,
    layers: [DESCRIPTOR],
  };
  const index = {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: [{ ...DESCRIPTOR, platform: { os: 'linux', architecture: 'amd64' } }],
  };
  fc.assert(
    fc.property(
      bentJson(manifest, index),
      fc.constantFrom(MediaType.ociManifest, MediaType.dockerIndex, ''),
      (bytes, type) => {
        const parsed = orRefused(() => parseManifest(bytes, type, 'x'));
        if (parsed === undefined) return;
        const all =
          parsed.kind === 'index'
            ? parsed.index.manifests
            : [parsed.manifest.config, ...parsed.manifest.layers];
        for (const { digest, size } of all) {
          assert.match(digest, /^sha256:[0-9a-f]{64}$/);
          assert.ok(Number.isSafeInteger(size) && size >= 0);
        }
      },
    ),
    RUNS,
  );
  const config = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [DIGEST] },
    config: { Env: ['A=b'] },
  };
  fc.assert(
    fc.property(bentJson(config), bytes => {
      const parsed = orRefused(() => parseImageConfig(bytes, 'x'));
      if (parsed !== undefined)
        assert.ok(parsed.rootfs.diff_ids.every(id => /^sha256:[0-9a-f]{64}$/.test(id)));
      // Whatever is read as a base image's can be built on.
      if (parsed !== undefined) buildOn(parsed);
    }),
    RUNS,
  );
});

function buildOn(config: ImageConfig): void {
  const platform = { os: 'linux', architecture: 'amd64' };
  const base = { reference: 'x', digest: DIGEST as Digest, storeName: 'x', platform, config, layers: [] };
  const spec = {
    base,
    layers: [],
    env: { A: '1' },
    entrypoint: ['x'],
    exposedPorts: ['1/tcp'],
    labels: { a: 'b' },
  };
  const built = JSON.parse(String(buildImage(spec).config.bytes));
  const described = built.history.filter((entry: { empty_layer?: boolean }) => entry.empty_layer !== true);
  assert.equal(described.length, config.rootfs.diff_ids.length);
}

test('the list of files in a slim image', () => {
  const files = [
    { path: 'a', size: 1, sha256: '0a'.repeat(32) },
    { path: 'b/c', size: 2, gitOid: OID },
  ];
  fc.assert(
    fc.property(bentJson({ schemaVersion: 1, id: 'a/b', files }), bytes => {
      const list = orRefused(() => parseSlimList(bytes, 'x'));
      for (const { path, sizeBytes } of list ?? []) {
        assert.equal(typeof path, 'string');
        assert.ok(Number.isSafeInteger(sizeBytes));
      }
    }),
    RUNS,
  );
});

test('what a layer says of itself: a file lies inside it, or it is a stranger’s', () => {
  const files = JSON.stringify([['models/x/a', 100, 512, DIGEST, '0a'.repeat(32)]]);
  const ours = {
    ...DESCRIPTOR,
    annotations: { 'io.weighbridge.layer.key': '0a'.repeat(32), 'io.weighbridge.files': files },
  };
  const annotation = bent(files);
  fc.assert(
    fc.property(annotation, fc.nat(4096), (text, size) => {
      const layer = readLayerDescriptor({
        ...ours,
        digest: DIGEST as `sha256:${string}`,
        size,
        annotations: { ...ours.annotations, 'io.weighbridge.files': text },
      });
      for (const file of layer?.files ?? []) assert.ok(file.offset + file.sizeBytes <= size);
    }),
    RUNS,
  );
});

test('safetensors headers: tensors that account for every byte of the file, or it is refused', () => {
  const header = {
    __metadata__: { format: 'pt' },
    a: { dtype: 'BF16', shape: [2, 3], data_offsets: [0, 12] },
    b: { dtype: 'F32', shape: [], data_offsets: [12, 16] },
  };
  fc.assert(
    fc.property(bentJson(header), fc.constantFrom(16, 12, 0), (bytes, dataBytes) => {
      const parsed = orRefused(() => parseSafetensorsHeader('x', bytes, 8 + bytes.length + dataBytes));
      const sizes = parsed?.tensors.map(({ start, end }) => end - start) ?? [dataBytes];
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        dataBytes,
      );
    }),
    RUNS,
  );
});

test('indexes of safetensors files: what is read is written as it is read', () => {
  const index = {
    metadata: { total_size: 16, more: [1, { a: null }] },
    weight_map: { a: 'x', 1: 'y', '': 'z' },
  };
  fc.assert(
    fc.property(bentJson(index), bytes => {
      const parsed = orRefused(() => parseSafetensorsIndex('x', String(bytes)));
      if (parsed === undefined) return;
      const again = parseSafetensorsIndex('x', formatSafetensorsIndex(parsed));
      assert.deepEqual(new Map([...again.weightMap].sort()), new Map([...parsed.weightMap].sort()));
      assert.deepEqual(again.rest, parsed.rest);
    }),
    RUNS,
  );
});

test('parts of divided files: a span that is inside of the file, or none', () => {
  const text = bent('bytes 0-99/1000', 'bytes 5-5/6', 'bytes 9-3/10', 'bytes 0-10/10', 'bytes 0-9/*');
  fc.assert(
    fc.property(text, range => {
      const annotations = {
        'io.weighbridge.file.source': 'model.safetensors',
        'io.weighbridge.file.range': range,
      };
      const part = readPart({
        mediaType: MediaType.ociLayerTar,
        digest: DIGEST as Digest,
        size: 1,
        annotations,
      });
      if (part === undefined) return;
      assert.ok(part.start >= 0 && part.start < part.end && part.end <= part.sourceBytes);
    }),
    RUNS,
  );
});

test('lists of tags and of the Hub’s files', () => {
  fc.assert(
    fc.property(bentJson({ name: 'x', tags: ['a', 'b'] }, { tags: null }), bytes => {
      const tags = orRefused(() => parseTagList(bytes, 'x'));
      assert.ok((tags ?? []).every(tag => typeof tag === 'string'));
    }),
    RUNS,
  );
  const sibling = {
    rfilename: 'a.safetensors',
    size: 10,
    blobId: OID,
    lfs: { sha256: '0a'.repeat(32), size: 10 },
  };
  const info = { id: 'acme/x', sha: OID, gated: false, cardData: { license: 'mit' }, siblings: [sibling] };
  fc.assert(
    fc.property(bentJson(info), bytes => {
      const parsed = orRefused(() => parseModelInfo('acme/x', bytes));
      if (parsed !== undefined) assert.match(parsed.sha, /^[0-9a-f]{40}$/);
      for (const file of parsed?.files ?? []) assert.ok(Number.isSafeInteger(file.sizeBytes));
    }),
    RUNS,
  );
  fc.assert(
    fc.property(bentJson([{ type: 'file', path: 'a', size: 1, oid: OID }]), bytes => {
      for (const file of orRefused(() => parseTreePage('acme/x', bytes)) ?? [])
        assert.ok(file.sizeBytes >= 0);
    }),
    RUNS,
  );
});
