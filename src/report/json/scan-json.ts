import type { ErrorJson } from '../../core/errors.ts';
import type { ImageScan } from '../../scan/types.ts';

/** What `scan --json` prints and `scan --result` writes. */
export interface ScanJson {
  readonly schemaVersion: 1;
  readonly scans: readonly ImageScan[];
  readonly failures: readonly ScanFailureJson[];
}

/** An image that could not be scanned. */
export interface ScanFailureJson {
  readonly short: string;
  readonly variant: string;
  readonly error: ErrorJson;
}
