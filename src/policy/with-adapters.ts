import type { Variant } from '../config/types.ts';
import { bringsAdapters, byVariant, holdsWeights } from '../config/variants.ts';
import { plainLine } from '../core/safe-text.ts';
import type { PolicyDecision, PolicyOutcome, Remedy } from './types.ts';

/** An adapter, judged as if it were a model. */
export interface JudgedAdapter {
  readonly name: string;
  readonly id: string;
  readonly outcome: PolicyOutcome;
}

/**
 * Returns the outcome of a model that is published with adapters: an image with its weights has theirs too, and needs every
 * one of them to be permitted.
 */
export function withAdapters(outcome: PolicyOutcome, adapters: readonly JudgedAdapter[]): PolicyOutcome {
  if (adapters.length === 0) return outcome;
  const refused = adapters.find(adapter => !adapter.outcome.decisions.fat.build);
  const decisionOf = (variant: Variant): PolicyDecision => {
    const own = outcome.decisions[variant];
    if (!own.build || !bringsAdapters(variant)) return own;
    if (!holdsWeights(variant)) return withAccess(own, adapters);
    return refused === undefined ? withPermitted(own, adapters) : refusal(refused);
  };
  const isOwnFat = outcome.decisions.fat.build;
  return {
    ...outcome,
    decisions: byVariant(decisionOf),
    findings: [
      ...outcome.findings,
      ...adapters.flatMap(adapter =>
        adapter.outcome.findings.map(finding => ({
          ...finding,
          check: `${adapter.name}: ${finding.check}`,
          says: ofAdapter(finding.says),
        })),
      ),
    ],
    remedies: isOwnFat && refused !== undefined ? remediesOf(refused) : outcome.remedies,
  };
}

function refusal({ name, id, outcome }: JudgedAdapter): PolicyDecision {
  const { rule, reason, evidence } = outcome.decisions.fat;
  return {
    build: false,
    rule: `adapter-${rule}`,
    reason: `The adapter ${plainLine(name)} (${plainLine(id)}) keeps the weights out: ${ofAdapter(reason)}`,
    evidence: evidence.map(one => ({ ...one, field: `${name}: ${one.field}` })),
  };
}

function withPermitted(own: PolicyDecision, adapters: readonly JudgedAdapter[]): PolicyDecision {
  const named = adapters.map(({ name, outcome }) => `${name} (${outcome.license.declared ?? 'vouched for'})`);
  return {
    ...own,
    reason: `${own.reason} Its adapters are permitted too: ${plainLine(named.join(', '), 300)}.`,
    evidence: [...own.evidence, ...adapters.flatMap(adapter => adapter.outcome.decisions.fat.evidence)],
  };
}

function withAccess(own: PolicyDecision, adapters: readonly JudgedAdapter[]): PolicyDecision {
  const gated = adapters.filter(({ outcome }) => outcome.isGated).map(({ name }) => name);
  if (gated.length === 0) return own;
  const many = gated.length > 1;
  return {
    ...own,
    reason: `${own.reason} The adapter${many ? 's' : ''} ${plainLine(gated.join(', '))} ${many ? 'are' : 'is'} gated: those who run it need a Hub token with access.`,
  };
}

/** Lines of the adapter's own entry, where it has such a key. */
function remediesOf({ name, outcome }: JudgedAdapter): readonly Remedy[] {
  return outcome.remedies.map(({ setting, effect }) =>
    /^(permissive|override_spdx): /.test(setting)
      ? { setting: `adapters: [{name: ${name}, ${setting}}]`, effect }
      : { setting, effect },
  );
}

/** Of models and adapters alike; only pickles are allowed by the entry of the model. */
function ofAdapter(text: string): string {
  return text.replaceAll(/(?<!allow_pickle: true` for )this model\b/g, 'this adapter');
}
