import type { ModelConfig } from '../config/types.ts';
import { plainLine } from '../core/safe-text.ts';
import type { Ancestor, PolicyFacts } from './facts.ts';
import { declaredLicense } from './hub-license.ts';
import { judgeLicense } from './license.ts';
import type { AncestorLicense, Evidence, Finding } from './types.ts';

export interface LineageJudgement {
  /** Whether it keeps the weights out; always false where it is not enforced. */
  readonly isStop: boolean;
  readonly rule: string;
  /** A sentence about what is wrong with it; empty where nothing is. */
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  readonly findings: readonly Finding[];
  readonly lineage: readonly AncestorLicense[];
}

/**
 * Whether the models that this one was made from let their weights be handed on: a permissive card on a fine-tune does
 * not lift the terms of what was tuned.
 */
export function judgeLineage(model: ModelConfig, { snapshot, ancestors }: PolicyFacts): LineageJudgement {
  const unreadable = snapshot.unreadableBases ?? [];
  if (snapshot.baseModels.length === 0 && unreadable.length === 0) {
    return unjudged('lineage-none', 'The card names no model that this one was made from.', snapshot.id);
  }
  if (ancestors.length === 0 && (unreadable.length === 0 || model.lineage === 'off')) {
    const bases = [...snapshot.baseModels, ...unreadable].map(id => plainLine(id)).join(', ');
    const why =
      model.lineage === 'off' ? '`lineage: off` in models.yaml' : 'the decision does not depend on it';
    return unjudged('lineage-not-asked', `Made from ${bases}, which was not looked at: ${why}.`, snapshot.id);
  }
  const judged = [
    ...unreadable.map(value =>
      judgeAncestor(model, { kind: 'missing', id: value, chain: [value], why: NOT_AN_ID }, snapshot.id),
    ),
    ...ancestors.map(ancestor => judgeAncestor(model, ancestor, snapshot.id)),
  ];
  const bad = judged.find(({ problem }) => problem !== undefined);
  const isStop = bad !== undefined && model.lineage === 'enforce' && model.permissive === 'auto';
  return {
    isStop,
    rule: bad?.rule ?? 'lineage-permitted',
    reason: bad?.problem ?? '',
    evidence: judged.map(({ evidence }) => evidence),
    findings: judged.map(({ finding }) =>
      finding.verdict === 'stop' && !isStop ? { ...finding, verdict: 'note' } : finding,
    ),
    lineage: judged.map(({ license }) => license),
  };
}

const NOT_AN_ID = 'that is not the id of a model';

function unjudged(rule: string, says: string, id: string): LineageJudgement {
  const finding: Finding = { check: 'lineage', says, from: `the Hub, base_model of ${id}`, verdict: 'note' };
  return { isStop: false, rule, reason: '', evidence: [], findings: [finding], lineage: [] };
}

interface JudgedAncestor {
  readonly rule: string;
  readonly problem: string | undefined;
  readonly evidence: Evidence;
  readonly finding: Finding;
  readonly license: AncestorLicense;
}

function judgeAncestor(model: ModelConfig, ancestor: Ancestor, child: string): JudgedAncestor {
  const chain = [child, ...ancestor.chain].map(id => plainLine(id)).join(' ← ');
  if (ancestor.kind === 'missing') {
    const id = plainLine(ancestor.id);
    const problem = `it was made from ${id}, whose licence cannot be known (${ancestor.why}). Chain: ${chain}.`;
    return {
      rule: 'lineage-unknown',
      problem,
      evidence: { field: `base_model ${id}`, value: null, source: 'hub' },
      license: { id, revision: null, spdx: null, declared: null, isPermissive: false, chain: ancestor.chain },
      finding: {
        check: 'lineage',
        says: `Made from ${id}: ${ancestor.why}.`,
        from: `the Hub, ${chain}`,
        verdict: 'stop',
      },
    };
  }
  const { snapshot, texts } = ancestor;
  const { license, reason } = judgeLicense(
    { ...model, permissive: 'auto', overrideSpdx: null },
    snapshot,
    texts,
  );
  const declared = declaredLicense(snapshot.license);
  const isBad = !license.isPermissive;
  // The first sentence says what is wrong; the others what would help if this were the model itself.
  const [why = ''] = reason.split(/(?<=\.) (?=[A-Z])/);
  const problem = `it was made from ${snapshot.id}, whose licence (${declared ?? 'none is named'}) does not permit it: ${why} Chain: ${chain}.`;
  return {
    rule: isBad ? 'lineage-not-permitted' : 'lineage-permitted',
    problem: isBad ? problem : undefined,
    evidence: { field: `base_model ${snapshot.id}`, value: license.spdx, source: 'hub' },
    license: { id: snapshot.id, revision: snapshot.revision, ...license, chain: ancestor.chain },
    finding: {
      check: 'lineage',
      says: `Made from ${snapshot.id} (${declared ?? 'no licence named'}${snapshot.gated === false ? '' : ', gated'}): ${why}`,
      from: `the Hub, ${chain} at ${snapshot.revision.slice(0, 8)}`,
      verdict: isBad ? 'stop' : 'pass',
    },
  };
}
