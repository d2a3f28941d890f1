import type { FileFinding } from '../hub/file-findings.ts';
import type { HubFile } from '../hub/types.ts';
import type { AdaptedModel, AdapterFacts } from './adapter-facts.ts';

/** Whether a model will run on the vLLM of its base image, as far as that can be known before anything is published. */
export interface FitReport {
  /**
   * `unknown`: the base image names no release that is known, or `fit: off`. `refused`: findings, and `fit: enforce`; or an
   * adapter that is another model's.
   */
  readonly status: 'ok' | 'warn' | 'refused' | 'unknown';
  /** The release that was checked against. */
  readonly release?: string;
  readonly findings: readonly FitFinding[];
  /** The newer releases that it runs on, as far as releases decide, if that was asked. */
  readonly newer?: readonly string[];
}

/** One reason for which a model may not run, in words. */
export interface FitFinding {
  readonly rule: FitRule;
  /** A sentence for people. */
  readonly message: string;
  /** What it rests on. */
  readonly evidence: string;
  /** What to do, as a sentence. */
  readonly remedy?: string;
}

/** The names of the rules that findings come from, as `--json` has them. */
export type FitRule =
  | FileFinding['rule']
  | 'architecture-unknown'
  | 'flag-unknown'
  | 'flag-removed'
  | 'flag-choice'
  | 'flag-value'
  | 'quantization-unknown'
  | 'parser-unknown'
  | 'remote-code-needed'
  | 'context-too-long'
  | 'no-tokenizer'
  | 'no-chat-template'
  | 'offline-repository'
  | 'parallel-size'
  | 'adapter-mismatch'
  | 'adapter-base'
  | 'adapter-unsupported'
  | 'lora-unsupported';

/** Everything that the check rests on. */
export interface FitInput {
  /** As in models.yaml. */
  readonly modelId: string;
  readonly baseImage: string;
  readonly serveArgs: readonly string[];
  readonly fit: 'warn' | 'enforce' | 'off';
  /** Whether an image with its weights is built: it starts without a network. */
  readonly isOffline: boolean;
  /** The files that the image gets. */
  readonly files: readonly Pick<HubFile, 'path' | 'sizeBytes'>[];
  readonly fileFindings: readonly FileFinding[];
  readonly documents: ModelDocuments;
  /** Adapters that are served with it, and what they are to belong to. */
  readonly adapters?: readonly AdapterFacts[];
  readonly adapted?: AdaptedModel;
  /** Whether to look at newer releases as well. */
  readonly looksAtNewer?: boolean;
}

/** Small files of a repository, parsed; undefined for what is not there or cannot be read. */
export interface ModelDocuments {
  readonly config?: unknown;
  readonly tokenizerConfig?: unknown;
}
