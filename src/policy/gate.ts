import type { ModelConfig } from '../config/types.ts';
import { plainLine } from '../core/safe-text.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import type { Evidence, PolicyFinding } from './types.ts';

/** What the Hub's gate means for a model's images. */
export interface GateJudgement {
  readonly isGated: boolean;
  readonly rule: string;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  readonly finding: PolicyFinding;
}

/** Whether users have to ask for access. The file may close a gate, never open the Hub's. */
export function judgeGate(model: ModelConfig, snapshot: ModelSnapshot): GateJudgement {
  const judged = gateOf(model, snapshot);
  return {
    ...judged,
    finding: {
      check: 'gate',
      says: judged.reason,
      from: 'the Hub, gated, and models.yaml, gated',
      verdict: judged.isGated ? 'stop' : 'pass',
    },
  };
}

function gateOf(model: ModelConfig, snapshot: ModelSnapshot): Omit<GateJudgement, 'finding'> {
  const evidence: Evidence[] = [
    { field: 'gated', value: model.gated, source: 'models.yaml' },
    { field: 'gated', value: snapshot.gated, source: 'hub' },
  ];
  // Whatever is not exactly false is a gate, also values that the Hub may come to give.
  const isGatedByHub = snapshot.gated !== false;
  if (isGatedByHub && model.gated === false) {
    return {
      isGated: true,
      rule: 'gated-false-refused',
      reason: `models.yaml says \`gated: false\` but the Hub gates this model (${howGated(snapshot)}), and the Hub's setting takes precedence: its weights may not be redistributed. No line in models.yaml opens the gate; \`gated: false\` is best removed.`,
      evidence,
    };
  }
  if (isGatedByHub) {
    return {
      isGated: true,
      rule: 'gated',
      reason: `The Hub gates this model (${howGated(snapshot)}): each user has to be granted access, so its weights may not be redistributed in an image. No line in models.yaml changes that.`,
      evidence,
    };
  }
  if (model.gated === true) {
    return {
      isGated: true,
      rule: 'gated-by-file',
      reason:
        'models.yaml says that this model is gated (`gated: true`), so its weights are not redistributed; the Hub itself does not gate it. Without that line the Hub decides.',
      evidence,
    };
  }
  return { isGated: false, rule: 'not-gated', reason: 'The Hub does not gate this model.', evidence };
}

function howGated({ gated }: ModelSnapshot): string {
  return `gated: ${plainLine(JSON.stringify(gated) ?? String(gated), 40)}`;
}
