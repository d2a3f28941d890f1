import type { ScanStatement } from '../attest/types.ts';
import { readAll } from '../core/byte-source.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { isRecord, type JsonRecord } from '../core/json-shape.ts';
import { parseManifest } from '../oci/parse.ts';
import { newestScan, SCAN_ARTIFACT_TYPE, SCAN_REPORT_TYPE } from '../scan/scan-referrer.ts';
import type { ImageStore } from '../store/image-store.ts';
import { listReferrers } from '../store/referrers.ts';

const MAX_REPORT_BYTES = 24 * 1024 * 1024;

/** Returns the newest scan that `weighbridge scan` has attached to an image, or undefined. Throws RegistryError. */
export async function readStoredScan(
  store: ImageStore,
  image: Digest,
  signal?: AbortSignal,
): Promise<ScanStatement | undefined> {
  const listed = await listReferrers(store, image, { artifactType: SCAN_ARTIFACT_TYPE, signal });
  const newest = newestScan(listed);
  if (newest === undefined) return undefined;
  const { referrer, summary } = newest;
  const stored = await store.getManifest(referrer.digest, signal);
  const parsed = stored && parseManifest(stored.bytes, stored.mediaType, `${store.name}@${referrer.digest}`);
  const layers = parsed?.kind === 'manifest' ? parsed.manifest.layers : [];
  const layer = layers.find(({ mediaType }) => mediaType === SCAN_REPORT_TYPE);
  // A scan that cannot be read whole is not stated.
  if (layer === undefined || layer.size > MAX_REPORT_BYTES) return undefined;
  const bytes = await readAll(store.openBlob(layer), MAX_REPORT_BYTES, signal);
  if (digestOf(bytes) !== layer.digest) return undefined;
  const report = parseReport(bytes);
  if (report === undefined) return undefined;
  const { scanner, databaseDate, scannedAt } = summary;
  return { digest: image, scanner, databaseDate, scannedAt, report };
}

/** Anyone who may write to the repository can attach what is not a report. */
function parseReport(bytes: Buffer): JsonRecord | undefined {
  try {
    const json: unknown = JSON.parse(bytes.toString('utf8'));
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
