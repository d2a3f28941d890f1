import { SEVERITIES, type Severity } from '../config/types.ts';
import { type Digest, isDigest } from '../core/digest.ts';
import { ScanAnnotation } from '../image/format/labels.ts';
import { OciAnnotation } from '../oci/annotations.ts';
import type { Annotations } from '../oci/types.ts';

// How a scan is kept beside the image that it is about: a referrer of the image's manifest whose annotations hold the
// counts, so that who lists the referrers needs no further request, and whose two layers are the full report.

/** The artifact type of a scan that is attached to an image. */
export const SCAN_ARTIFACT_TYPE = 'application/vnd.weighbridge.scan.v1+json';
/** Trivy's own JSON report; https://trivy.dev/docs/latest/configuration/reporting/#json */
export const SCAN_REPORT_TYPE = 'application/vnd.aquasec.trivy.report.v2+json';
/** The media type of a SARIF report. */
export const SARIF_TYPE = 'application/sarif+json';

/** The outcome of a scan in numbers. */
export interface ScanSummary {
  /** `trivy 0.74.0` */
  readonly scanner: string;
  /** When the vulnerability database was made, ISO 8601; null if the scanner does not tell. */
  readonly databaseDate: string | null;
  /** ISO 8601. */
  readonly scannedAt: string;
  /** Of the base image, whose findings are a part of the counts; null if the image names none. */
  readonly baseDigest: Digest | null;
  /** By severity, base included. What the ignore file names is not counted. */
  readonly vulnerabilities: Readonly<Record<Severity, number>>;
  /** How many of them have a version that fixes them. */
  readonly fixable: number;
  /** Credentials in our layers, and questionable settings of the image. */
  readonly secrets: number;
  readonly misconfigurations: number;
}

const PREFIX = ScanAnnotation.prefix;

/** Returns the annotations that a scan is stored with. */
export function scanAnnotations(summary: ScanSummary): Annotations {
  const counts = SEVERITIES.map(severity => [
    `${PREFIX}vulnerabilities.${severity.toLowerCase()}`,
    String(summary.vulnerabilities[severity]),
  ]);
  return {
    [OciAnnotation.created]: summary.scannedAt,
    [`${PREFIX}scanner`]: summary.scanner,
    ...(summary.databaseDate === null ? {} : { [`${PREFIX}database`]: summary.databaseDate }),
    ...(summary.baseDigest === null ? {} : { [`${PREFIX}base`]: summary.baseDigest }),
    ...Object.fromEntries(counts),
    [`${PREFIX}vulnerabilities.fixable`]: String(summary.fixable),
    [`${PREFIX}secrets`]: String(summary.secrets),
    [`${PREFIX}misconfigurations`]: String(summary.misconfigurations),
  };
}

/** Returns the scan that a referrer's annotations state; undefined if they are not a scan's. */
export function readScanAnnotations(annotations: Annotations | undefined): ScanSummary | undefined {
  const text = (name: string): string | undefined => annotations?.[`${PREFIX}${name}`];
  const count = (name: string): number => Number(/^\d+$/.exec(text(name) ?? '')?.[0] ?? Number.NaN);
  const scanner = text('scanner');
  const scannedAt = annotations?.[OciAnnotation.created];
  if (scanner === undefined || scannedAt === undefined) return undefined;
  const of = (severity: Severity): number => count(`vulnerabilities.${severity.toLowerCase()}`);
  const base = text('base');
  const summary: ScanSummary = {
    scanner,
    scannedAt,
    databaseDate: text('database') ?? null,
    baseDigest: isDigest(base) ? base : null,
    vulnerabilities: {
      CRITICAL: of('CRITICAL'),
      HIGH: of('HIGH'),
      MEDIUM: of('MEDIUM'),
      LOW: of('LOW'),
      UNKNOWN: of('UNKNOWN'),
    },
    fixable: count('vulnerabilities.fixable'),
    secrets: count('secrets'),
    misconfigurations: count('misconfigurations'),
  };
  const numbers = [
    ...Object.values(summary.vulnerabilities),
    summary.fixable,
    summary.secrets,
    summary.misconfigurations,
  ];
  return numbers.every(Number.isSafeInteger) ? summary : undefined;
}

/** Returns the newest of several scans, which is the one that counts. */
export function newestScan<T extends { readonly annotations?: Annotations }>(
  referrers: readonly T[],
): { readonly referrer: T; readonly summary: ScanSummary } | undefined {
  return referrers
    .flatMap(referrer => {
      const summary = readScanAnnotations(referrer.annotations);
      return summary === undefined ? [] : [{ referrer, summary }];
    })
    .sort((a, b) => Date.parse(b.summary.scannedAt) - Date.parse(a.summary.scannedAt))[0];
}
