/** One thing that was looked at. */
export interface Checkup {
  /** `models.yaml`, `registry ghcr`, `Trivy`. */
  readonly name: string;
  /** `failed` only for what a publish needs. */
  readonly status: 'ok' | 'note' | 'failed';
  readonly detail: string;
  /** What to do, if there is something. */
  readonly remedy?: string;
}
