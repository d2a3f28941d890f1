import type { VexEntry } from '../../config/types.ts';
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
 * Returns the result of a scan in cosign's format, for policies that look at its age and findings. What `vex` says of a
 * finding is with it as `VexStatus`: a policy sees one statement at a time;
 * https://github.com/sigstore/cosign/blob/main/specs/COSIGN_VULN_ATTESTATION_SPEC.md
 */
export function vulnerabilityStatement(scan: ScanStatement, vex: readonly VexEntry[]): Statement {
  const [name = scan.scanner, version = ''] = scan.scanner.split(' ');
  return statementAbout(scan.digest, 'vulnerabilities', {
    invocation: { parameters: null, uri: '', event_id: '', 'builder.id': '' },
    scanner: {
      uri: name === 'trivy' ? `pkg:github/aquasecurity/trivy@v${version}` : name,
      version,
      db: { uri: '', version: '', ...(scan.databaseDate !== null && { lastUpdate: scan.databaseDate }) },
      result: shortened(scan.report, vex),
    },
    metadata: { scanStartedOn: scan.scannedAt, scanFinishedOn: scan.scannedAt },
  });
}

/** Trivy's report in its own format, with its findings of vulnerabilities alone. */
function shortened(report: unknown, vex: readonly VexEntry[]): JsonRecord {
  const { SchemaVersion, ArtifactName, ArtifactType, Results } = isRecord(report) ? report : {};
  const results = (Array.isArray(Results) ? Results : []).filter(isRecord).map(result => {
    const { Target, Class, Type, Vulnerabilities } = result;
    const found = (Array.isArray(Vulnerabilities) ? Vulnerabilities : []).filter(isRecord);
    return { Target, Class, Type, Vulnerabilities: found.map(one => kept(one, vex)) };
  });
  return { SchemaVersion, ArtifactName, ArtifactType, Results: results };
}

function kept(vulnerability: JsonRecord, vex: readonly VexEntry[]): JsonRecord {
  const entries = KEPT.flatMap(key => (key in vulnerability ? [[key, vulnerability[key]] as const] : []));
  const said = vex.findLast(entry => isAbout(entry, vulnerability));
  return { ...Object.fromEntries(entries), ...(said && { VexStatus: said.status }) };
}

function isAbout(entry: VexEntry, { VulnerabilityID, PkgIdentifier }: JsonRecord): boolean {
  if (entry.vulnerability !== VulnerabilityID) return false;
  const { PURL } = isRecord(PkgIdentifier) ? PkgIdentifier : {};
  const purl = typeof PURL === 'string' ? PURL : '';
  return (
    entry.packages.length === 0 || entry.packages.some(one => purl.split(/[@?]/)[0] === one.split(/[@?]/)[0])
  );
}
