import { type Statement, statementAbout } from '../statement.ts';
import type { ScanStatement } from '../types.ts';

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
      result: scan.report,
    },
    metadata: { scanStartedOn: scan.scannedAt, scanFinishedOn: scan.scannedAt },
  });
}
