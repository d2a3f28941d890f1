import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { signImage } from '../../src/attest/sign-image.ts';
import { keySigner } from '../../src/attest/signers/key-signer.ts';
import type { Digest } from '../../src/core/digest.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import type { RegistryRepository } from '../../src/testkit/registry/repository.ts';
import type { EmbeddedRegistry } from '../../src/testkit/registry.ts';
import { BASE_REPOSITORY, MODEL_FILES, type World } from './world.ts';

export const PRUNED = 'acme/hf-x';
export const VERSIONS = ['v0.6.0', 'v0.7.0', 'v0.8.0', 'v0.9.0'];
const PLATFORMS = ['amd64', 'arm64'].map(architecture => ({ os: 'linux', architecture }));
const TOOL = { version: '0.1.0', builderId: 'https://builder.example' };

/** Publishes acme/x slim for two platforms on each of `VERSIONS`, signed: indexes, manifests and what refers to both. */
export async function publishVersions(world: World, host = world.registry(0).host): Promise<void> {
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const signer = keySigner(generateKeyPairSync('ed25519').privateKey);
  const context = { signer, tool: TOOL, vex: [], hub: world.hubClient(), hashes: new Map() };
  const store = world.open(`${host}/${PRUNED}`);
  for (const version of VERSIONS) {
    await makeBaseImage(world.registry(0), BASE_REPOSITORY, version, { platforms: PLATFORMS, version });
    const arch = '    arch: [linux/amd64, linux/arm64]\n';
    const yaml = world.config('acme/x', arch, [host]).replace('v0.6.0', version);
    const planned = await world.plan(yaml);
    await world.publishPlanned(planned, { variants: ['slim'] });
    await signImage(store, `${version}-slim`, planned, context);
  }
}

/** Everything that a repository holds, to be put back. */
export function snapshotOf({ manifests, tags }: RegistryRepository): () => void {
  const before = { manifests: new Map(manifests), tags: new Map(tags) };
  return () => {
    manifests.clear();
    tags.clear();
    for (const [digest, manifest] of before.manifests) manifests.set(digest, manifest);
    for (const [tag, digest] of before.tags) tags.set(tag, digest);
  };
}

/**
 * Checks that every image that a tag names is whole: platforms, configs, layers. Returns the digests of all that its tags
 * reach, what refers to it included.
 */
export function assertWhole(registry: EmbeddedRegistry, repository: string): Set<Digest> {
  const { manifests, tags } = registry.repository(repository);
  const reached = new Set<Digest>();
  const visit = (digest: Digest, from: string): void => {
    if (reached.has(digest)) return;
    const stored = manifests.get(digest);
    assert.ok(stored !== undefined, `${from} names ${digest}, which is not there`);
    reached.add(digest);
    const document = JSON.parse(stored.bytes.toString('utf8'));
    for (const child of document.manifests ?? []) visit(child.digest, digest);
    for (const blob of document.config === undefined ? [] : [document.config, ...document.layers])
      assert.ok(registry.blobSize(blob.digest) !== undefined, `${digest} has lost ${blob.digest}`);
  };
  // A list of referrers may name what is gone, which is what readers expect of it.
  for (const [tag, digest] of tags) if (!/^sha256-/.test(tag)) visit(digest, tag);
  for (const [digest, { bytes }] of manifests) {
    const { subject } = JSON.parse(bytes.toString('utf8'));
    if (subject !== undefined && reached.has(subject.digest)) reached.add(digest);
  }
  for (const [tag, digest] of tags) if (reached.has(tag.replace('-', ':') as Digest)) reached.add(digest);
  return reached;
}
