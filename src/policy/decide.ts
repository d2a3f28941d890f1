import type { ModelConfig } from '../config/types.ts';
import { byVariant, holdsWeights } from '../config/variants.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import type { PolicyFacts } from './facts.ts';
import { judgeFiles, type SafetyJudgement } from './file-safety.ts';
import { type GateJudgement, judgeGate } from './gate.ts';
import { judgeLicense, type LicenseJudgement } from './license.ts';
import { judgeLineage, type LineageJudgement } from './lineage.ts';
import { remediesFor } from './remedies.ts';
import { identityWords } from './text-findings.ts';
import type { Evidence, PolicyDecision, PolicyOutcome } from './types.ts';

interface Judgements {
  readonly gate: GateJudgement;
  readonly license: LicenseJudgement;
  readonly lineage: LineageJudgement;
  readonly files: SafetyJudgement;
}

/** Returns which variants are built, and why. Facts in, decisions out; never throws and needs no network. */
export function decide(model: ModelConfig, facts: PolicyFacts): PolicyOutcome {
  const { snapshot } = facts;
  const judged: Judgements = {
    gate: judgeGate(model, snapshot),
    license: judgeLicense(model, snapshot, facts.texts),
    lineage: judgeLineage(model, facts),
    files: judgeFiles(model, facts),
  };
  const { gate, license, lineage, files } = judged;
  const slim = decideSlim(gate, snapshot);
  const fat = decideFat(model, judged, snapshot);
  return {
    license: license.license,
    isGated: gate.isGated,
    texts: facts.texts.map(({ path, identity }) => ({ path, is: identityWords(identity) })),
    lineage: lineage.lineage,
    decisions: byVariant(variant => (holdsWeights(variant) ? fat : slim)),
    findings: [gate.finding, ...license.findings, ...lineage.findings, ...files.findings],
    remedies: remediesFor(model, fat, license.contradiction),
  };
}

function decideSlim(gate: GateJudgement, snapshot: ModelSnapshot): PolicyDecision {
  const token = gate.isGated ? ' The model is gated: those who run it need a Hub token with access.' : '';
  return {
    build: true,
    rule: 'slim-always',
    reason: `A slim image contains no weights: it downloads them when it starts, so it is always built.${token}`,
    evidence: [...gate.evidence, ...evidenceOf(snapshot)],
  };
}

/** The first that says no decides; if none does, the license is the reason. */
function decideFat(
  model: ModelConfig,
  { gate, license, lineage, files }: Judgements,
  snapshot: ModelSnapshot,
): PolicyDecision {
  const evidence = [
    ...gate.evidence,
    ...license.evidence,
    ...lineage.evidence,
    ...files.evidence,
    ...evidenceOf(snapshot),
  ];
  const refused = (rule: string, reason: string): PolicyDecision => ({
    build: false,
    rule,
    reason,
    evidence,
  });
  if (gate.isGated) return refused(gate.rule, `${gate.reason}${besides(model, license)}`);
  if (!license.license.isPermissive) return refused(license.rule, license.reason);
  if (lineage.isStop) {
    const own = license.license.declared ?? 'its own license';
    return refused(
      lineage.rule,
      `The model says ${own}, but ${lineage.reason} If you know that its weights may be redistributed, set \`permissive: true\` for this model.`,
    );
  }
  if (files.stop !== undefined) return refused(files.stop.rule, files.stop.reason);
  const warning = lineage.reason === '' ? '' : ` Beware: ${lineage.reason}`;
  const privacy = snapshot.isPrivate
    ? ' The repository is private on the Hub: everyone who can pull the image gets its weights.'
    : '';
  return { build: true, rule: license.rule, reason: `${license.reason}${warning}${privacy}`, evidence };
}

/** What a reader of a gate's reason would otherwise try next. */
function besides(model: ModelConfig, { license }: LicenseJudgement): string {
  if (model.permissive === true) return ' `permissive: true` does not lift a gate.';
  if (license.isPermissive) return '';
  return ` Besides, its license (${license.declared ?? 'none is named'}) does not permit it either.`;
}

function evidenceOf({ revision, isPrivate }: ModelSnapshot): Evidence[] {
  const evidence: Evidence[] = [{ field: 'revision', value: revision, source: 'hub' }];
  if (isPrivate) evidence.push({ field: 'private', value: true, source: 'hub' });
  return evidence;
}
