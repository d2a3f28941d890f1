import type { Variant } from '../config/types.ts';
import { errorToJson } from '../core/errors.ts';
import type { Plan } from '../plan/types.ts';
import type { ByteCounts, ImageOutcome, ImageStatus, PublishOutcome } from '../publish/types.ts';
import { imagesInOrder } from './image-order.ts';
import { type DecisionsJson, decisionsJson, type ErrorJson } from './plan-json.ts';

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
  readonly decisions: DecisionsJson | null;
  readonly images: readonly ImageJson[];
  readonly error?: ErrorJson;
}

export interface ImageJson {
  readonly registry: string;
  readonly variant: Variant;
  readonly tags: readonly string[];
  readonly digest?: string;
  readonly status: ImageStatus;
  readonly reason?: string;
  readonly error?: ErrorJson;
  readonly bytes: ByteCounts;
}

/** In the order of the plan: models that have no outcome are listed as well. */
export function publishToJson(outcomes: readonly PublishOutcome[], plan: Plan): PublishJson {
  const outcomeOf = new Map(outcomes.map(outcome => [outcome.planned.model.short, outcome]));
  const models = plan.models.map((entry): PublishModelJson => {
    const { id, short } = entry.model;
    if (entry.kind === 'unresolved') {
      return { id, short, revision: null, decisions: null, images: [], error: errorToJson(entry.error) };
    }
    const outcome = outcomeOf.get(short);
    const images = outcome === undefined ? [] : imagesInOrder(outcome).map(imageJson);
    return { id, short, revision: entry.snapshot.revision, decisions: decisionsJson(entry), images };
  });
  return { schemaVersion: 1, models };
}

function imageJson({
  registry,
  variant,
  tags,
  digest,
  status,
  reason,
  error,
  bytes,
}: ImageOutcome): ImageJson {
  const { downloaded, uploaded, mounted, reused } = bytes;
  return {
    registry,
    variant,
    tags,
    ...(digest === undefined ? {} : { digest }),
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { error: errorToJson(error) }),
    bytes: { downloaded, uploaded, mounted, reused },
  };
}
