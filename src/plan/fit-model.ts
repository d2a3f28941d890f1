import type { ModelConfig } from '../config/types.ts';
import { byVariant, hasServer } from '../config/variants.ts';
import { releaseOfBase } from '../fit/base-version.ts';
import { checkFit } from '../fit/check-fit.ts';
import { factsOf, type ModelFacts } from '../fit/model-facts.ts';
import type { FitReport, ModelDocuments } from '../fit/types.ts';
import type { FileFinding } from '../hub/file-findings.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { PolicyOutcome } from '../policy/types.ts';

export interface FitQuestion {
  readonly model: ModelConfig;
  readonly snapshot: ModelSnapshot;
  readonly files: readonly HubFile[];
  readonly fileFindings: readonly FileFinding[];
  readonly documents: ModelDocuments;
  readonly outcome: PolicyOutcome;
  readonly looksAtNewer?: boolean | undefined;
}

/** Returns whether a model will run on its base image, and the facts that people choose it by. */
export function fitModel(question: FitQuestion): { readonly fit: FitReport; readonly facts: ModelFacts } {
  const { model, snapshot, files, fileFindings, documents, outcome } = question;
  const { baseImage, serveArgs } = model;
  return {
    fit: checkFit({
      modelId: model.id,
      baseImage,
      serveArgs,
      fit: model.fit,
      isOffline: outcome.decisions.fat.build,
      files,
      fileFindings,
      documents,
      looksAtNewer: question.looksAtNewer === true,
    }),
    facts: factsOf({
      files,
      documents,
      tensors: snapshot.tensors,
      languages: snapshot.languages,
      release: releaseOfBase(baseImage),
    }),
  };
}

/** Returns the outcome without images that would not start, if `fit: enforce` says so. */
export function withoutUnfit(outcome: PolicyOutcome, { status, findings }: FitReport): PolicyOutcome {
  if (status !== 'refused') return outcome;
  const refusal = {
    build: false,
    rule: 'fit-refused',
    reason: `It would not run (fit: enforce). ${findings.map(({ message }) => message).join(' ')}`,
    evidence: findings.map(({ rule, evidence }) => ({
      field: rule,
      value: evidence,
      source: 'built-in' as const,
    })),
  };
  return {
    ...outcome,
    decisions: byVariant(variant => (hasServer(variant) ? refusal : outcome.decisions[variant])),
  };
}
