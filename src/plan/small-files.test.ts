import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asked, only, withWorld } from './legal/legal-reader.fixtures.ts';

const CONFIG = JSON.stringify({ architectures: ['LlamaForCausalLM'], max_position_embeddings: 4096 });

test('what is known of a gated model does not depend on the other models of the run', async () => {
  await withWorld(async ({ hub, plan, add }) => {
    await add('acme/open', { 'config.json': CONFIG });
    await add('acme/copy', { 'config.json': CONFIG });
    await add('acme/gated', { 'config.json': CONFIG });
    hub.repository('acme/gated').gated = 'manual';
    const alone = only(await plan(['acme/gated'])).facts;
    assert.equal(alone?.contextLength, null);
    const before = asked(hub, /acme\/(?:open|copy)\/.*config\.json/);
    const { models } = await plan(['acme/open', 'acme/copy', 'acme/gated']);
    const facts = models.map(model => (model.kind === 'planned' ? model.facts : undefined));
    assert.deepEqual(facts[2], alone);
    assert.deepEqual([facts[0]?.contextLength, facts[1]?.contextLength], [4096, 4096]);
    // Open repositories share what one of them was asked for; the Hub redirects small files once.
    assert.equal(asked(hub, /acme\/(?:open|copy)\/.*config\.json/) - before, 2);
  });
});
