import * as z from 'zod';
import { SEVERITIES, type Severity } from '../config/types.ts';
import { parsedJson } from '../core/json-shape.ts';
import type { ScanFinding } from './types.ts';

/** The part of Trivy's JSON report that is relied upon; https://trivy.dev/docs/latest/configuration/reporting/#json */
export interface TrivyReport {
  readonly SchemaVersion: number;
  readonly ArtifactName: string;
  readonly ArtifactType: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
  readonly Results?: readonly TrivyResult[] | null;
  readonly [key: string]: unknown;
}

/** One result of a report of Trivy. */
export interface TrivyResult {
  readonly Target: string;
  readonly Class?: string;
  readonly Vulnerabilities?: readonly TrivyVulnerability[] | null;
  readonly Secrets?: readonly TrivySecret[] | null;
  readonly Misconfigurations?: readonly TrivyMisconfiguration[] | null;
  readonly [key: string]: unknown;
}

interface TrivyVulnerability {
  readonly VulnerabilityID: string;
  readonly PkgName: string;
  readonly InstalledVersion?: string;
  readonly FixedVersion?: string;
  readonly Severity?: string;
  readonly Title?: string;
}

interface TrivySecret {
  readonly RuleID: string;
  readonly Severity?: string;
  readonly Title?: string;
}

interface TrivyMisconfiguration {
  readonly ID: string;
  readonly Severity?: string;
  readonly Title?: string;
  readonly Status?: string;
}

const text = z.string();
const finding = z.looseObject({ Severity: text.optional(), Title: text.optional() });
const result = z.looseObject({
  Target: text,
  Class: text.optional(),
  Vulnerabilities: z
    .array(
      finding.extend({
        VulnerabilityID: text,
        PkgName: text,
        InstalledVersion: text.optional(),
        FixedVersion: text.optional(),
      }),
    )
    .nullish(),
  Secrets: z.array(finding.extend({ RuleID: text })).nullish(),
  Misconfigurations: z.array(finding.extend({ ID: text, Status: text.optional() })).nullish(),
});
const trivyReport = z.looseObject({
  SchemaVersion: z.int(),
  ArtifactName: text,
  ArtifactType: text,
  Metadata: z.record(text, z.unknown()).optional(),
  Results: z.array(result).nullish(),
});

/** Returns the report in a text; undefined if it is not one, or of a form that is not known. */
export function parseTrivyReport(json: string): TrivyReport | undefined {
  return trivyReport.safeParse(parsedJson(json)).data as TrivyReport | undefined;
}

/** On a result of a merged report: where it comes from. */
const ORIGIN = 'WeighbridgeOrigin';

/** Returns one report of an image out of one of its base and one of its own layers. `name` is the image's. */
export function mergeReports(
  own: TrivyReport,
  base: { readonly report: TrivyReport; readonly name: string } | undefined,
  name: string,
): TrivyReport {
  const ofBase = base === undefined ? [] : resultsOf(base.report, base.name, 'base');
  return {
    ...own,
    ArtifactName: name,
    Metadata: { ...own.Metadata, ...osOf(base?.report), RepoTags: [], RepoDigests: [name] },
    Results: [...ofBase, ...resultsOf(own, name, 'own')],
  };
}

/** Returns a report with other diff ids of layers than it was made with. */
export function withDiffIds(report: TrivyReport, diffIds: ReadonlyMap<string, string>): TrivyReport {
  const other = (id: string): string => diffIds.get(id) ?? id;
  return JSON.parse(JSON.stringify(report), (key, value) => {
    if (key === 'DiffID') return other(value);
    return (key === 'DiffIDs' || key === 'diff_ids') && Array.isArray(value) ? value.map(other) : value;
  });
}

/** Returns everything in a merged report, the worst first. */
export function findingsIn(report: TrivyReport): ScanFinding[] {
  const findings = (report.Results ?? []).flatMap(result => {
    const origin: ScanFinding['origin'] = result[ORIGIN] === 'base' ? 'base' : 'own';
    return [
      ...(result.Vulnerabilities ?? []).map(one => vulnerability(one, origin)),
      ...(result.Secrets ?? []).map(one => secret(one, result.Target, origin)),
      ...(result.Misconfigurations ?? [])
        .filter(one => one.Status === undefined || one.Status === 'FAIL')
        .map(one => misconfiguration(one, result.Target, origin)),
    ];
  });
  const rank = ({ severity }: ScanFinding): number => SEVERITIES.indexOf(severity);
  return findings.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
}

/** Trivy calls a scanned thing by the address that it was found at, which is the scan's alone. */
function resultsOf(report: TrivyReport, name: string, origin: ScanFinding['origin']): TrivyResult[] {
  return (report.Results ?? []).map(result => ({
    ...result,
    Target: result.Target.replace(report.ArtifactName, name),
    [ORIGIN]: origin,
  }));
}

function osOf(report: TrivyReport | undefined): object {
  const os = report?.Metadata?.OS;
  return os === undefined ? {} : { OS: os };
}

function vulnerability(one: TrivyVulnerability, origin: ScanFinding['origin']): ScanFinding {
  return {
    kind: 'vulnerability',
    id: one.VulnerabilityID,
    severity: severityOf(one.Severity),
    title: one.Title ?? '',
    subject: one.PkgName,
    ...(one.InstalledVersion ? { installedVersion: one.InstalledVersion } : {}),
    ...(one.FixedVersion ? { fixedVersion: one.FixedVersion } : {}),
    origin,
  };
}

function secret(one: TrivySecret, file: string, origin: ScanFinding['origin']): ScanFinding {
  const { RuleID: id, Severity, Title = '' } = one;
  return { kind: 'secret', id, severity: severityOf(Severity), title: Title, subject: file, origin };
}

function misconfiguration(
  one: TrivyMisconfiguration,
  target: string,
  origin: ScanFinding['origin'],
): ScanFinding {
  const { ID: id, Severity, Title = '' } = one;
  return {
    kind: 'misconfiguration',
    id,
    severity: severityOf(Severity),
    title: Title,
    subject: target,
    origin,
  };
}

function severityOf(text: string | undefined): Severity {
  return SEVERITIES.find(severity => severity === text) ?? 'UNKNOWN';
}
