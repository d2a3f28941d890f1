import { releaseOfBase } from './base-version.ts';
import { architectureFindings } from './check-architecture.ts';
import { argumentFindings } from './check-arguments.ts';
import { documentFindings } from './check-documents.ts';
import { contextFindings, parallelFindings } from './check-limits.ts';
import { methodFindings } from './check-methods.ts';
import { offlineFindings } from './check-offline.ts';
import type { FitContext } from './fit-context.ts';
import { shapeOf } from './model-shape.ts';
import { parseServeArguments } from './serve-arguments.ts';
import type { FitFinding, FitInput, FitReport } from './types.ts';

/**
 * Returns what keeps a model from running on the vLLM of its base image. Pure: everything it rests on is in the input and
 * in the data about releases. A base image that names no known release is not checked, beyond the files themselves.
 */
export function checkFit(input: FitInput): FitReport {
  if (input.fit === 'off') return { status: 'ok', findings: [] };
  const release = releaseOfBase(input.baseImage);
  const files: FitFinding[] = [...input.fileFindings];
  if (release === undefined)
    return { status: files.length === 0 ? 'unknown' : failing(input), findings: files };
  const context: FitContext = {
    input,
    release,
    shape: shapeOf(input.documents.config),
    args: parseServeArguments(input.serveArgs, release),
  };
  // Without a model in it, the rest says nothing new.
  const findings =
    files.length > 0
      ? [...files, ...argumentFindings(context)]
      : [
          ...architectureFindings(context),
          ...argumentFindings(context),
          ...methodFindings(context),
          ...contextFindings(context),
          ...parallelFindings(context),
          ...documentFindings(context),
          ...offlineFindings(context),
        ];
  const isRead = context.shape.architectures.length > 0 || context.shape.layers !== undefined;
  const status = findings.length > 0 ? failing(input) : isRead ? 'ok' : 'unknown';
  return { status, release: release.version, findings };
}

function failing({ fit }: FitInput): 'warn' | 'refused' {
  return fit === 'enforce' ? 'refused' : 'warn';
}
