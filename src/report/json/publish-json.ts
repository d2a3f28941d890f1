import type { Variant } from '../../config/types.ts';
import { type ErrorJson, errorToJson } from '../../core/errors.ts';
import { servePort } from '../../image/assemble/serve-command.ts';
import type { SizesByKind } from '../../image/format/layer-kinds.ts';
import type { ImageChange } from '../../image/image-change.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import {
  type ByteCounts,
  type ImageOutcome,
  type ImageStatus,
  isPublishOutcome,
  type ModelOutcome,
  type RefusedTag,
  type SignatureOutcome,
} from '../../publish/types.ts';
import { imagesInOrder } from '../image-order.ts';
import { type DecisionsJson, decisionsJson } from './plan-json.ts';

/** What `publish --json` and `build --json` print and `--result` writes. */
export interface PublishJson {
  readonly schemaVersion: 1;
  readonly models: readonly PublishModelJson[];
}

/** A model that could not be resolved has `error`, and nothing was published of it. */
export interface PublishModelJson {
  readonly id: string;
  readonly short: string;
  readonly revision: string | null;
  /** An SPDX expression, else the words of the Hub. */
  readonly license?: string | null;
  readonly decisions: DecisionsJson | null;
  readonly images: readonly ImageJson[];
  /** What it takes to run one of the images. */
  readonly serve?: { readonly port: number; readonly dir: string; readonly modelBytes: number };
  readonly durationMs?: number;
  readonly error?: ErrorJson;
}

/** What became of an image at one registry. */
export interface ImageJson {
  readonly registry: string;
  readonly variant: Variant;
  readonly tags: readonly string[];
  /** Immutable tags that name another image and stay with it: full references and what they name. */
  readonly refusedTags?: readonly {
    readonly tag: string;
    readonly digest: string;
    readonly error: ErrorJson;
  }[];
  readonly digest?: string;
  readonly status: ImageStatus;
  readonly reason?: string;
  readonly error?: ErrorJson;
  /** Absent if nothing signs. */
  readonly signature?: { readonly status: 'signed' | 'failed'; readonly error?: ErrorJson };
  readonly bytes: ByteCounts;
  readonly sizes?: SizesByKind;
  readonly change?: ImageChange;
}

/** Returns the document of `publish --json`, in the order of the outcomes, which is that of the file. */
export function publishToJson(outcomes: readonly ModelOutcome[]): PublishJson {
  return { schemaVersion: 1, models: outcomes.map(modelJson) };
}

function modelJson(outcome: ModelOutcome): PublishModelJson {
  if (!isPublishOutcome(outcome)) {
    const { id, short } = outcome.model;
    return { id, short, revision: null, decisions: null, images: [], error: outcome.error };
  }
  const { planned, durationMs } = outcome;
  const { license } = planned.outcome;
  return {
    id: planned.model.id,
    short: planned.model.short,
    revision: planned.snapshot.revision,
    license: license.spdx ?? license.declared,
    decisions: decisionsJson(planned),
    images: imagesInOrder(outcome).map(imageJson),
    serve: {
      port: servePort(planned.model),
      dir: modelDirOf(planned),
      modelBytes: planned.files.reduce((sum, file) => sum + file.sizeBytes, 0),
    },
    ...(durationMs === undefined ? {} : { durationMs }),
  };
}

function imageJson(image: ImageOutcome): ImageJson {
  const { registry, variant, tags, refusedTags, status, sizes, change } = image;
  const { downloaded, uploaded, mounted, reused } = image.bytes;
  return {
    registry,
    variant,
    tags,
    ...(refusedTags && { refusedTags: refusedTags.map(refusedTagJson) }),
    ...('digest' in image && { digest: image.digest }),
    status,
    ...(image.status === 'skipped' && { reason: image.reason }),
    ...(image.status === 'failed' && { error: errorToJson(image.error) }),
    ...('signature' in image && image.signature && { signature: signatureJson(image.signature) }),
    bytes: { downloaded, uploaded, mounted, reused },
    ...(sizes === undefined ? {} : { sizes }),
    ...(change === undefined ? {} : { change }),
  };
}

function refusedTagJson({ reference, digest, error }: RefusedTag) {
  return { tag: reference, digest, error: errorToJson(error) };
}

function signatureJson(signature: SignatureOutcome): NonNullable<ImageJson['signature']> {
  const { status } = signature;
  return status === 'failed' ? { status, error: errorToJson(signature.error) } : { status };
}
