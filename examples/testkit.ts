// A test of your own against a registry that fails like a real one: `node --test testkit.ts`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRegistry } from 'weighbridge/testkit';

test('a client waits when a registry asks it to', async () => {
  const registry = await startRegistry();
  registry.faults.add({
    match: /GET registry \/v2\/$/,
    kind: 'status',
    status: 429,
    headers: { 'retry-after': '1' },
  });
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 429);
  assert.equal((await fetch(`${registry.url}/v2/`)).status, 200);
  await registry.close();
});
