import type { ModelConfig } from '../config/types.ts';
import { isAdapter, isPicklePath, kindOf } from '../core/model-files.ts';
import { plainLine } from '../core/safe-text.ts';
import { hasFlag } from '../core/serve-flags.ts';
import type { HubFile } from '../hub/types.ts';
import type { PolicyFacts } from './facts.ts';
import type { Evidence, PolicyFinding } from './types.ts';

/** What the files of a model mean for its images. */
export interface SafetyJudgement {
  /** Why a fat image may not hold these files; undefined if it may. */
  readonly stop: { readonly rule: string; readonly reason: string } | undefined;
  readonly evidence: readonly Evidence[];
  readonly findings: readonly PolicyFinding[];
}

/** Returns Python that vLLM runs only with `--trust-remote-code`. */
export function remoteCode(files: readonly HubFile[]): readonly string[] {
  return files.filter(({ path }) => kindOf(path) === 'code').map(({ path }) => path);
}

/** Whether the files are safe to redistribute, whatever their license. */
export function judgeFiles(model: ModelConfig, { snapshot, files }: PolicyFacts): SafetyJudgement {
  const unsafe = judgeScan(snapshot.safety, files);
  const pickles = judgePickles(model, files, snapshot.files);
  return {
    stop: unsafe.stop ?? pickles.stop,
    evidence: [...unsafe.evidence, ...pickles.evidence],
    findings: [...unsafe.findings, ...pickles.findings, ...codeFindings(model, files)],
  };
}

function judgeScan(safety: PolicyFacts['snapshot']['safety'], files: readonly HubFile[]): SafetyJudgement {
  const from = 'the Hub, securityStatus';
  if (safety === undefined) {
    return {
      stop: undefined,
      evidence: [],
      findings: [{ check: 'file safety', says: 'The Hub does not say.', from, verdict: 'note' }],
    };
  }
  const taken = new Set(files.map(({ path }) => path));
  const issues = safety.issues.filter(({ path }) => taken.has(path));
  const unsafe = issues.filter(({ level }) => level === 'unsafe').map(({ path }) => path);
  const evidence: Evidence[] = [{ field: 'securityStatus', value: issues, source: 'hub' }];
  if (unsafe.length === 0) {
    const others = issues.map(({ path, level }) => `${plainLine(path)} (${plainLine(level)})`);
    const scanned = safety.isScanned
      ? 'The Hub has scanned the files'
      : 'The Hub has not scanned all files yet';
    const says =
      others.length === 0
        ? `${scanned} and found nothing.`
        : `${scanned}; it has doubts about ${others.join(', ')}.`;
    const verdict = safety.isScanned && others.length === 0 ? 'pass' : 'note';
    return { stop: undefined, evidence, findings: [{ check: 'file safety', says, from, verdict }] };
  }
  const named = listed(unsafe);
  return {
    stop: {
      rule: 'files-unsafe',
      reason: `The Hub's scanners call ${named} unsafe, so it is not redistributed. Leave it out with \`files.exclude\`, or take another revision.`,
    },
    evidence,
    findings: [
      { check: 'file safety', says: `The Hub's scanners call ${named} unsafe.`, from, verdict: 'stop' },
    ],
  };
}

function judgePickles(
  model: ModelConfig,
  files: readonly HubFile[],
  all: readonly HubFile[],
): SafetyJudgement {
  const pickles = files.map(({ path }) => path).filter(isPicklePath);
  const from = 'the list of files and models.yaml, files.allow_pickle';
  if (pickles.length === 0) {
    return {
      stop: undefined,
      evidence: [],
      findings: [{ check: 'pickles', says: 'None of the files is a pickle.', from, verdict: 'pass' }],
    };
  }
  const named = listed(pickles);
  const evidence: Evidence[] = [
    { field: 'pickle files', value: pickles, source: 'hub' },
    { field: 'files.allow_pickle', value: model.files.allowPickle, source: 'models.yaml' },
  ];
  if (model.files.allowPickle) {
    const says = `${named} may run code when it is loaded; \`files.allow_pickle: true\` takes that.`;
    return { stop: undefined, evidence, findings: [{ check: 'pickles', says, from, verdict: 'pass' }] };
  }
  const hasSafe = files.some(isSafe);
  // `--load-format pt`, or `files`, chose these.
  const others = all.filter(isSafe).map(({ path }) => path);
  const why = hasSafe
    ? `Beside safetensors it would hold ${named}`
    : others.length > 0
      ? `In place of ${listed(others)} it would hold ${named}`
      : `Its weights are there as pickles only (${named})`;
  return {
    stop: {
      rule: 'pickle-not-allowed',
      reason: `${why}, a format that can run code when it is loaded. If you trust its authors, set \`files.allow_pickle: true\` for this model${hasSafe ? ', or leave it out with `files.exclude` if vLLM does not need it' : ''}.`,
    },
    evidence,
    findings: [{ check: 'pickles', says: `${why}.`, from, verdict: 'stop' }],
  };
}

/** Whether a file holds weights of a model, and nothing that could run. */
function isSafe({ path }: HubFile): boolean {
  return ['safetensors', 'mistral'].includes(kindOf(path)) && !isAdapter(path);
}

function codeFindings(model: ModelConfig, files: readonly HubFile[]): PolicyFinding[] {
  const code = remoteCode(files);
  if (code.length === 0) return [];
  const isTrusted = hasFlag(model.serveArgs, '--trust-remote-code');
  const says = isTrusted
    ? `${listed(code)} runs in the server: \`serve_args\` has --trust-remote-code.`
    : `${listed(code)} comes with it; vLLM runs it only with --trust-remote-code in \`serve_args\`, and does not now.`;
  return [
    { check: 'remote code', says, from: 'the list of files and models.yaml, serve_args', verdict: 'note' },
  ];
}

const MAX_LISTED = 4;

function listed(paths: readonly string[]): string {
  const shown = paths
    .slice(0, MAX_LISTED)
    .map(path => plainLine(path))
    .join(', ');
  return paths.length > MAX_LISTED ? `${shown} and ${paths.length - MAX_LISTED} more` : shown;
}
