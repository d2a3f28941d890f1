import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HubError, RegistryError } from '../../../src/core/errors.ts';
import { HttpClient } from '../../../src/http/client.ts';
import { createHub } from '../../../src/hub/create-hub.ts';
import type { FaultTarget } from '../../../src/testkit/server/faults.ts';
import { MODEL_FILES, World } from '../../support/world.ts';

// `.invalid` has no addresses, by RFC 6761.

test('a target whose name cannot be looked up fails with that, the other is published', async () => {
  await using world = await World.start({});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const yaml = world
    .config('acme/x')
    .replace('registries:\n', 'registries:\n  gone: registry.invalid/acme\n');
  const images = await world.publish(yaml);
  for (const { registry, status, error } of images) {
    assert.equal(status, registry === 'gone' ? 'failed' : 'published');
    if (registry !== 'gone') continue;
    assert.ok(error instanceof RegistryError && error.code === 'REGISTRY_UNREACHABLE');
    assert.match(
      error.message,
      /(host registry\.invalid was not found|name registry\.invalid could not be looked up)/,
    );
  }
});

test('a Hub whose name cannot be looked up is an error that names it', async () => {
  const http = new HttpClient({ retry: { attempts: 2, baseMs: 1 } });
  const hub = createHub({ endpoint: 'https://hub.invalid', http });
  await assert.rejects(hub.getModel('acme/x', null), (error: unknown) => {
    assert.ok(error instanceof HubError && error.code === 'HUB_UNREACHABLE');
    assert.match(error.message, /hub\.invalid/);
    return true;
  });
  http.close();
});

test('clocks that disagree: a token that the registry counts as dead before its time is renewed, in mid-upload too', async t => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const auth = { kind: 'bearer', user: 'robot', password: 'pässword', tokenTtlMs: 60_000 } as const;
  await using world = await World.start({}, { auth });
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const registry = world.registry(1);
  // The registry's clock is ahead: what it says lives an hour is dead after a minute, which is over at the first PATCH.
  const says = (text: string) => text.replace(/"expires_in":\d+/, '"expires_in":3600');
  registry.faults.add({ match: /\/token/, kind: 'edit', editBody: says, times: 1_000_000 });
  let patches = 0;
  const passMinute = ({ method }: FaultTarget): boolean => {
    if (method === 'PATCH' && patches++ === 0) t.mock.timers.tick(60_001);
    return false;
  };
  registry.faults.add({ match: passMinute, kind: 'slow' });
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual([...new Set(images.map(image => image.status))], ['published']);
  assert.ok(registry.tokensIssued > 1, 'no token was renewed');
  assert.ok(registry.log.some(({ status, hasAuthorization }) => status === 401 && hasAuthorization));
  assert.ok(patches > 1);
});

test('a link of the Hub’s that expires in mid-download is made anew, and nothing is read twice', async () => {
  await using world = await World.startWith({ hub: { linkTtlMs: 150 } }, {});
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  world.hub.faults.add({ match: /^GET cdn /, kind: 'slow', delayMs: 300, bytesPerSecond: 600_000 });
  world.hub.faults.add({ match: /^GET cdn /, kind: 'reset', afterBytes: 100_000, skip: 1 });
  const images = await world.publish(world.config('acme/x'));
  assert.deepEqual([...new Set(images.map(image => image.status))], ['published']);
  const weights = 300_000 + 200_000 + 100_001;
  const read = world.hub.log
    .filter(({ origin }) => origin === 'cdn')
    .reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(read <= weights + 1000, `${read} bytes of ${weights}`);
});
