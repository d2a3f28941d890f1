import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VARIANTS } from '../../config/types.ts';
import { plannedOf, samplePlan } from '../plan.fixtures.ts';
import { explanation } from './explanation.ts';

test('all findings are in one column, however long the name of an adapter', async () => {
  const planned = plannedOf(await samplePlan(), 'open');
  const check = 'sql-for-everyone: file safety';
  const findings = [
    ...planned.outcome.findings,
    { check, says: 'Nothing was found.', from: 'the Hub', verdict: 'pass' as const },
  ];
  const text = explanation(
    { ...planned, outcome: { ...planned.outcome, findings } },
    { columns: 120, isColor: false },
  );
  const lines = text.split('\n');
  const [rule, safety] = [/^ {2}yes {2}rule +The/, /^ {2}yes {2}sql-for-everyone: file safety +Nothing/].map(
    pattern => lines.find(line => pattern.test(line)),
  );
  assert.equal(rule?.indexOf('The'), safety?.indexOf('Nothing'));
});

test('the outcome has every variant of the model', async () => {
  const plan = await samplePlan();
  const outcomeOf = (short: string): string => {
    const planned = plannedOf(plan, short);
    const all = { ...planned, model: { ...planned.model, variants: VARIANTS } };
    const text = explanation(all, { columns: 400, isColor: false });
    return text.split('\n\n').find(block => block.startsWith('Decisions')) ?? '';
  };
  for (const variant of VARIANTS)
    assert.match(outcomeOf('gated'), new RegExp(`^ {2}${variant.padEnd(11)}(?:Yes|No), by the rule`, 'm'));
  assert.match(outcomeOf('gated'), /modelpack {2}No, by the rule .*\. \S/);
});
