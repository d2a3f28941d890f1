import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpClient } from '../http/client.ts';
import { startHub } from '../testkit/hub.ts';
import { createHub } from './create-hub.ts';

test('the account of a token, no account without one, and an error for one that the Hub does not accept', async () => {
  await using hub = await startHub({ tokens: { hf_a: { name: 'ann', repositories: [] } } });
  const as = (token?: string) =>
    createHub({
      endpoint: hub.url,
      http: new HttpClient({ retry: { attempts: 1 } }),
      ...(token && { token }),
    }).whoAmI();
  assert.deepEqual(await as('hf_a'), { name: 'ann', role: 'read' });
  assert.equal(await as(), undefined);
  await assert.rejects(as('hf_wrong'), { code: 'HUB_UNAUTHORIZED', message: /does not accept the token/ });
});
