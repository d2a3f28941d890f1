import type { ModelUpdate } from '../../plan/lock/update.ts';

/** What `update --json` prints. */
export interface UpdateJson {
  readonly schemaVersion: 1;
  /** Whether the lock was written, or the changes are only listed. */
  readonly isDryRun: boolean;
  /** What `--base` did with each base image. */
  readonly bases: readonly BaseUpdate[];
  readonly models: readonly ModelUpdate[];
}

/** A base image of models.yaml: what it moves to, or why it stays. */
export interface BaseUpdate {
  readonly from: string;
  readonly to?: string;
  readonly reason?: string;
}
