import type { Severity } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import type { ScanSummary } from './scan-referrer.ts';

/** One thing that a scan has found. */
export interface ScanFinding {
  readonly kind: 'vulnerability' | 'secret' | 'misconfiguration';
  /** `CVE-2026-1234`, `aws-access-key-id`, `DS-0002` */
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  /** The package, or the file in the image. */
  readonly subject: string;
  readonly installedVersion?: string;
  /** Absent if no version fixes it yet. */
  readonly fixedVersion?: string;
  /** Whether it came with the base image or is in one of our layers. */
  readonly origin: 'base' | 'own';
}

/** One published image, scanned. */
export interface ImageScan {
  readonly id: string;
  readonly short: string;
  readonly variant: string;
  /** Of the image's manifest for `platform`. */
  readonly digest: Digest;
  readonly platform: string;
  /** Where it is published, by digest: `ghcr.io/acme/hf-x@sha256:…`. */
  readonly references: readonly string[];
  readonly base: { readonly name: string; readonly digest: Digest } | null;
  readonly summary: ScanSummary;
  /** Those of the severities that the file asks for, the worst first. */
  readonly findings: readonly ScanFinding[];
  /** How many of all findings are of a severity in `scan.fail_on`. */
  readonly failing: number;
  /** Of the image, in bytes. */
  readonly sizeBytes: number;
  /** What the scanner read from the registry, in bytes; `base` is zero if an earlier scan of it served. */
  readonly read: { readonly own: number; readonly base: number };
}
