import type { Config } from '../../config/types.ts';
import { ownValue } from '../../core/table.ts';
import type { HubFile } from '../../hub/types.ts';
import { parseReference } from '../../oci/reference.ts';
import type { PolicyDecision } from '../../policy/types.ts';
import { knownRegistry } from '../../store/registry/known-registries.ts';
import type { LayerLimit, Target } from '../types.ts';

/** What a tar adds to a single file: its header and those of its folders, padding, the end. */
const TAR_BYTES = 16 * 1024;

/** Returns what a target takes in one layer; undefined if nothing is known that it would not take. */
export function limitOf(
  { registry: key, repository }: Target,
  { layerLimits }: Pick<Config, 'layerLimits'>,
): LayerLimit | undefined {
  const { registry } = parseReference(repository);
  const written = ownValue(layerLimits, key);
  if (written !== undefined) return { registry, maxLayerBytes: written, source: 'models.yaml' };
  const { maxLayerBytes } = knownRegistry(registry);
  return maxLayerBytes === undefined ? undefined : { registry, maxLayerBytes, source: 'built-in' };
}

/** Returns the most bytes that a file in a layer of its own may have. */
export function maxFileBytes({ maxLayerBytes }: LayerLimit): number {
  return maxLayerBytes - TAR_BYTES;
}

/**
 * Returns the decision against a fat image of which a file can neither be one layer nor several. `why`: ends the
 * sentence.
 */
export function tooLarge({ path, sizeBytes }: HubFile, limit: LayerLimit, why: string): PolicyDecision {
  const { registry, maxLayerBytes, source } = limit;
  return {
    build: false,
    rule: 'layer-too-large',
    reason: `${exceeds({ path, sizeBytes }, limit)}, and ${why}; leave it out with \`files.exclude\`, or publish to another registry`,
    evidence: [
      { field: 'files.size', value: sizeBytes, source: 'hub' },
      {
        field: `${registry} layer limit`,
        value: maxLayerBytes,
        source: source === 'built-in' ? source : 'models.yaml',
      },
    ],
  };
}

/** Returns the reason in words: `model.safetensors has 12.3 GB and ghcr.io takes no layer above 10 GB` */
export function exceeds(
  { path, sizeBytes }: Pick<HubFile, 'path' | 'sizeBytes'>,
  { registry, maxLayerBytes, source }: LayerLimit,
): string {
  if (source === 'layer_target') return `${path} has ${decimal(sizeBytes)}, more than layer_target`;
  return `${path} has ${decimal(sizeBytes)} and ${registry} takes no layer above ${decimal(maxLayerBytes)}`;
}

/** Returns bytes in decimal units, as registries count: 10,000,000,000 bytes are 10 GB. */
export function decimal(bytes: number): string {
  const [unit, size] = bytes >= 1e9 ? ['GB', 1e9] : ['MB', 1e6];
  return `${(bytes / size).toLocaleString('en', { maximumFractionDigits: 1 })} ${unit}`;
}
