import type { ModelConfig } from '../config/types.ts';
import { plainLine } from '../core/safe-text.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import type { Ancestor, LineageClaims, PolicyFacts } from './facts.ts';
import type { FamilyMark } from './families.ts';
import { declaredLicense } from './hub-license.ts';
import { judgeLicense } from './license.ts';
import type { AncestorLicense, Evidence, PolicyFinding } from './types.ts';

/** What the licenses of earlier models mean for a model's images. */
export interface LineageJudgement {
  /** Whether it keeps the weights out; always false if it is not enforced. */
  readonly isStop: boolean;
  readonly rule: string;
  /** A sentence about what is wrong with it; empty if nothing is. */
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  readonly findings: readonly PolicyFinding[];
  readonly lineage: readonly AncestorLicense[];
}

/**
 * Whether the models that this one was made from let their weights be redistributed: a permissive card on a fine-tune does
 * not lift the terms of what was tuned. What cannot be known is not consent.
 */
export function judgeLineage(
  model: ModelConfig,
  { snapshot, claims, ancestors }: PolicyFacts,
): LineageJudgement {
  const unreadable = unreadableBases(snapshot, claims);
  const isAsked = model.lineage !== 'off';
  const suspicion = isAsked ? suspect(snapshot, claims, ancestors) : undefined;
  if (ancestors.length === 0 && suspicion === undefined && (unreadable.length === 0 || !isAsked))
    return unjudged(model, snapshot, unreadable);
  const judged = [
    ...unreadable.map(({ field, value }) => unreadableBase(value, field, snapshot.id, [])),
    ...ancestors.flatMap(ancestor => judgeAncestor(model, ancestor, snapshot.id)),
    ...(suspicion === undefined ? [] : [suspected(suspicion, snapshot, [])]),
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
    lineage: judged.flatMap(({ license }) => license ?? []),
  };
}

function unjudged(
  model: ModelConfig,
  { id, baseModels }: ModelSnapshot,
  unreadable: readonly UnreadableBase[],
): LineageJudgement {
  const bases = [...baseModels, ...unreadable.map(({ value }) => value)]
    .map(base => plainLine(base))
    .join(', ');
  const why =
    model.lineage === 'off' ? '`lineage: off` in models.yaml' : 'the decision does not depend on it';
  const [rule, says] =
    bases === ''
      ? ['lineage-none', 'Nothing names a model that this one was made from.']
      : ['lineage-not-asked', `Made from ${bases}, which was not looked at: ${why}.`];
  const finding: PolicyFinding = {
    check: 'lineage',
    says,
    from: `the Hub, base_model of ${id}`,
    verdict: 'note',
  };
  return { isStop: false, rule, reason: '', evidence: [], findings: [finding], lineage: [] };
}

interface UnreadableBase {
  readonly field: string;
  readonly value: string;
}

function unreadableBases(snapshot: ModelSnapshot, claims: LineageClaims): readonly UnreadableBase[] {
  const ofCard = snapshot.unreadableBases ?? [];
  return [...ofCard.map(value => ({ field: 'base_model', value })), ...claims.unreadable];
}

/** The mark of a family whose license is not permissive, unless a base tells more than a name does. */
function suspect(
  snapshot: ModelSnapshot,
  { family }: LineageClaims,
  ancestors: readonly Ancestor[],
): FamilyMark | undefined {
  if (family === undefined || family.isArchitecture) return family;
  const isExplained =
    snapshot.baseModels.length > 0 ||
    ancestors.some(({ kind, chain }) => kind === 'known' && chain.length === 1);
  return isExplained ? undefined : family;
}

interface JudgedStep {
  readonly rule: string;
  readonly problem: string | undefined;
  readonly evidence: Evidence;
  readonly finding: PolicyFinding;
  /** Absent for what is not a model that could be asked about. */
  readonly license?: AncestorLicense;
}

function chainWords(child: string, chain: readonly string[]): string {
  return [child, ...chain].map(id => plainLine(id)).join(' ← ');
}

function unreadableBase(value: string, field: string, child: string, above: readonly string[]): JudgedStep {
  const id = plainLine(value);
  const chain = chainWords(child, [...above, value]);
  return {
    rule: 'lineage-unknown',
    problem: `it was made from ${id}, which is not the id of a model (${field}), so its license cannot be known. Chain: ${chain}.`,
    evidence: { field, value, source: 'hub' },
    finding: {
      check: 'lineage',
      says: `Made from ${id}, which is not the id of a model.`,
      from: `the Hub, ${field} of ${plainLine(child)}`,
      verdict: 'stop',
    },
    license: {
      id,
      revision: null,
      spdx: null,
      declared: null,
      isPermissive: false,
      chain: [...above, value],
    },
  };
}

function suspected(
  { family, license, field, value }: FamilyMark,
  { id, revision }: Pick<ModelSnapshot, 'id' | 'revision'>,
  chain: readonly string[],
): JudgedStep {
  const what = `${fieldWords(field)} is ${plainLine(value)}, which only models of the family ${family} have`;
  const whose = chain.length === 0 ? '' : ` of ${plainLine(id)}`;
  return {
    rule: 'lineage-suspected',
    problem: `${chain.length === 0 ? 'it' : plainLine(id)} seems to be made from a model under ${license}: its ${what}, and no other base explains it.`,
    evidence: { field: `${field}${whose}`, value, source: 'hub', ...(chain.length > 0 && { revision }) },
    finding: {
      check: 'lineage',
      says: `It seems to be made from a model under ${license}: ${what}.`,
      from: `the Hub, ${field} of ${plainLine(id)} at ${revision.slice(0, 8)}`,
      verdict: 'stop',
    },
  };
}

/** `config.json, model_type` as `model_type in config.json`. */
function fieldWords(field: string): string {
  const [file = '', key] = field.split(', ');
  return key === undefined ? file : `${key} in ${file}`;
}

function judgeAncestor(model: ModelConfig, ancestor: Ancestor, child: string): readonly JudgedStep[] {
  const chain = chainWords(child, ancestor.chain);
  if (ancestor.kind === 'missing') return [missingAncestor(ancestor, chain)];
  const { snapshot, texts, claims } = ancestor;
  const { license, reason } = judgeLicense(
    { ...model, permissive: 'auto', overrideSpdx: null },
    snapshot,
    texts,
  );
  const declared = declaredLicense(snapshot.license);
  const isBad = !license.isPermissive;
  // The first sentence says what is wrong; the others what would help if this were the model itself.
  const [why = ''] = reason.split(/(?<=\.) (?=[A-Z])/);
  const problem = `it was made from ${snapshot.id}, whose license (${declared ?? 'none is named'}) does not permit it: ${why} Chain: ${chain}.`;
  const suspicion = suspect(snapshot, claims, []);
  return [
    {
      rule: isBad ? 'lineage-not-permitted' : 'lineage-permitted',
      problem: isBad ? problem : undefined,
      evidence: {
        field: `base_model ${snapshot.id}`,
        value: license.spdx,
        source: 'hub',
        revision: snapshot.revision,
      },
      license: { id: snapshot.id, revision: snapshot.revision, ...license, chain: ancestor.chain },
      finding: {
        check: 'lineage',
        says: `Made from ${snapshot.id} (${declared ?? 'no license named'}${snapshot.gated === false ? '' : ', gated'}): ${why}`,
        from: `the Hub, ${chain} at ${snapshot.revision.slice(0, 8)}`,
        verdict: isBad ? 'stop' : 'pass',
      },
    },
    ...unreadableBases(snapshot, claims).map(({ field, value }) =>
      unreadableBase(value, field, child, ancestor.chain),
    ),
    ...(suspicion === undefined ? [] : [suspected(suspicion, snapshot, ancestor.chain)]),
  ];
}

function missingAncestor(
  { id: wholeId, why, chain: ids, isHint = false }: Extract<Ancestor, { kind: 'missing' }>,
  chain: string,
): JudgedStep {
  const id = plainLine(wholeId);
  const finding: PolicyFinding = {
    check: 'lineage',
    says: `Made from ${id}: ${why}.`,
    from: `the Hub, ${chain}`,
    verdict: isHint ? 'note' : 'stop',
  };
  const evidence: Evidence = { field: `base_model ${id}`, value: null, source: 'hub' };
  if (isHint) return { rule: 'lineage-permitted', problem: undefined, evidence, finding };
  return {
    rule: 'lineage-unknown',
    problem: `it was made from ${id}, whose license cannot be known (${why}). Chain: ${chain}.`,
    evidence,
    license: { id, revision: null, spdx: null, declared: null, isPermissive: false, chain: ids },
    finding,
  };
}
