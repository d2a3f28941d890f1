import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Digest } from '../../../src/core/digest.ts';
import { buildImage } from '../../../src/oci/image.ts';
import { parseImageConfig } from '../../../src/oci/image-config.ts';
import { parseManifest } from '../../../src/oci/parse.ts';
import { formatPlatform, parsePlatform, parseReference } from '../../../src/oci/reference.ts';
import { type ImageConfig, MediaType } from '../../../src/oci/types.ts';
import { bent, bentJson, orRefused } from '../bent.ts';
import { DESCRIPTOR, DIGEST, parser } from './table.ts';

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
