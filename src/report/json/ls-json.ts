import type { FoundImage, FoundModel } from '../../inspect/read-published.ts';
import { SCAN_ARTIFACT_TYPE } from '../../scan/scan-referrer.ts';

/** What `ls --json` prints. */
export interface LsJson {
  readonly schemaVersion: 1;
  readonly models: readonly LsModelJson[];
}

/** One model with what registries hold of it. */
export interface LsModelJson {
  readonly id: string;
  readonly short: string;
  /** The newest first. */
  readonly images: readonly LsImageJson[];
  /** Repositories or images that could not be read, in words. */
  readonly problems: readonly string[];
}

/** One image, at all of its places. */
export interface LsImageJson {
  readonly digest: string;
  readonly variant: string;
  /** Of the base image: the vLLM release. */
  readonly version?: string;
  readonly revision: string;
  readonly platforms: readonly string[];
  /** Stored bytes of one platform's layers, the largest. */
  readonly sizeBytes: number;
  /** ISO 8601: when the base image was made, since an image has no date of its own. */
  readonly baseCreated?: string;
  readonly isSigned: boolean;
  readonly isScanned: boolean;
  readonly places: readonly { readonly repository: string; readonly tags: readonly string[] }[];
}

const SIGNATURE_TYPES = /^application\/vnd\.dev\.(sigstore\.bundle|cosign)/;

/** Returns the document of `ls --json`. */
export function lsToJson(models: readonly FoundModel[]): LsJson {
  return {
    schemaVersion: 1,
    models: models.map(({ id, short, images, problems }) => ({
      id,
      short,
      images: images.map(toImage),
      problems,
    })),
  };
}

function toImage({ digest, platforms, places, referrers }: FoundImage): LsImageJson {
  const [first] = platforms;
  const version = first?.labels['org.opencontainers.image.version'];
  const types = referrers.map(({ artifactType = '' }) => artifactType);
  const sizes = platforms.map(({ layers }) => layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  return {
    digest,
    variant: first?.model?.variant ?? '',
    ...(version && { version }),
    revision: first?.model?.revision ?? '',
    platforms: platforms.map(({ platform }) => platform),
    sizeBytes: Math.max(0, ...sizes),
    ...(first?.config.created && { baseCreated: first.config.created }),
    isSigned: types.some(type => SIGNATURE_TYPES.test(type)),
    isScanned: types.includes(SCAN_ARTIFACT_TYPE),
    places: places.map(({ repository, tags }) => ({ repository, tags })),
  };
}
