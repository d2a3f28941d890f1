/** A part of a workflow as it stands in YAML. */
export interface WorkflowYaml {
  readonly on: unknown;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, JobYaml>>;
}

export interface JobYaml {
  readonly name?: string;
  readonly needs?: string | readonly string[];
  readonly if?: unknown;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly strategy?: {
    readonly 'fail-fast'?: boolean;
    readonly 'max-parallel'?: unknown;
    readonly matrix?: unknown;
  };
  readonly 'runs-on'?: unknown;
  readonly 'timeout-minutes'?: unknown;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly StepYaml[];
}

export interface StepYaml {
  readonly id?: string;
  readonly name?: string;
  readonly if?: unknown;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, unknown>>;
  readonly 'continue-on-error'?: boolean;
}

/** What the runner is told of the world. */
export interface World {
  /** A clone with the commit checked out that the event is about. */
  readonly repository: string;
  /** `owner/name` */
  readonly name: string;
  readonly event: { readonly name: string; readonly payload: Readonly<Record<string, unknown>> };
  readonly secrets: Readonly<Record<string, string>>;
  readonly vars: Readonly<Record<string, string>>;
  /** The clone of Weighbridge that `job.workflow_repository` stands for. */
  readonly project: string;
  /** What the machine has beside a runner's own variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders with programs that go before those of the machine. */
  readonly path: readonly string[];
  /** Where artifacts and workspaces go. */
  readonly folder: string;
  /** Artifacts of other runs: their folders, by the id of the run. */
  readonly otherRuns?: Readonly<Record<string, string>>;
  readonly visibility?: 'public' | 'private';
  /** GitHub's REST API, and the token that a job with these permissions gets for it. */
  readonly api?: { readonly url: string; readonly tokenFor: (permissions: Permissions) => string };
}

export type Permissions = Readonly<Record<string, string>>;

export interface StepRun {
  readonly name: string;
  readonly outcome: 'success' | 'failure' | 'skipped';
  readonly log: string;
}

export interface JobRun {
  readonly id: string;
  readonly name: string;
  readonly result: 'success' | 'failure' | 'skipped';
  readonly steps: readonly StepRun[];
  /** The labels of its runner. */
  readonly runsOn?: unknown;
  /** The Markdown of all its steps. */
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** Content of the SARIF files that it has uploaded. */
  readonly sarif: readonly unknown[];
}
