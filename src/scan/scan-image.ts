import { type ScanConfig, SEVERITIES, type Severity } from '../config/types.ts';
import { type Digest, digestOf, isDigest } from '../core/digest.ts';
import { Label } from '../image/format/labels.ts';
import type { BaseImage } from '../oci/image.ts';
import type { Annotations } from '../oci/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { BaseScan, BaseScans } from './base-scans.ts';
import { baseView, type ImageView, type LayeredImage, ownView } from './image-view.ts';
import { isPlainWeights } from './plain-weights.ts';
import type { ScanSummary } from './scan-referrer.ts';
import type { SarifLog, Trivy } from './trivy.ts';
import { findingsIn, mergeReports, type TrivyReport, withDiffIds } from './trivy-report.ts';
import type { ImageScan, ScanFinding } from './types.ts';
import { serveView } from './view-server.ts';

/** One platform's published image. */
export interface ScannedImage extends LayeredImage {
  readonly id: string;
  readonly short: string;
  readonly variant: string;
  readonly digest: Digest;
  readonly platform: string;
  readonly labels: Annotations;
  /** Where the model is in the image; absolute. */
  readonly modelDir: string | undefined;
  /** By digest, one a registry that has it. */
  readonly references: readonly string[];
}

/** What images are scanned with. */
export interface ScanContext {
  readonly trivy: Trivy;
  readonly bases: BaseScans;
  readonly settings: ScanConfig;
  /** As a path that this process can read. */
  readonly ignoreFile: string | null;
  readonly now: () => Date;
  readonly signal?: AbortSignal;
}

/** What a scan leaves behind. */
export interface ScanResult {
  readonly scan: ImageScan;
  /** In full: every severity, without what the ignore file names. */
  readonly report: TrivyReport;
  /** The severities that `scan.severity` names. */
  readonly sarif: object;
  /** The same for people, made when it is asked for. */
  readonly table: () => Promise<string>;
}

/**
 * Scans an image and returns the result. Findings in the base count as much as those of our layers: who pulls the image
 * gets both.
 */
export async function scanImage(
  image: ScannedImage,
  store: ImageStore,
  context: ScanContext,
): Promise<ScanResult> {
  const { trivy, settings, ignoreFile } = context;
  const base = baseOf(image);
  const ofBase = base === null ? undefined : await scanBaseOf({ ...image, name: base.name }, store, context);
  const name = image.references[0] ?? image.digest;
  const plainWeights = await plainWeightsOf(image, store, context.signal);
  const view = ownView(image, { plainWeights, isOnBase: base !== null });
  const own = await scanView(view, name, store, OWN_SCANNERS, context);
  const merged = mergeReports(
    own.report,
    ofBase && base !== null ? { report: ofBase.report, name: base.name } : undefined,
    name,
  );
  const report = ignoreFile === null ? merged : await trivy.filtered(merged, { ignoreFile });
  // Trivy drops what it does not know, and with it where a finding comes from: the merged report still tells.
  const findings = stillThere(findingsIn(merged), report);
  const filter = { severity: settings.severity };
  const sarif = await trivy.sarif(report, filter);
  const { version, databaseDate } = await trivy.version();
  const summary = summarize(findings, {
    scanner: `trivy ${version}`,
    databaseDate,
    scannedAt: context.now().toISOString(),
    baseDigest: base?.digest ?? null,
  });
  const { id, short, variant, digest, platform, references } = image;
  return {
    scan: {
      id,
      short,
      variant,
      digest,
      platform,
      references,
      base,
      summary,
      findings: findings.filter(finding => settings.severity.includes(finding.severity)),
      failing: findings.filter(finding => settings.failOn.includes(finding.severity)).length,
      sizeBytes: image.layers.reduce((sum, layer) => sum + layer.size, 0),
      read: { own: own.bytesRead, base: ofBase?.bytesRead ?? 0 },
    },
    report,
    sarif: withCategory(sarif, `weighbridge/${short}/${variant}`),
    table: () => trivy.convert(report, 'table', filter),
  };
}

/** The layers that hold nothing but weights. */
async function plainWeightsOf(
  { layers, modelDir }: ScannedImage,
  store: ImageStore,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<Digest>> {
  const plain = new Set<Digest>();
  if (modelDir === undefined) return plain;
  for (const layer of layers)
    if (await isPlainWeights(store, layer, modelDir, signal)) plain.add(layer.digest);
  return plain;
}

/** A base's layers are somebody else's work: packages are what can be wrong with them for us. */
const BASE_SCANNERS = ['vuln'];
const OWN_SCANNERS = ['vuln', 'secret', 'misconfig'];

/** Pulls a view through this process, so that Trivy needs neither login nor disk. `name` is for people. */
async function scanView(
  view: ImageView,
  name: string,
  store: ImageStore,
  scanners: readonly string[],
  { trivy, signal }: Pick<ScanContext, 'trivy' | 'signal'>,
): Promise<BaseScan> {
  const served = await serveView(view, store, signal);
  try {
    const report = await trivy.scanImage({ reference: served.reference, name }, scanners);
    return { report: withDiffIds(report, view.diffIds), bytesRead: served.bytesRead };
  } catch (error) {
    // A registry that broke off is why Trivy has failed, not the other way round.
    throw served.failure ?? error;
  } finally {
    await served.close();
  }
}

/** Scans a base image at its source, before anything is published on it, and returns the result. */
export async function scanBase(base: BaseImage, store: ImageStore, context: ScanContext): Promise<BaseScan> {
  return await scanBaseOf({ ...base, name: base.reference }, store, context);
}

/**
 * Scans the base of an image. A report counts for the layers that were read: an image that calls another's base its own
 * can have others.
 */
async function scanBaseOf(
  image: LayeredImage & { readonly name: string },
  store: ImageStore,
  context: ScanContext,
): Promise<BaseScan> {
  const view = baseView(image);
  const key = digestOf(JSON.stringify(view.layers.map(({ digest }) => [digest, view.diffIds.get(digest)])));
  return await context.bases.get(key, () => scanView(view, image.name, store, BASE_SCANNERS, context));
}

function baseOf({ labels }: ScannedImage): ImageScan['base'] {
  const { [Label.baseDigest]: digest, [Label.baseName]: name } = labels;
  return isDigest(digest) ? { name: name ?? digest, digest } : null;
}

function stillThere(findings: readonly ScanFinding[], filtered: TrivyReport): ScanFinding[] {
  const left = new Map<string, number>();
  for (const one of findingsIn(filtered)) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + 1);
  return findings.filter(one => {
    const count = left.get(keyOf(one)) ?? 0;
    left.set(keyOf(one), count - 1);
    return count > 0;
  });
}

function keyOf({ kind, id, subject, installedVersion }: ScanFinding): string {
  return JSON.stringify([kind, id, subject, installedVersion]);
}

function summarize(
  findings: readonly ScanFinding[],
  facts: Pick<ScanSummary, 'scanner' | 'databaseDate' | 'scannedAt' | 'baseDigest'>,
): ScanSummary {
  const vulnerabilities = findings.filter(one => one.kind === 'vulnerability');
  const counts = SEVERITIES.map(
    severity => [severity, vulnerabilities.filter(one => one.severity === severity).length] as const,
  );
  return {
    ...facts,
    vulnerabilities: Object.fromEntries(counts) as Record<Severity, number>,
    fixable: vulnerabilities.filter(one => one.fixedVersion !== undefined).length,
    secrets: findings.filter(one => one.kind === 'secret').length,
    misconfigurations: findings.filter(one => one.kind === 'misconfiguration').length,
  };
}

/** Code scanning keeps findings by category: with one each, a model's do not replace another's. */
function withCategory(sarif: SarifLog, category: string): object {
  return { ...sarif, runs: sarif.runs.map(run => ({ ...run, automationDetails: { id: `${category}/` } })) };
}
