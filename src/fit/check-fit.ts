import { releaseOfBase } from './base-version.ts';
import { adapterBaseFindings, adapterFindings } from './check-adapters.ts';
import { architectureFindings } from './check-architecture.ts';
import { argumentFindings } from './check-arguments.ts';
import { documentFindings } from './check-documents.ts';
import { contextFindings, parallelFindings } from './check-limits.ts';
import { methodFindings } from './check-methods.ts';
import { offlineFindings } from './check-offline.ts';
import type { FitContext } from './fit-context.ts';
import { shapeOf } from './model-shape.ts';
import { RELEASES, type Release } from './releases.ts';
import { parseServeArguments } from './serve-arguments.ts';
import type { FitFinding, FitInput, FitReport, FitRule } from './types.ts';

/**
 * Returns what keeps a model from running on the vLLM of its base image. Pure: everything it rests on is in the input and
 * in the data about releases. A base image that names no known release is not checked, beyond the files themselves.
 */
export function checkFit(input: FitInput): FitReport {
  if (input.fit === 'off') return { status: 'unknown', findings: [] };
  const release = releaseOfBase(input.baseImage);
  if (release === undefined) {
    const findings = [...input.fileFindings, ...adapterBaseFindings(input)];
    return { status: findings.length === 0 ? 'unknown' : failing(input, findings), findings };
  }
  const findings = findingsOn(input, release);
  const { architectures, layers } = shapeOf(input.documents.config);
  const isRead = architectures.length > 0 || layers !== undefined;
  const status = findings.length > 0 ? failing(input, findings) : isRead ? 'ok' : 'unknown';
  return {
    status,
    release: release.version,
    findings,
    ...(input.looksAtNewer && isRead && newer(input, release)),
  };
}

function findingsOn(input: FitInput, release: Release): readonly FitFinding[] {
  const context: FitContext = {
    input,
    release,
    shape: shapeOf(input.documents.config),
    args: parseServeArguments(input.serveArgs, release),
  };
  // Without a model in it, the rest says nothing new.
  if (input.fileFindings.length > 0) return [...input.fileFindings, ...argumentFindings(context)];
  return [
    ...architectureFindings(context),
    ...argumentFindings(context),
    ...methodFindings(context),
    ...contextFindings(context),
    ...parallelFindings(context),
    ...documentFindings(context),
    ...offlineFindings(context),
    ...adapterBaseFindings(input),
    ...adapterFindings(context),
  ];
}

function newer(input: FitInput, { rank }: Release): Pick<FitReport, 'newer'> {
  const fitting = RELEASES.filter(
    release => release.rank > rank && !findingsOn(input, release).some(({ rule }) => OF_RELEASE.has(rule)),
  );
  return { newer: fitting.map(({ version }) => version) };
}

/** What a release decides: a missing template, say, is missing on any. */
const OF_RELEASE: ReadonlySet<FitRule> = new Set<FitRule>([
  ...(['architecture-unknown', 'quantization-unknown', 'parser-unknown', 'remote-code-needed'] as const),
  ...(['flag-unknown', 'flag-removed', 'flag-choice', 'flag-value'] as const),
  ...(['lora-unsupported', 'adapter-unsupported'] as const),
]);

/** An adapter of another model gives wrong answers and no error: it is never published. */
function failing({ fit }: FitInput, findings: readonly FitFinding[]): 'warn' | 'refused' {
  const isWrong = findings.some(({ rule }) => rule === 'adapter-mismatch');
  return fit === 'enforce' || isWrong ? 'refused' : 'warn';
}
