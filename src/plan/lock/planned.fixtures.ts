import type { ModelConfig } from '../../config/types.ts';
import { byVariant } from '../../config/variants.ts';
import { factsOf } from '../../fit/model-facts.ts';
import { decide } from '../../policy/decide.ts';
import type { PolicyFacts } from '../../policy/facts.ts';
import type { PlannedModel } from '../types.ts';

/** A model as a plan has it, as far as locks look at it: for no registry, with no tag and no license text. */
export function plannedOf(model: ModelConfig, facts: PolicyFacts): PlannedModel {
  const tree = { entries: [] } as unknown as PlannedModel['licenses']['fat'];
  return {
    kind: 'planned',
    model,
    snapshot: facts.snapshot,
    outcome: decide(model, facts),
    files: facts.snapshot.files,
    leftOut: [],
    fit: { status: 'ok', findings: [] },
    facts: factsOf({ files: [], documents: {} }),
    targets: [],
    tags: byVariant(() => []),
    licenses: byVariant(() => tree),
  };
}
