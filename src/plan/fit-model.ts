import type { ModelConfig } from '../config/types.ts';
import { bringsAdapters, byVariant, hasServer } from '../config/variants.ts';
import type { AdaptedModel, AdapterFacts } from '../fit/adapter-facts.ts';
import { releaseOfBase } from '../fit/base-version.ts';
import { checkFit } from '../fit/check-fit.ts';
import { factsOf, type ModelFacts } from '../fit/model-facts.ts';
import type { FitReport, ModelDocuments } from '../fit/types.ts';
import type { FileFinding } from '../hub/file-findings.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { PolicyOutcome } from '../policy/types.ts';

/** What the fit of a model rests on. */
export interface FitQuestion {
  readonly model: ModelConfig;
  readonly snapshot: ModelSnapshot;
  readonly files: readonly HubFile[];
  readonly fileFindings: readonly FileFinding[];
  readonly documents: ModelDocuments;
  readonly outcome: PolicyOutcome;
  readonly adapters?: readonly AdapterFacts[];
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
      ...(question.adapters !== undefined && question.adapters.length > 0
        ? { adapters: question.adapters, adapted: adaptedModel(question) }
        : {}),
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

function adaptedModel({ snapshot, outcome }: FitQuestion): AdaptedModel {
  return {
    ids: [...new Set([snapshot.requestedId, snapshot.id])],
    madeFrom: [...new Set([...snapshot.baseModels, ...outcome.lineage.map(({ id }) => id)])],
    relation: snapshot.baseModelRelation,
  };
}

/** Returns the outcome without images that would not start, if `fit: enforce` says so, or with another model's adapter. */
export function withoutUnfit(outcome: PolicyOutcome, { status, findings }: FitReport): PolicyOutcome {
  if (status !== 'refused') return outcome;
  const mismatches = findings.filter(({ rule }) => rule === 'adapter-mismatch');
  const isWrong = mismatches.length > 0;
  const shown = isWrong ? mismatches : findings;
  const words = shown.map(({ message }) => message).join(' ');
  const refusal = {
    build: false,
    rule: isWrong ? 'adapter-mismatch' : 'fit-refused',
    reason: isWrong ? words : `It would not run (fit: enforce). ${words}`,
    evidence: shown.map(({ rule, evidence }) => ({
      field: rule,
      value: evidence,
      source: 'built-in' as const,
    })),
  };
  return {
    ...outcome,
    decisions: byVariant(variant =>
      hasServer(variant) || (isWrong && bringsAdapters(variant)) ? refusal : outcome.decisions[variant],
    ),
  };
}
