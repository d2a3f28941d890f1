import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../../../config/types.ts';
import { ConfigError, errorToJson, isAbort, WeighbridgeError } from '../../../core/errors.ts';
import { reasonOf } from '../../../core/system-error.ts';
import type { ScanSigner } from '../../../engine/signing.ts';
import { OciAnnotation } from '../../../oci/annotations.ts';
import type { ScanFailureJson } from '../../../report/json/scan-json.ts';
import { BaseScans } from '../../../scan/base-scans.ts';
import { type ScanContext, type ScanResult, scanBase, scanImage } from '../../../scan/scan-image.ts';
import {
  SARIF_TYPE,
  SCAN_ARTIFACT_TYPE,
  SCAN_REPORT_TYPE,
  scanAnnotations,
} from '../../../scan/scan-referrer.ts';
import { Trivy } from '../../../scan/trivy.ts';
import { attachArtifact } from '../../../store/attach-artifact.ts';
import { listReferrers } from '../../../store/referrers.ts';
import { type CommonOptions, chooseModels } from '../../options.ts';
import { writeOutput } from '../../output-file.ts';
import { createRunCache } from '../../run-cache.ts';
import type { Session } from '../../session.ts';
import type { ScanTarget } from './scan-targets.ts';

/** Where the results of scans go. */
export interface ScanAllOptions {
  /** Where SARIF files and full reports go; undefined writes none. */
  readonly sarif: string | undefined;
  readonly reports: string | undefined;
  readonly isAttaching: boolean;
  /** Signs a scan that is attached, as a statement of its own; absent if nothing signs. */
  readonly sign?: ScanSigner | undefined;
}

/** What became of a scan: its report, or why there is none. */
export interface ScanOutcome {
  readonly results: readonly ScanResult[];
  readonly failures: readonly ScanFailureJson[];
}

/**
 * Returns what scans need: Trivy, the reports of base images, the settings of the file. Throws ConfigError USAGE for an
 * `ignore_file` that cannot be read: Trivy itself would go on without it.
 */
export async function scanContext(
  session: Session,
  config: Config,
  options: { readonly trivy: string; readonly baseScans?: string },
): Promise<ScanContext> {
  return {
    trivy: new Trivy(options.trivy, session.env, session.signal),
    bases: new BaseScans(options.baseScans),
    settings: config.scan,
    ignoreFile: await ignoreFileOf(config),
    now: () => new Date(),
    signal: session.signal,
  };
}

async function ignoreFileOf({ file, scan: { ignoreFile } }: Config): Promise<string | null> {
  if (ignoreFile === null) return null;
  const resolved = path.resolve(path.dirname(file), ignoreFile);
  await access(resolved, constants.R_OK).catch(cause => {
    throw new ConfigError(`scan.ignore_file ${ignoreFile} cannot be read: ${reasonOf(cause)}`, {
      code: 'USAGE',
      subject: file,
      remedy: 'Check the path: it is relative to models.yaml.',
      cause,
    });
  });
  return resolved;
}

/**
 * Scans one image after the other, since Trivy uses all cores on its own. An image that cannot be scanned does not stop
 * the rest. Returns the scans and the failures. Throws TypeError.
 */
export async function scanAll(
  session: Session,
  targets: readonly ScanTarget[],
  context: ScanContext,
  options: ScanAllOptions,
): Promise<ScanOutcome> {
  const results: ScanResult[] = [];
  const failures: ScanFailureJson[] = [];
  for (const target of targets) {
    const { short, variant } = target.image;
    session.progress.onEvent({ type: 'phase', model: short, text: `scanning ${variant}` });
    try {
      const [store] = target.stores;
      if (store === undefined) throw new TypeError(`${short} ${variant} is in no store`);
      const result = await scanImage(target.image, store, context);
      await writeReports(result, options);
      if (options.isAttaching) await attachScan(session, target, result);
      for (const one of options.isAttaching ? target.stores : [])
        await options.sign?.(one, target.image, result);
      results.push(result);
    } catch (error) {
      const isOurs = error instanceof WeighbridgeError && error.code !== 'SCANNER_MISSING';
      if (isAbort(error) || !isOurs) throw error;
      failures.push({ short, variant, error: errorToJson(error) });
    }
  }
  return { results, failures };
}

/** Each base image of the models, once, into the folder that other runs read. Returns how many there are. */
export async function scanBases(
  session: Session,
  config: Config,
  options: CommonOptions,
  context: ScanContext,
): Promise<number> {
  const models = chooseModels(config, options.model, options.shard);
  const wanted = new Map(
    models.flatMap(({ baseImage, arch }) =>
      arch.map(platform => [`${baseImage} ${platform}`, { baseImage, platform }]),
    ),
  );
  const cache = createRunCache(session);
  const open = (name: string) => session.services.openRepository(name, 'pull');
  for (const { baseImage, platform } of wanted.values()) {
    const base = await cache.baseImage(baseImage, platform);
    session.note(`scanning ${baseImage} for ${platform}`);
    await scanBase(base, open(base.storeName), context);
  }
  return wanted.size;
}

async function writeReports({ scan, sarif, report }: ScanResult, options: ScanAllOptions): Promise<void> {
  const name = `${scan.short}-${scan.variant}${scan.platform === 'linux/amd64' ? '' : `-${scan.platform.replaceAll('/', '-')}`}`;
  const write = async (folder: string | undefined, extension: string, content: object): Promise<void> => {
    if (folder === undefined) return;
    await writeOutput(path.join(folder, `${name}.${extension}`), JSON.stringify(content, null, 2));
  };
  await write(options.sarif, 'sarif', sarif);
  await write(options.reports, 'json', report);
}

/** Beside the image in each registry that has it; a scan that found the same with the same database is there already. */
async function attachScan(
  session: Session,
  { image, stores }: ScanTarget,
  result: ScanResult,
): Promise<void> {
  const { digest } = image;
  const annotations = scanAnnotations(result.scan.summary);
  const { [OciAnnotation.created]: _, ...content } = annotations;
  for (const store of stores) {
    const stored = await store.getManifest(digest, session.signal);
    if (stored === undefined) continue;
    const older = await listReferrers(store, digest, {
      artifactType: SCAN_ARTIFACT_TYPE,
      signal: session.signal,
    });
    const isSame = older.some(({ annotations: { [OciAnnotation.created]: _created, ...theirs } = {} }) =>
      isEqual(theirs, content),
    );
    if (isSame) continue;
    const subject = { mediaType: stored.mediaType, digest, size: stored.bytes.length };
    const files = [
      { mediaType: SARIF_TYPE, title: 'scan.sarif', bytes: Buffer.from(JSON.stringify(result.sarif)) },
      { mediaType: SCAN_REPORT_TYPE, title: 'scan.json', bytes: Buffer.from(JSON.stringify(result.report)) },
    ];
    await attachArtifact(
      store,
      subject,
      { artifactType: SCAN_ARTIFACT_TYPE, annotations, files },
      { replaces: older.map(one => one.digest), signal: session.signal },
    );
  }
}

function isEqual(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every(key => a[key] === b[key]);
}
