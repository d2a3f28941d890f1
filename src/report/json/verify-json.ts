import type { ErrorJson } from '../../core/errors.ts';
import type { FileCheck } from '../../inspect/verify-files.ts';
import { type ImageCheck, isRight } from '../../inspect/verify-image.ts';

/** An image that was compared with the Hub: a check for each of its platforms, or why there is none. */
export interface VerifiedImage {
  /** In full: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly reference: string;
  readonly checks?: readonly ImageCheck[] | undefined;
  readonly error?: ErrorJson | undefined;
}

/** Returns whether all of an image is verified. */
export function isVerified({ checks = [] }: VerifiedImage): boolean {
  return checks.length > 0 && checks.every(isRight);
}

/** What `verify --json` prints. */
export interface VerifyJson {
  readonly schemaVersion: 1;
  readonly deep: boolean;
  readonly ok: boolean;
  readonly images: readonly VerifiedPlatformJson[];
}

/** What became of the check of one platform. */
export interface VerifiedPlatformJson {
  readonly reference: string;
  readonly platform: string | null;
  readonly digest: string | null;
  readonly id: string | null;
  readonly revision: string | null;
  readonly variant: string | null;
  /** The base image that it says it is on, by digest. */
  readonly base?: string;
  readonly ok: boolean;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly status: FileCheck['status'];
    readonly detail?: string;
  }[];
  /** Files of the repository that the image does not have. */
  readonly leftOut: readonly string[];
  readonly problems: readonly string[];
  readonly bytesRead: number;
  /** Of an image that is not found or could not be asked about: nothing else is known of it. */
  readonly error?: ErrorJson;
}

/** Returns the document of `verify --json`; `isWhole` is false if a model's images are not known and so not among them. */
export function verifyToJson(
  images: readonly VerifiedImage[],
  { isDeep, isWhole = true }: { readonly isDeep: boolean; readonly isWhole?: boolean },
): VerifyJson {
  return {
    schemaVersion: 1,
    deep: isDeep,
    ok: isWhole && images.every(isVerified),
    images: images.flatMap(({ reference, checks = [], error }): VerifiedPlatformJson[] =>
      error !== undefined
        ? [unverified(reference, error)]
        : checks.map(check => ({
            reference,
            platform: check.platform,
            digest: check.digest,
            id: check.id,
            revision: check.revision,
            variant: check.variant,
            ...(check.base !== undefined && { base: check.base }),
            ok: isRight(check),
            files: check.files.map(({ path, sizeBytes, status, detail }) => ({
              path,
              size: sizeBytes,
              status,
              ...(detail === undefined ? {} : { detail }),
            })),
            leftOut: check.leftOut,
            problems: check.problems,
            bytesRead: check.bytesRead,
          })),
    ),
  };
}

function unverified(reference: string, error: ErrorJson): VerifiedPlatformJson {
  const nothing = { platform: null, digest: null, id: null, revision: null, variant: null };
  const lists = { files: [], leftOut: [], problems: [error.message] };
  return { reference, ...nothing, ok: false, ...lists, bytesRead: 0, error };
}
