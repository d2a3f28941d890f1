import type { HubFile } from '../hub/types.ts';
import { parseReference } from '../oci/reference.ts';
import type { PolicyDecision, PolicyOutcome } from '../policy/types.ts';
import { knownRegistry } from '../store/known-registries.ts';
import type { Target } from './targets.ts';

/** What a tar adds to a single file: its header and those of its folders, padding, the end. */
const TAR_BYTES = 16 * 1024;

/** What the policy allows and the registries would not take is not built either. */
export function withinLimits(
  outcome: PolicyOutcome,
  files: readonly HubFile[],
  targets: readonly Target[],
): PolicyOutcome {
  const refusal = outcome.decisions.fat.build ? decideByLayerLimits(files, targets) : undefined;
  return refusal === undefined ? outcome : { ...outcome, decisions: { ...outcome.decisions, fat: refusal } };
}

/**
 * The decision against a fat image of which a file is larger than a registry's largest layer; undefined where all fit.
 * A file goes into one layer, so this is known before a byte has moved.
 */
export function decideByLayerLimits(
  files: readonly HubFile[],
  targets: readonly Target[],
): PolicyDecision | undefined {
  const largest = files.reduce<HubFile | undefined>(
    (found, file) => (found === undefined || file.sizeBytes > found.sizeBytes ? file : found),
    undefined,
  );
  for (const { repository } of targets) {
    const { registry } = parseReference(repository);
    const { maxLayerBytes } = knownRegistry(registry);
    if (largest === undefined || maxLayerBytes === undefined) continue;
    if (largest.sizeBytes + TAR_BYTES <= maxLayerBytes) continue;
    const { path, sizeBytes } = largest;
    return {
      build: false,
      rule: 'layer-too-large',
      reason:
        `${path} has ${gigabytes(sizeBytes)} and ${registry} takes no layer above ${gigabytes(maxLayerBytes)}; ` +
        'leave it out with `files.exclude`, or publish to another registry',
      evidence: [
        { field: 'files.size', value: sizeBytes, source: 'hub' },
        { field: `${registry} layer limit`, value: maxLayerBytes, source: 'built-in' },
      ],
    };
  }
  return undefined;
}

/** As registries count: 10 GB are 10,000,000,000 bytes. */
function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toLocaleString('en', { maximumFractionDigits: 1 })} GB`;
}
