import { isRecord, type JsonRecord } from '../../core/json-shape.ts';
import { type Statement, statementAbout } from '../statement.ts';
import type { ScanStatement } from '../types.ts';

/** What policies look at. Trivy's descriptions and references are left out: Kyverno reads no bundle above 10 MB. */
const KEPT = [
  'VulnerabilityID',
  'PkgName',
  'PkgIdentifier',
  'InstalledVersion',
  'FixedVersion',
  'Status',
  'Severity',
  'PublishedDate',
  'LastModifiedDate',
];

/**
 * Returns the result of a scan in cosign's format, for policies that look at its age and findings;
 * https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md
 */
export function vulnerabilityStatement(scan: ScanStatement): Statement {
  const [name = scan.scanner, version = ''] = scan.scanner.split(' ');
  return statementAbout(scan.digest, 'vulnerabilities', {
    invocation: { parameters: null, uri: '', event_id: '', 'builder.id': '' },
    scanner: {
      uri: name === 'trivy' ? `pkg:github/aquasecurity/trivy@v${version}` : name,
      version,
      db: { uri: '', version: '', ...(scan.databaseDate !== null && { lastUpdate: scan.databaseDate }) },
      result: shortened(scan.report),
    },
    metadata: { scanStartedOn: scan.scannedAt, scanFinishedOn: scan.scannedAt },
  });
}

/** Trivy's report in its own format, with its findings of vulnerabilities alone. */
function shortened(report: unknown): JsonRecord {
  const { SchemaVersion, ArtifactName, ArtifactType, Results } = isRecord(report) ? report : {};
  const results = (Array.isArray(Results) ? Results : []).filter(isRecord).map(result => {
    const { Target, Class, Type, Vulnerabilities } = result;
    const found = (Array.isArray(Vulnerabilities) ? Vulnerabilities : []).filter(isRecord);
    return { Target, Class, Type, Vulnerabilities: found.map(kept) };
  });
  return { SchemaVersion, ArtifactName, ArtifactType, Results: results };
}

function kept(vulnerability: JsonRecord): JsonRecord {
  const entries = KEPT.flatMap(key => (key in vulnerability ? [[key, vulnerability[key]] as const] : []));
  return Object.fromEntries(entries);
}
