import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Variant } from '../../../src/config/types.ts';
import { type Digest, digestOf } from '../../../src/core/digest.ts';
import { RegistryError, WeighbridgeError } from '../../../src/core/errors.ts';
import { parseManifest } from '../../../src/oci/parse.ts';
import type { EmbeddedRegistry, RegistryOptions } from '../../../src/testkit/registry.ts';
import { IS_LONG } from '../../support/long.ts';
import { MODEL_FILES, type SeenImage, World } from '../../support/world.ts';
import { type FaultCase, FOR_GOOD, ONCE, type Strike } from './fault-cases.ts';

// Every kind of fault at every kind of request: once, it is got over and nobody notices; for good, what it concerns
// fails with an error that says so, all else is published, and the next run makes it good.

const LOGIN: RegistryOptions = { auth: { kind: 'bearer', user: 'robot', password: 'pässword' } };

describe('faults', { concurrency: 4 }, () => {
  for (const { name, hub, target, targets } of everyday(ONCE)) {
    test(`once: ${name}`, async () => {
      await using world = await faultyWorld();
      const added = [
        ...(hub === undefined ? [] : [world.hub.faults.add(hub.rule)]),
        ...(target === undefined ? [] : targets.map(index => world.registry(index).faults.add(target.rule))),
      ];
      assertAll(await world.publish(world.config('acme/x')), 'published');
      assert.deepEqual(
        added.map(({ struck }) => struck),
        added.map(() => 1),
      );
      await assertWhole(world);
    });
  }

  for (const { name, hub, target, targets } of everyday(FOR_GOOD)) {
    test(`for good: ${name}; all else is published, the next run makes it good`, async () => {
      await using world = await faultyWorld();
      const times = 1_000_000;
      if (hub !== undefined) world.hub.faults.add({ ...hub.rule, times });
      if (target !== undefined)
        for (const index of targets) world.registry(index).faults.add({ ...target.rule, times });
      for (const { registry, variant, status, error } of await world.publish(world.config('acme/x'))) {
        const index = Number(registry.slice(1));
        const reasons = [
          ...(hub !== undefined && variant === 'fat' ? [HUB_REASON] : []),
          ...(target !== undefined && targets.includes(index)
            ? [{ code: 'REGISTRY_', subject: targets.map(one => world.registry(one).host).join('|') }]
            : []),
        ];
        if (reasons.length > 0 && mayGetAround(target, variant) && status === 'published') continue;
        assert.equal(status, reasons.length > 0 ? 'failed' : 'published', `${registry} ${variant}: ${error}`);
        if (reasons.length > 0) assertSaysWhy(error, reasons);
      }
      await assertWhole(world);
      for (const { faults } of [world.hub, ...world.registries]) faults.clear();
      await world.publish(world.config('acme/x'));
      assertAll(await world.publish(world.config('acme/x')), 'unchanged');
      await assertWhole(world);
    });
  }
});

/** Each run takes all in the long form, and every sixth otherwise. */
function everyday(cases: readonly FaultCase[]): readonly FaultCase[] {
  return cases.filter((_, index) => IS_LONG || index % 6 === 0);
}

/** What an error about it says: the beginning of its code, and of whom it speaks. */
interface Reason {
  readonly code: string;
  readonly subject: string;
}
const HUB_REASON: Reason = { code: 'HUB_|INTEGRITY_', subject: 'acme/x|model-0000' };

/** The layers of slim are small and known beforehand: they go without a PATCH, but where a registry is learnt to want one. */
function mayGetAround(target: Strike | undefined, variant: Variant): boolean {
  return variant === 'slim' && target?.place === 'bringing a blob';
}

async function faultyWorld(): Promise<World> {
  // Registry 0 has the base image, which is read without a login there.
  const world = await World.startWith({ idleTimeoutMs: 500 }, LOGIN, LOGIN);
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  return world;
}

function assertAll(images: readonly SeenImage[], status: string): void {
  const others = images.filter(image => image.status !== status);
  assert.deepEqual(
    others.map(image => `${image.registry} ${image.variant} ${image.status}: ${String(image.error)}`),
    [],
  );
}

function assertSaysWhy(error: unknown, reasons: readonly Reason[]): void {
  assert.ok(error instanceof WeighbridgeError, String(error));
  assert.ok(
    reasons.some(({ code, subject }) => {
      return new RegExp(`^(${code})`).test(error.code) && new RegExp(subject).test(error.message);
    }),
    `${error.code}: ${error.message}`,
  );
  if (error instanceof RegistryError) assert.doesNotMatch(error.message, /Bearer|Basic|undefined/);
}

/** Every tag names a manifest whose blobs are all there and are what they say; both targets have the same ones. */
async function assertWhole(world: World): Promise<void> {
  const [first, second] = await Promise.all(world.registries.map(tagsOf));
  for (const [tag, digest] of first ?? []) {
    if (second?.has(tag)) assert.equal(second.get(tag), digest, `${tag} differs`);
  }
}

async function tagsOf(registry: EmbeddedRegistry): Promise<ReadonlyMap<string, Digest>> {
  const repository = registry.repository('acme/hf-x');
  for (const [tag, digest] of repository.tags) {
    const stored = repository.manifests.get(digest);
    assert.ok(stored, `${tag} names nothing`);
    const parsed = parseManifest(stored.bytes, stored.mediaType, tag);
    assert.ok(parsed.kind === 'manifest');
    for (const blob of [parsed.manifest.config, ...parsed.manifest.layers]) {
      const bytes = repository.blobs.has(blob.digest) ? await registry.readBlob(blob.digest) : undefined;
      assert.ok(bytes && digestOf(bytes) === blob.digest, `${tag} misses ${blob.digest}`);
    }
  }
  return repository.tags;
}
