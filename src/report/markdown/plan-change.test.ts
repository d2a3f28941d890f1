import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlanJson, planToJson } from '../json/plan-json.ts';
import { samplePlan } from '../plan.fixtures.ts';
import { planChange } from './plan-change.ts';

test('nothing changes where both plans are one', async () => {
  const plan = planToJson(await samplePlan());
  const page = planChange(plan, plan);
  // A model that cannot be resolved is never just "as it was", and nothing of it would be published.
  assert.match(page, /^## 1 model could not be resolved\n/);
  assert.match(page, /❌ the Hub knows no model acme\/absent/);
  const sound = { ...plan, models: plan.models.filter(model => model.error === undefined) };
  assert.equal(planChange(sound, sound), '## Nothing changes for the 2 models\n');
});

test('new, changed and removed models are told apart', async () => {
  const before = planToJson(await samplePlan());
  const [open, gated] = before.models;
  assert.ok(open?.settings !== undefined && gated !== undefined);
  const after: PlanJson = {
    schemaVersion: 1,
    models: [
      { ...open, settings: { ...open.settings, serveArgs: ['--port', '9000'] } },
      { ...gated, id: 'acme/new', short: 'new' },
    ],
  };
  const page = planChange(after, before);
  assert.match(page, /^## 2 models would be published, 2 models would no longer be\n/);
  assert.match(page, /`open` \| settings \| Apache-2.0 \| ✅ /);
  assert.match(page, /`new` \| new \| .* ⏭️ /);
  assert.match(page, /No longer listed: `gated`, `absent`\. Their published images stay\./);
  assert.match(page, /- `ghcr\.io\/acme\/hf-gated:v0\.6\.0-slim`/);
});
