import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import mit from 'spdx-license-list/licenses/MIT.json' with { type: 'json' };
import { BUNDLE_TYPE } from '../../src/attest/bundle.ts';
import { statementAbout } from '../../src/attest/statement.ts';
import { describeStatements } from '../../src/attest/stored-statements.ts';
import { parseTrustedRoot, verifyBundle } from '../../src/attest/verify-bundle.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { bytesSource } from '../../src/core/byte-source.ts';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { plainLine } from '../../src/core/safe-text.ts';
import { checkFit } from '../../src/fit/check-fit.ts';
import { factsOf } from '../../src/fit/model-facts.ts';
import { HttpClient } from '../../src/http/client.ts';
import { isPrivateHost } from '../../src/http/hosts.ts';
import { nextLink } from '../../src/http/link-header.ts';
import { redactUrl } from '../../src/http/redact.ts';
import { serverWaitMs } from '../../src/http/retry.ts';
import { parseModelInfo, parseTreePage } from '../../src/hub/model-info.ts';
import type { HubFile, ModelSnapshot } from '../../src/hub/types.ts';
import {
  Label,
  LICENSE_LABELS,
  readLabels,
  readModelLabels,
  ScanAnnotation,
} from '../../src/image/format/labels.ts';
import { readLayerDescriptor, readPart } from '../../src/image/format/layer-annotations.ts';
import { readLayer } from '../../src/image/image-content.ts';
import { parseSlimList } from '../../src/image/published-image.ts';
import { parseSafetensorsHeader } from '../../src/layer/safetensors-header.ts';
import { formatSafetensorsIndex, parseSafetensorsIndex } from '../../src/layer/safetensors-index.ts';
import { buildImage } from '../../src/oci/image.ts';
import { parseImageConfig } from '../../src/oci/image-config.ts';
import { parseManifest } from '../../src/oci/parse.ts';
import { formatPlatform, parsePlatform, parseReference } from '../../src/oci/reference.ts';
import { END_OF_ARCHIVE, padding, readTarHeader, tarEntryHeader } from '../../src/oci/tar-header.ts';
import { type Descriptor, type ImageConfig, MediaType } from '../../src/oci/types.ts';
import { readLineageClaims } from '../../src/plan/lineage-reader.ts';
import { readLock } from '../../src/plan/lock.ts';
import { parsePlan } from '../../src/plan/plan-file.ts';
import { readModelCard } from '../../src/policy/model-card.ts';
import { readExpression } from '../../src/policy/spdx.ts';
import { readScanAnnotations } from '../../src/scan/scan-referrer.ts';
import { createTextIdentifier } from '../../src/spdx/identify-license.ts';
import { parseChallenges } from '../../src/store/auth/auth-challenge.ts';
import type { ImageStore } from '../../src/store/image-store.ts';
import { RegistryClient } from '../../src/store/registry/registry-client.ts';
import { parseTagList } from '../../src/store/registry/tag-list.ts';
import { heldBytes } from '../../src/store/registry/upload/upload-session.ts';

import { bent, bentJson, orRefused, orRefusedLater } from './bent.ts';

// Every parser of what comes from outside, with what has to hold for whatever it is given: what is right is read, what is
// wrong is an error with a code or nothing, and never anything else.

export type ParserProperty = fc.IProperty<unknown> | fc.IAsyncProperty<unknown>;

/** By name. A name is kept with the examples that once failed. */
export const PARSERS = new Map<string, ParserProperty>();

function parser(name: string, property: ParserProperty): void {
  if (PARSERS.has(name)) throw new RangeError(`two parsers are called ${name}`);
  PARSERS.set(name, property);
}

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const OID = '0a'.repeat(20);
const DESCRIPTOR = { mediaType: MediaType.ociLayerTar, digest: DIGEST as Digest, size: 2048 };

// WWW-Authenticate: every parameter that is found stands in the header.
{
  const header = bent(
    'Bearer realm="https://a/token",service="a",scope="repository:x/y:pull,push"',
    'Basic realm=x, Bearer a=b',
  );
  parser(
    'challenges',
    fc.property(header, text => {
      for (const { scheme, parameters } of parseChallenges(text)) {
        assert.ok(text.toLowerCase().includes(scheme));
        for (const [name] of parameters) assert.ok(text.toLowerCase().includes(name));
      }
    }),
  );
}

// Link: the next page stands in the header, in time that does not explode.
{
  const header = bent(
    '</v2/x/tags/list?last=b&n=2>; rel="next"',
    '<https://a/b?c=1,2>; rel=next; title="x", <d>; rel="prev"',
  );
  parser(
    'link header',
    fc.property(header, link => {
      const next = nextLink({ link });
      if (next !== undefined) assert.ok(link.includes(`<${next}>`));
    }),
  );
}

// Range of an upload: a whole number above one, or nothing.
parser(
  'upload range',
  fc.property(bent('0-1023', 'bytes=0-99', '0-0', '0-9007199254740993'), range => {
    const held = heldBytes({ headers: { range } });
    assert.ok(held === undefined || (Number.isSafeInteger(held) && held > 1));
  }),
);

// Retry-After and RateLimit: a wait that is a number, or none.
{
  const header = bent('120', 'Wed, 21 Oct 2026 07:28:00 GMT', '-1', '1e9');
  parser(
    'waits',
    fc.property(header, header, bent('"api";r=0;t=55'), (retryAfter, date, ratelimit) => {
      const waitMs = serverWaitMs({ 'retry-after': retryAfter, date, ratelimit });
      assert.ok(waitMs === undefined || (waitMs >= 0 && !Number.isNaN(waitMs)));
    }),
  );
}

// Location: an HTTP address, encrypted where the registry is, and never a private one that it may not name.
{
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
  parser(
    'location',
    fc.property(location, text => {
      const url = orRefused(() => client.resolve(text));
      if (url === undefined) return;
      const { protocol, hostname } = new URL(url);
      assert.equal(protocol, 'https:');
      assert.ok(!isPrivateHost(hostname), url);
    }),
  );
}

// A redacted address has neither a password nor an unknown value, and is one line.
parser(
  'redacted addresses',
  fc.property(bent('https://u:secret@a.example/b?sig=secret&n=2#secret', 'https://a/b?secret'), text => {
    const shown = redactUrl(text);
    assert.doesNotMatch(shown, /[\r\n]/);
    if (!/^https?:/.test(shown) || !URL.canParse(shown)) return;
    const { username, password, searchParams, hash } = new URL(shown);
    assert.deepEqual([username, password, hash], ['', '', '']);
    assert.ok(searchParams.getAll('sig').every(value => value === '…'));
  }),
);

// References and platforms: what is read can be written and read again.
parser(
  'references',
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
);
parser(
  'platforms',
  fc.property(bent('linux/amd64', 'linux/arm64/v8'), text => {
    const parsed = orRefused(() => parsePlatform(text));
    if (parsed !== undefined) assert.deepEqual(parsePlatform(formatPlatform(parsed)), parsed);
  }),
);

// Manifests, indexes and configs: what is relied on is there, or it is refused.
{
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
  parser(
    'manifests',
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
  );
  const config = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers', diff_ids: [DIGEST] },
    config: { Env: ['A=b'] },
  };
  parser(
    'image configs',
    fc.property(bentJson(config), bytes => {
      const parsed = orRefused(() => parseImageConfig(bytes, 'x'));
      if (parsed !== undefined)
        assert.ok(parsed.rootfs.diff_ids.every(id => /^sha256:[0-9a-f]{64}$/.test(id)));
      // Whatever is read as a base image's can be built on.
      if (parsed !== undefined) buildOn(parsed);
    }),
  );
}

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

// The list of files in a slim image.
{
  const files = [
    { path: 'a', size: 1, sha256: '0a'.repeat(32) },
    { path: 'b/c', size: 2, gitOid: OID },
  ];
  const adapters = [{ name: 'sql', id: 'a/l', revision: OID, files }];
  parser(
    'slim list',
    fc.property(bentJson({ schemaVersion: 1, id: 'a/b', files, adapters }), bytes => {
      const list = orRefused(() => [parseSlimList(bytes, 'x')]);
      const all = (list ?? []).flatMap(one => [
        ...one.files,
        ...one.adapters.flatMap(adapter => adapter.files),
      ]);
      for (const { path, sizeBytes } of all) {
        assert.equal(typeof path, 'string');
        assert.ok(Number.isSafeInteger(sizeBytes));
      }
    }),
  );
}

// What a layer says of itself: a file lies inside it, or it is a stranger’s.
{
  const files = JSON.stringify([['models/x/a', 100, 512, DIGEST, '0a'.repeat(32)]]);
  const ours = {
    ...DESCRIPTOR,
    annotations: { 'io.weighbridge.layer.key': '0a'.repeat(32), 'io.weighbridge.files': files },
  };
  const annotation = bent(files);
  parser(
    'layer annotations',
    fc.property(annotation, fc.nat(4096), (text, size) => {
      const layer = readLayerDescriptor({
        ...ours,
        digest: DIGEST as `sha256:${string}`,
        size,
        annotations: { ...ours.annotations, 'io.weighbridge.files': text },
      });
      for (const file of layer?.files ?? []) assert.ok(file.offset + file.sizeBytes <= size);
    }),
  );
}

// Safetensors headers: tensors that account for every byte of the file, or it is refused.
{
  const header = {
    __metadata__: { format: 'pt' },
    a: { dtype: 'BF16', shape: [2, 3], data_offsets: [0, 12] },
    b: { dtype: 'F32', shape: [], data_offsets: [12, 16] },
  };
  parser(
    'safetensors header',
    fc.property(bentJson(header), fc.constantFrom(16, 12, 0), (bytes, dataBytes) => {
      const parsed = orRefused(() => parseSafetensorsHeader('x', bytes, 8 + bytes.length + dataBytes));
      const sizes = parsed?.tensors.map(({ start, end }) => end - start) ?? [dataBytes];
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        dataBytes,
      );
    }),
  );
}

// Indexes of safetensors files: what is read is written as it is read.
{
  const index = {
    metadata: { total_size: 16, more: [1, { a: null }] },
    weight_map: { a: 'x', 1: 'y', '': 'z' },
  };
  parser(
    'safetensors index',
    fc.property(bentJson(index), bytes => {
      const parsed = orRefused(() => parseSafetensorsIndex('x', String(bytes)));
      if (parsed === undefined) return;
      const again = parseSafetensorsIndex('x', formatSafetensorsIndex(parsed));
      assert.deepEqual(new Map([...again.weightMap].sort()), new Map([...parsed.weightMap].sort()));
      assert.deepEqual(again.rest, parsed.rest);
    }),
  );
}

// Parts of divided files: a span that is inside of the file, or none.
{
  const text = bent('bytes 0-99/1000', 'bytes 5-5/6', 'bytes 9-3/10', 'bytes 0-10/10', 'bytes 0-9/*');
  parser(
    'part annotations',
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
  );
}

// Lists of tags and of the Hub’s files.
{
  parser(
    'tag list',
    fc.property(bentJson({ name: 'x', tags: ['a', 'b'] }, { tags: null }), bytes => {
      const tags = orRefused(() => parseTagList(bytes, 'x'));
      assert.ok((tags ?? []).every(tag => typeof tag === 'string'));
    }),
  );
  const sibling = {
    rfilename: 'a.safetensors',
    size: 10,
    blobId: OID,
    lfs: { sha256: '0a'.repeat(32), size: 10 },
  };
  const info = { id: 'acme/x', sha: OID, gated: false, cardData: { license: 'mit' }, siblings: [sibling] };
  parser(
    'model info',
    fc.property(bentJson(info), bytes => {
      const parsed = orRefused(() => parseModelInfo('acme/x', bytes));
      if (parsed !== undefined) assert.match(parsed.sha, /^[0-9a-f]{40}$/);
      for (const file of parsed?.files ?? []) assert.ok(Number.isSafeInteger(file.sizeBytes));
    }),
  );
  parser(
    'tree page',
    fc.property(bentJson([{ type: 'file', path: 'a', size: 1, oid: OID }]), bytes => {
      for (const file of orRefused(() => parseTreePage('acme/x', bytes)) ?? [])
        assert.ok(file.sizeBytes >= 0);
    }),
  );
}

const SNAPSHOT: ModelSnapshot = {
  id: 'acme/x',
  requestedId: 'acme/x',
  revision: OID,
  gated: false,
  isPrivate: false,
  tags: ['text-generation'],
  baseModels: [],
  license: { license: 'mit', licenseName: null, licenseLink: null },
  files: [],
};

// Labels and annotations of images, scans and statements: facts of the right type, whatever is written there.
{
  const files = JSON.stringify([['a', 1, 'b']]);
  const labels = fc.dictionary(
    fc.constantFrom(...Object.values(Label), ...LICENSE_LABELS, 'x'),
    bent('linux/amd64', 'mit', '1', 'true', '/models/x', '{"a":[1]}', '[["a","b"]]', DIGEST, OID, files),
  );
  parser(
    'labels',
    fc.property(labels, given => {
      const { lineage, access } = orRefused(() => readLabels(given)) ?? {};
      assert.ok(lineage === undefined || lineage.every(({ id }) => typeof id === 'string'));
      assert.ok(access === undefined || ['gated', 'private'].includes(access));
      orRefused(() => readModelLabels(given));
    }),
  );
  const scan = fc.dictionary(
    fc.constantFrom(...Object.values(ScanAnnotation), 'org.opencontainers.image.created'),
    bent('{"CRITICAL":1,"HIGH":2}', '2026-11-20T00:00:00Z', 'trivy 0.70', '3'),
  );
  parser(
    'scan annotations',
    fc.property(scan, annotations => {
      orRefused(() => readScanAnnotations(annotations));
    }),
  );
  parser(
    'statement annotations',
    fc.property(
      fc.array(
        fc.record({
          artifactType: bent(BUNDLE_TYPE),
          annotations: fc.dictionary(
            bent('dev.sigstore.bundle.content', 'io.weighbridge.statement'),
            bent('x'),
          ),
        }),
        { maxLength: 4 },
      ),
      listed => {
        const described = describeStatements(listed.map(one => ({ ...DESCRIPTOR, ...one }) as Descriptor));
        assert.ok(described.length <= listed.length);
      },
    ),
  );
}

// Signatures: nothing that was bent is verified.
{
  const { publicKey } = generateKeyPairSync('ed25519');
  const payload = Buffer.from(JSON.stringify(statementAbout(DIGEST as Digest, 'image', {}))).toString(
    'base64',
  );
  const bundle = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: 'x' }, tlogEntries: [], timestampVerificationData: {} },
    dsseEnvelope: {
      payload,
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: 'AAAA', keyid: '' }],
    },
  };
  parser(
    'signature bundles',
    fc.property(bentJson(bundle), bytes => {
      const trusted = { kind: 'key', key: publicKey, name: 'k' } as const;
      assert.equal(
        orRefused(() => verifyBundle(bytes, trusted, 'x')),
        undefined,
      );
    }),
  );
  const root = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [],
    certificateAuthorities: [{ subject: {}, uri: 'x', certChain: { certificates: [{ rawBytes: 'AAAA' }] } }],
  };
  parser(
    'trusted roots',
    fc.property(bentJson(root), bytes => {
      orRefused(() => parseTrustedRoot(String(bytes), 'x'));
    }),
  );
}

// Cards, licenses and configs of models.
{
  const card = bent(
    '---\nlicense: mit\n---\n# License\n\nThis model is for research only. Based on [b](https://huggingface.co/a/b).\n',
    'Finetuned from `acme/base`, under the terms of the GPL-3.0.',
  );
  parser(
    'model cards',
    fc.property(card, text => {
      const { bases } = readModelCard(text, 'acme/x');
      assert.ok(bases.every(id => typeof id === 'string'));
    }),
  );
  const expression = bent('MIT OR (Apache-2.0 AND GPL-3.0-only WITH Classpath-exception-2.0)', 'mit', '()');
  parser(
    'SPDX expressions',
    fc.property(expression, text => {
      const read = readExpression(text);
      if (read !== undefined) assert.equal(readExpression(read.spdx)?.spdx, read.spdx);
    }),
  );
  const identify = createTextIdentifier();
  const texts = bent(
    mit.licenseText,
    `${mit.licenseText}\nNon-commercial use only.`,
    'Permission is hereby granted',
  );
  parser(
    'license texts',
    fc.asyncProperty(texts, async text => {
      await identify(text);
    }),
  );
  const config = {
    architectures: ['LlamaForCausalLM'],
    num_hidden_layers: 2,
    hidden_size: 64,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 4096,
    torch_dtype: 'bfloat16',
    quantization_config: { quant_method: 'fp8', bits: 8 },
    rope_scaling: { type: 'yarn', factor: 4 },
    text_config: { hidden_size: 1, _name_or_path: 'acme/base' },
    _name_or_path: 'acme/base',
  };
  parser(
    'model configs',
    fc.property(
      bentJson(config),
      bentJson({ chat_template: 'x', model_max_length: 1 }),
      (bytes, tokenizer) => {
        const [value, tokenizerConfig] = [bytes, tokenizer].map(parsedOrNothing);
        const documents = { config: value, tokenizerConfig };
        const files = [{ path: 'model.safetensors', sizeBytes: 10 }];
        const { weightBytes, gpus } = factsOf({ files, documents });
        assert.ok(
          Number.isFinite(weightBytes) && gpus.every(({ count }) => Number.isInteger(count) && count > 0),
        );
        const { findings } = checkFit({
          ...{ modelId: 'acme/x', baseImage: 'vllm/vllm-openai:v0.11.0', fit: 'warn', isOffline: true },
          ...{ serveArgs: ['--max-model-len', '8192', '--tensor-parallel-size', '2'], fileFindings: [] },
          ...{ files, documents },
        });
        assert.ok(findings.every(({ message }) => message !== '' && !/undefined|NaN|\[object/.test(message)));
      },
    ),
  );
  const lineage = bentJson(config, { base_model_name_or_path: 'acme/base', peft_type: 'LORA' });
  const merge = bent(
    'models:\n  - model: a/b\n    parameters: {weight: 1}\nmerge_method: slerp\n',
    'base_model: &a [*a]',
  );
  parser(
    'lineage claims',
    fc.asyncProperty(
      fc.constantFrom('config.json', 'adapter_config.json', 'mergekit_config.yml'),
      fc.oneof(
        lineage,
        merge.map(text => Buffer.from(text)),
      ),
      async (path, bytes) => {
        const file = { path, sizeBytes: bytes.length } as HubFile;
        const claims = await readLineageClaims(
          { read: async () => bytes },
          { ...SNAPSHOT, files: [file] },
          [],
          [],
        );
        assert.ok(claims.bases.every(({ id }) => typeof id === 'string' && id !== ''));
      },
    ),
  );
}

// Layers of images: the tar of a stranger, read whole.
{
  const entry = (path: string, type: 'file' | 'directory') =>
    Buffer.concat([
      tarEntryHeader({ path, mode: 0o644, sizeBytes: type === 'file' ? 3 : 0, type }),
      ...(type === 'file' ? [Buffer.from('abc'), padding(3)] : []),
    ]);
  const tar = Buffer.concat([entry('models/x', 'directory'), entry('models/x/a', 'file'), END_OF_ARCHIVE]);
  const edits = fc.array(fc.record({ at: fc.nat(tar.length - 1), byte: fc.nat(255) }), { maxLength: 6 });
  parser(
    'layer tars',
    fc.asyncProperty(edits, fc.nat(tar.length), async (changes, end) => {
      const bytes = Buffer.from(tar.subarray(0, end === 0 ? tar.length : end));
      for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
      const store = { name: 'x', openBlob: () => bytesSource('x', bytes) } as unknown as ImageStore;
      const descriptor = { ...DESCRIPTOR, digest: digestOf(bytes), size: bytes.length };
      const found = await orRefusedLater(() => readLayer(store, descriptor));
      for (const { sizeBytes } of found?.files ?? []) assert.ok(sizeBytes <= bytes.length);
    }),
  );
}

// Archives for `docker load`: whatever a header says, the next one is further on in the file.
{
  const header = tarEntryHeader({ path: 'a.tar', mode: 0o644, sizeBytes: 512, type: 'file' });
  const edit = fc.record({ at: fc.nat(147), byte: fc.nat(255) });
  parser(
    'tar headers',
    fc.property(fc.array(edit, { maxLength: 6 }), fc.boolean(), (changes, isSummed) => {
      const block = Buffer.from(header);
      for (const { at, byte } of changes) block[at] = byte;
      const sum = block.reduce((all, byte, at) => all + (at < 148 || at >= 156 ? byte : 0x20), 0);
      if (isSummed) block.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
      const read = readTarHeader(block);
      if (read !== undefined) assert.ok(Number.isSafeInteger(read.sizeBytes) && read.sizeBytes >= 0);
    }),
  );
}

// Files that other people's jobs wrote: locks, plans, catalogs, and models.yaml itself.
{
  const models = 'models:\n  - {id: acme/x, short: x, serve_args: [--port, 8000]}\n';
  parser(
    'models.yaml',
    fc.property(
      bent(
        models,
        `x-a: &a {id: b/c, short: c}\n${models}  - *a\n`,
        'registries: {lab: {prefix: "h:5/m", ca: x}}\n',
      ),
      text => {
        const config = orRefused(() => parseConfig(text, 'models.yaml'));
        for (const { short } of config?.models ?? []) assert.match(short, /^[a-z0-9]/);
      },
    ),
  );
  const locked = {
    version: 2,
    models: {
      x: {
        ...{ id: 'acme/x', ref: null, revision: OID, base: { image: 'a:b', digest: DIGEST }, gated: false },
        ...{
          license: 'MIT',
          declared: 'mit',
          texts: {},
          lineage: {},
          fat: { build: true, rule: 'permissive' },
        },
      },
    },
  };
  parser(
    'locks',
    fc.property(bentJson(locked), bytes => {
      readLock(parsedOrNothing(bytes));
    }),
  );
  const config = parseConfig(models, 'models.yaml');
  const filed = {
    schemaVersion: 1,
    texts: ['a'],
    config: { digest: config.digest },
    models: [],
    warnings: ['w'],
  };
  parser(
    'plan files',
    fc.property(bentJson(filed), bytes => {
      orRefused(() => parsePlan(bytes, 'plan.json', config, {}));
    }),
  );
  parser(
    'words for a terminal',
    fc.property(bent('\u001b[31mred', '##[error]x', '\u202eabc', 'a\r\nb'), text => {
      const line = plainLine(text, 1000);
      assert.doesNotMatch(line, /[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u);
      assert.ok(!line.startsWith('##[') && !line.startsWith('::'));
    }),
  );
}

function parsedOrNothing(bytes: Buffer): unknown {
  try {
    return JSON.parse(String(bytes));
  } catch {
    return undefined;
  }
}
