import { type Digest, isDigest } from '../../core/digest.ts';
import { type Descriptor, MediaType } from '../../oci/types.ts';
import { problem } from './problem.ts';
import { blobOf, type RegistryState } from './state.ts';

/** What a manifest names. */
export interface ManifestFacts {
  readonly subject: Descriptor | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

const KNOWN: readonly string[] = [
  MediaType.ociManifest,
  MediaType.ociIndex,
  MediaType.dockerManifest,
  MediaType.dockerIndex,
];

/**
 * Checks what a registry checks of a manifest and returns its facts. Throws the registry's refusal: MANIFEST_INVALID,
 * MANIFEST_BLOB_UNKNOWN.
 */
export function checkManifest(
  state: RegistryState,
  name: string,
  mediaType: string,
  bytes: Buffer,
): ManifestFacts {
  const json = parseManifest(bytes);
  if (!KNOWN.includes(mediaType)) throw invalid(`media type ${mediaType} is not supported`);
  if (json.schemaVersion !== 2) throw invalid('unrecognized manifest schema version');
  if (typeof json.mediaType === 'string' && json.mediaType !== mediaType) {
    throw invalid(`mediaType in manifest should be ${mediaType}, not ${json.mediaType}`);
  }
  const isIndex = mediaType === MediaType.ociIndex || mediaType === MediaType.dockerIndex;
  // A manifest must not be one thing to one reader and another thing to the next.
  if (isIndex ? 'layers' in json || 'config' in json : 'manifests' in json) {
    throw invalid('manifest has the fields of another kind');
  }
  const wanted = isIndex ? listOf(json.manifests) : [descriptor(json.config), ...listOf(json.layers)];
  const missing = wanted.filter(one => !isPresent(state, name, one, isIndex));
  if (missing.length > 0 && state.quirks.takesAnyManifest !== true) {
    throw problem(400, 'MANIFEST_BLOB_UNKNOWN', 'blob unknown to registry', {
      detail: missing.map(({ digest }) => ({ Digest: digest })),
    });
  }
  const config = isIndex ? undefined : descriptor(json.config);
  return {
    subject: json.subject === undefined ? undefined : descriptor(json.subject),
    artifactType: typeof json.artifactType === 'string' ? json.artifactType : config?.mediaType,
    annotations: json.annotations as Record<string, string> | undefined,
  };
}

function isPresent(state: RegistryState, name: string, one: Descriptor, isIndex: boolean): boolean {
  if (isIndex) return state.repositories.get(name)?.manifests.has(one.digest) ?? false;
  // Layers that are at an address of their own need not be in the registry.
  if ((one.urls ?? []).length > 0) return true;
  const blob = blobOf(state, name, one.digest);
  if (blob !== undefined && blob.sizeBytes !== one.size && !state.quirks.trustsDigests) {
    throw invalid(`${one.digest} has ${blob.sizeBytes} bytes, not ${one.size}`);
  }
  return blob !== undefined;
}

function parseManifest(bytes: Buffer): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalid('manifest is not JSON');
  }
  if (typeof json !== 'object' || json === null) throw invalid('manifest is not an object');
  return json as Record<string, unknown>;
}

function listOf(value: unknown): Descriptor[] {
  if (!Array.isArray(value)) throw invalid('manifest lists nothing');
  return value.map(descriptor);
}

function descriptor(value: unknown): Descriptor {
  const one = (value ?? {}) as { digest?: Digest; size?: unknown; mediaType?: unknown };
  if (!isDigest(one.digest) || !Number.isSafeInteger(one.size) || typeof one.mediaType !== 'string') {
    throw invalid(`descriptor is not valid: ${JSON.stringify(value)}`);
  }
  return value as Descriptor;
}

function invalid(message: string) {
  return problem(400, 'MANIFEST_INVALID', `manifest invalid: ${message}`);
}
