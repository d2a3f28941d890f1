import type { ModelConfig } from '../config/types.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import { type GateJudgement, judgeGate } from './gate.ts';
import { judgeLicense, type LicenseJudgement } from './license.ts';
import type { Evidence, PolicyDecision, PolicyOutcome } from './types.ts';

/** Which variants are built, and why. Facts in, decisions out; never throws and asks nobody. */
export function decide(model: ModelConfig, snapshot: ModelSnapshot): PolicyOutcome {
  const gate = judgeGate(model, snapshot);
  const license = judgeLicense(model, snapshot);
  return {
    license: license.license,
    isGated: gate.isGated,
    decisions: {
      slim: decideSlim(gate, snapshot),
      fat: decideFat(model, gate, license, snapshot),
    },
  };
}

function decideSlim(gate: GateJudgement, snapshot: ModelSnapshot): PolicyDecision {
  const token = gate.isGated ? ' The model is gated: whoever runs it needs a Hub token with access.' : '';
  return {
    build: true,
    rule: 'slim-always',
    reason: `A slim image holds no weights, it downloads them when it starts, so it is always built.${token}`,
    evidence: [...gate.evidence, ...evidenceOf(snapshot)],
  };
}

function decideFat(
  model: ModelConfig,
  gate: GateJudgement,
  license: LicenseJudgement,
  snapshot: ModelSnapshot,
): PolicyDecision {
  const evidence = [...gate.evidence, ...license.evidence, ...evidenceOf(snapshot)];
  if (gate.isGated) {
    return { build: false, rule: gate.rule, reason: `${gate.reason}${besides(model, license)}`, evidence };
  }
  const isBuilt = license.license.isPermissive;
  const warning =
    isBuilt && snapshot.isPrivate
      ? ' The repository is private on the Hub: everyone who can pull the image gets its weights.'
      : '';
  return { build: isBuilt, rule: license.rule, reason: `${license.reason}${warning}`, evidence };
}

/** What a reader of a gate's reason would otherwise try next. */
function besides(model: ModelConfig, { license }: LicenseJudgement): string {
  if (model.permissive === true) return ' `permissive: true` does not lift a gate.';
  if (license.isPermissive) return '';
  return ` Besides, its licence (${license.declared ?? 'none is named'}) does not permit it by itself.`;
}

function evidenceOf({ revision, isPrivate }: ModelSnapshot): Evidence[] {
  const evidence: Evidence[] = [{ field: 'revision', value: revision, source: 'hub' }];
  if (isPrivate) evidence.push({ field: 'private', value: true, source: 'hub' });
  return evidence;
}
