import type { ProgressEvent, WorkPhase } from '../../core/events.ts';
import { RateMeter } from './rate-meter.ts';

/** A blob on its way. */
export interface MovingBlob {
  readonly name: string;
  readonly sizeBytes: number;
  readonly startMs: number;
  readonly rate: RateMeter;
  doneBytes: number;
  readonly targets: number;
  /** Targets whose end has not been told yet. */
  pendingTargets: number;
  failedTargets: number;
}

/** One model's way through one phase. */
export interface ModelProgress {
  readonly name: string;
  readonly phase: WorkPhase;
  readonly startMs: number;
  /** What is being done, in the words of the last `phase` event. */
  text: string;
  /** In the order they began. */
  readonly moving: Map<string, MovingBlob>;
  /** Ends of blobs, one for each target. */
  readonly ends: Record<BlobEnd, number>;
  uploadedBytes: number;
  readBytes: number;
  /** Of blobs that did not have to move. */
  savedBytes: number;
  readonly images: Map<string, number>;
}

type BlobEnd = Extract<ProgressEvent, { type: 'blob-end' }>['how'];

/** Of a whole run, as far as its models have been looked at. */
export interface RunProgress {
  models: number;
  startedModels: number;
  endedModels: number;
  /** Of blobs, once for each target. */
  sizeBytes: number;
  /** Of blobs that are at their target, or have failed to get there. */
  endedBytes: number;
}

/** What the events so far amount to. */
export class ProgressState {
  readonly models = new Map<string, ModelProgress>();
  readonly run: RunProgress = { models: 0, startedModels: 0, endedModels: 0, sizeBytes: 0, endedBytes: 0 };

  /** Returns the blob of a `blob-…` event, also at its end, when it is no longer among those that move. */
  apply(event: ProgressEvent, nowMs: number): MovingBlob | undefined {
    const { run } = this;
    switch (event.type) {
      case 'run':
        run.models += event.models;
        return undefined;
      case 'work':
        run.sizeBytes += event.sizeBytes;
        return undefined;
      case 'model-start':
        if (event.phase !== 'resolve') run.startedModels += 1;
        this.models.set(event.model, newModel(event.model, event.phase, nowMs));
        return undefined;
      case 'model-end':
        if (this.models.get(event.model)?.phase !== 'resolve') run.endedModels += 1;
        this.models.delete(event.model);
        return undefined;
      case 'phase':
        this.#model(event.model, nowMs).text = event.text;
        return undefined;
      case 'image': {
        const { images } = this.#model(event.model, nowMs);
        images.set(event.status, (images.get(event.status) ?? 0) + 1);
        return undefined;
      }
      case 'blob-start':
        return startBlob(this.#model(event.model, nowMs), event, nowMs);
      case 'blob-progress': {
        const blob = this.#model(event.model, nowMs).moving.get(event.blob);
        if (blob === undefined) return undefined;
        blob.doneBytes = Math.min(event.doneBytes, blob.sizeBytes);
        blob.rate.add(event.doneBytes, nowMs);
        return blob;
      }
      case 'blob-end': {
        const model = this.#model(event.model, nowMs);
        run.endedBytes += event.sizeBytes ?? model.moving.get(event.blob)?.sizeBytes ?? 0;
        return endBlob(model, event);
      }
      case 'retry':
      case 'request':
      case 'warning':
        return undefined;
    }
  }

  #model(name: string, nowMs: number): ModelProgress {
    const model = this.models.get(name) ?? newModel(name, 'publish', nowMs);
    this.models.set(name, model);
    return model;
  }
}

function newModel(name: string, phase: WorkPhase, startMs: number): ModelProgress {
  return {
    name,
    phase,
    startMs,
    text: '',
    moving: new Map(),
    ends: { uploaded: 0, mounted: 0, reused: 0, read: 0, failed: 0 },
    uploadedBytes: 0,
    readBytes: 0,
    savedBytes: 0,
    images: new Map(),
  };
}

function startBlob(
  { moving }: ModelProgress,
  { blob: name, sizeBytes, targets }: Extract<ProgressEvent, { type: 'blob-start' }>,
  startMs: number,
): MovingBlob {
  // The licenses of two variants have one name and may be under way at once: then they share a line.
  const namesake = moving.get(name);
  const blob = {
    name,
    sizeBytes: Math.max(sizeBytes, namesake?.sizeBytes ?? 0),
    startMs,
    rate: new RateMeter(),
    doneBytes: 0,
    targets: targets.length + (namesake?.targets ?? 0),
    pendingTargets: targets.length + (namesake?.pendingTargets ?? 0),
    failedTargets: namesake?.failedTargets ?? 0,
  };
  moving.set(name, blob);
  return blob;
}

/** A blob that a target had already ends without ever having begun. */
function endBlob(
  model: ModelProgress,
  { blob: name, how, sizeBytes = 0 }: Extract<ProgressEvent, { type: 'blob-end' }>,
): MovingBlob | undefined {
  model.ends[how] += 1;
  if (how === 'mounted' || how === 'reused') model.savedBytes += sizeBytes;
  const blob = model.moving.get(name);
  if (blob === undefined) return undefined;
  if (how === 'uploaded') model.uploadedBytes += blob.sizeBytes;
  if (how === 'read') model.readBytes += blob.sizeBytes;
  if (how === 'failed') blob.failedTargets += 1;
  blob.pendingTargets -= 1;
  if (blob.pendingTargets <= 0) model.moving.delete(name);
  return blob;
}
