import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Digest, digestOf } from '../../src/core/digest.ts';
import { RegistryError, WeighbridgeError } from '../../src/core/errors.ts';
import { parseManifest } from '../../src/oci/parse.ts';
import type { ImageOutcome } from '../../src/publish/types.ts';
import type { EmbeddedRegistry, RegistryOptions } from '../../src/testkit/registry.ts';
import type { FaultRule } from '../../src/testkit/server/faults.ts';
import { IS_LONG } from '../support/long.ts';
import { MODEL_FILES, World } from '../support/world.ts';

// Every kind of fault at every kind of request: once, it is got over and nobody notices; for good, what it concerns
// fails with an error that says so, all else is published, and the next run makes it good.

const RETRY_AFTER = { 'retry-after': '0' };
/** What can go wrong with a request and its answer, whatever they are. */
const COMMON: Readonly<Record<string, Omit<FaultRule, 'match'>>> = {
  reset: { kind: 'reset' },
  stall: { kind: 'stall' },
  'lost answer': { kind: 'lose-answer' },
  'status 502': { kind: 'status', status: 502, body: '<html>Bad Gateway</html>' },
  ...(IS_LONG
    ? {
        'status 500': { kind: 'status', status: 500 },
        'status 503': { kind: 'status', status: 503, headers: RETRY_AFTER },
      }
    : {}),
  'status 429': { kind: 'status', status: 429, headers: RETRY_AFTER },
};
/** Where an answer has no body that anyone waits for, silence has to come before it. */
const SILENCE: Readonly<Record<string, Omit<FaultRule, 'match'>>> = {
  ...COMMON,
  reset: { kind: 'lose-answer' },
  stall: { kind: 'slow', delayMs: 1500 },
};
const IN_THE_BODY: typeof COMMON = {
  'reset in mid-body': { kind: 'reset', afterBytes: 90 },
  'stall in mid-body': { kind: 'stall', afterBytes: 90 },
  truncation: { kind: 'truncate', afterBytes: 90 },
  'wrong bytes': { kind: 'corrupt', afterBytes: 20 },
};
const WRONG_LENGTH: typeof COMMON = { 'wrong length': { kind: 'wrong-length' } };

interface Place {
  readonly match: RegExp;
  readonly faults: typeof COMMON;
  /** Before this the requests to the place are of no interest: they are the base image's. */
  readonly skip?: number;
}

const HUB: Readonly<Record<string, Place>> = {
  'the model’s list': {
    match: /^GET hub \/api\/models\/acme\/x\/revision/,
    faults: { ...COMMON, ...IN_THE_BODY, ...WRONG_LENGTH },
  },
  'the link to a weight': {
    match: /^GET hub .*\/resolve\/.*safetensors/,
    faults: { ...COMMON, 'expired link': { kind: 'expire-link' } },
  },
  'a weight': { match: /^GET cdn /, faults: { ...COMMON, ...IN_THE_BODY, ...WRONG_LENGTH } },
  'a small file': {
    match: /^GET hub .*resolve-cache.*config\.json/,
    faults: { ...COMMON, 'wrong bytes': { kind: 'corrupt', afterBytes: 3 }, ...WRONG_LENGTH },
  },
};

const REGISTRY: Readonly<Record<string, Place>> = {
  'reading a tag': { match: /^GET registry .*\/acme\/hf-x\/manifests\//, faults: SILENCE },
  'listing tags': { match: /^GET registry .*\/tags\/list/, faults: SILENCE },
  'looking for a blob': { match: /^HEAD registry .*\/acme\/hf-x\/blobs\//, faults: SILENCE },
  'starting an upload': { match: /^POST registry .*\/acme\/hf-x\/blobs\/uploads/, faults: COMMON },
  'bringing a blob': { match: /^PATCH registry /, faults: { ...COMMON, ...IN_THE_BODY } },
  'closing an upload': { match: /^PUT registry .*\/blobs\/uploads\//, faults: COMMON },
  'putting a manifest': {
    match: /^PUT registry .*\/manifests\/sha256:/,
    faults: { ...COMMON, ...IN_THE_BODY },
  },
  'setting a tag': { match: /^PUT registry .*\/manifests\/v0/, faults: { ...COMMON, ...IN_THE_BODY } },
  'getting a token': {
    match: /^GET registry \/token/,
    faults: { ...COMMON, truncation: { kind: 'truncate', afterBytes: 30 } },
  },
};

const LOGIN: RegistryOptions = { auth: { kind: 'bearer', user: 'robot', password: 'pässword' } };

describe('faults', { concurrency: 4 }, () => {
  for (const [place, { match, faults }] of Object.entries(HUB)) {
    for (const [name, fault] of Object.entries(faults)) {
      test(`the Hub, ${place}: ${name}, once`, async () => {
        await using world = await faultyWorld();
        const added = world.hub.faults.add({ match, ...fault });
        assertAll(await world.publish(world.config('acme/x')), 'published');
        assert.equal(added.struck, 1);
        await assertWhole(world);
      });
    }
  }

  for (const targets of IS_LONG ? [[1], [0, 1]] : [[0, 1]]) {
    const where = targets.length === 1 ? 'one target of two' : 'both targets';
    for (const [place, { match, faults }] of Object.entries(REGISTRY)) {
      for (const [name, fault] of Object.entries(faults)) {
        test(`${where}, ${place}: ${name}, once`, async () => {
          await using world = await faultyWorld();
          const added = targets.map(target => world.registry(target).faults.add({ match, ...fault }));
          assertAll(await world.publish(world.config('acme/x')), 'published');
          assert.deepEqual(
            added.map(({ struck }) => struck),
            targets.map(() => 1),
          );
          await assertWhole(world);
        });
      }
    }
  }

  const FOR_GOOD = { times: 1_000_000 };

  for (const [name, rule] of Object.entries<FaultRule>({
    'resets every weight': { match: /^GET cdn /, kind: 'reset', ...FOR_GOOD },
    'stalls every weight': { match: /^GET cdn /, kind: 'stall', ...FOR_GOOD },
    'gives links that have expired': { match: /\/resolve\/.*safetensors/, kind: 'expire-link', ...FOR_GOOD },
    'gives wrong bytes': { match: /^GET cdn /, kind: 'corrupt', afterBytes: 20, ...FOR_GOOD },
    'cuts every weight short': { match: /^GET cdn /, kind: 'wrong-length', ...FOR_GOOD },
    'answers 500 for weights': { match: /^GET cdn /, kind: 'status', status: 500, ...FOR_GOOD },
  })) {
    test(`for good, the Hub ${name}: fat fails with the reason, slim is published, the next run makes it good`, async () => {
      await using world = await faultyWorld();
      world.hub.faults.add(rule);
      const images = await world.publish(world.config('acme/x'));
      for (const { variant, status, error } of images) {
        assert.equal(status, variant === 'fat' ? 'failed' : 'published');
        if (variant === 'fat') assertSaysWhy(error, /^(HUB|INTEGRITY)_/, /acme\/x|model-0000/);
      }
      await assertWhole(world);
      world.hub.faults.clear();
      await world.publish(world.config('acme/x'));
      assertAll(await world.publish(world.config('acme/x')), 'unchanged');
      await assertWhole(world);
    });
  }

  for (const [place, { match }] of Object.entries(REGISTRY)) {
    for (const [name, fault] of Object.entries<Omit<FaultRule, 'match'>>({
      'resets the connection': place === 'bringing a blob' ? { kind: 'reset' } : { kind: 'lose-answer' },
      'falls silent': { kind: 'slow', delayMs: 1500 },
      'answers 500': { kind: 'status', status: 500 },
      'answers 429': { kind: 'status', status: 429, headers: RETRY_AFTER },
    })) {
      test(`for good, ${place}: one target ${name}; the other is published, the next run makes it good`, async () => {
        await using world = await faultyWorld();
        world.registry(1).faults.add({ match, ...fault, ...FOR_GOOD });
        const images = await world.publish(world.config('acme/x'));
        for (const { registry, variant, status, error } of images) {
          if (registry === 'r0') assert.equal(status, 'published');
          // The layers of slim are small and known beforehand: they go without a PATCH.
          else if (variant === 'fat' || place !== 'bringing a blob') assert.equal(status, 'failed');
          if (status === 'failed') assertSaysWhy(error, /^REGISTRY_/, new RegExp(world.registry(1).host));
        }
        await assertWhole(world);
        world.registry(1).faults.clear();
        await world.publish(world.config('acme/x'));
        assertAll(await world.publish(world.config('acme/x')), 'unchanged');
        await assertWhole(world);
      });
    }
  }
});

async function faultyWorld(): Promise<World> {
  // Registry 0 has the base image, which is read without a login there.
  const world = await World.startWith({ idleTimeoutMs: 500 }, LOGIN, LOGIN);
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  return world;
}

function assertAll(images: readonly ImageOutcome[], status: string): void {
  const others = images.filter(image => image.status !== status);
  assert.deepEqual(
    others.map(image => `${image.registry} ${image.variant} ${image.status}: ${String(image.error)}`),
    [],
  );
}

function assertSaysWhy(error: unknown, code: RegExp, subject: RegExp): void {
  assert.ok(error instanceof WeighbridgeError, String(error));
  assert.match(error.code, code);
  assert.match(error.message, subject);
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
