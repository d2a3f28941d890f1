import type { ProgressEvent, WorkPhase } from '../../core/events.ts';
import { formatBytes } from '../../core/text.ts';
import { clean, formatDuration } from '../layout/text-layout.ts';
import { type ModelProgress, type MovingBlob, ProgressState } from './progress-state.ts';
import {
  DOING,
  imageStatusText,
  MOVED,
  modelEndText,
  percentText,
  rateText,
  requestText,
  retryText,
  timeLeftText,
  warningText,
} from './progress-text.ts';
import { type Style, styleFor } from './style.ts';
import type { Progress, ProgressOptions } from './types.ts';

/** A blob that takes longer says every so often that it is still moving. */
const SIGN_OF_LIFE_MS = 10_000;

/** How long the same fault of another request is not told again. */
const SAME_FAULT_MS = 10_000;
/** The faults that are remembered for that. */
const MAX_FAULTS = 100;

/** A line for each thing that happened, for logs. Blobs that did not have to move are only counted. */
export class PlainProgress implements Progress {
  readonly #write: (line: string, event: ProgressEvent) => void;
  readonly #style: Style;
  readonly #state = new ProgressState();
  readonly #lastSign = new WeakMap<MovingBlob, number>();
  readonly #isVerbose: boolean;
  /** The highest attempt that was told of each fault. */
  readonly #faults = new Map<string, { readonly attempt: number; readonly untilMs: number }>();
  #isStopped = false;

  /** `write` gets each line with its end, and what it tells of; to the stream if it is left out. */
  constructor(
    { stream, isColor, verbosity }: ProgressOptions,
    write: (line: string, event: ProgressEvent) => void = line => void stream.write(line),
  ) {
    this.#write = write;
    this.#style = styleFor(isColor);
    this.#isVerbose = verbosity === 'verbose';
  }

  readonly onEvent = (event: ProgressEvent): void => {
    if (this.#isStopped && event.type !== 'warning' && event.type !== 'request') return;
    const nowMs = Date.now();
    const model = 'model' in event ? this.#state.models.get(event.model ?? '') : undefined;
    const blob = this.#state.apply(event, nowMs);
    const line = this.#lineFor(event, { nowMs, model, blob });
    if (line !== undefined) this.#write(`${this.#style.quiet(timeOfDay(nowMs))} ${line}\n`, event);
  };

  stop(): void {
    this.#isStopped = true;
  }

  #lineFor(
    event: ProgressEvent,
    { nowMs, model, blob }: { nowMs: number; model: ModelProgress | undefined; blob: MovingBlob | undefined },
  ): string | undefined {
    const { good, bad, notable, quiet } = this.#style;
    switch (event.type) {
      case 'model-start':
        return `${clean(event.model)}: ${DOING[event.phase]}`;
      case 'model-end': {
        if (model === undefined || (model.phase === 'resolve' && event.status === 'done')) return undefined;
        const text = modelEndText(model, event, nowMs);
        return event.status === 'failed' ? bad(text) : text;
      }
      case 'phase':
        return `${clean(event.model)}: ${clean(event.text)}`;
      case 'run':
      case 'work':
      case 'blob-start':
        return undefined;
      case 'blob-progress':
        return blob && this.#signOfLife(event.model, blob, nowMs);
      case 'blob-end':
        return blob && blobEndText(event, blob, { nowMs, bad, phase: model?.phase ?? 'publish' });
      case 'image': {
        const digest = event.digest === undefined ? '' : ` ${clean(event.digest)}`;
        const paint = { published: good, failed: bad }[event.status] ?? String;
        const status = imageStatusText(event.status, model?.phase ?? 'publish');
        return `${clean(event.model)}: ${paint(clean(status))} ${clean(event.reference)}${digest}`;
      }
      case 'retry':
        return this.#isToldAlready(event, nowMs) ? undefined : notable(retryText(event));
      case 'request':
        return this.#isVerbose ? quiet(requestText(event)) : undefined;
      case 'warning':
        return `${notable('note:')} ${warningText(event)}`;
    }
  }

  /** Whether another request has just met the same fault as often: a host that is down fails all of them alike. */
  #isToldAlready(event: Extract<ProgressEvent, { type: 'retry' }>, nowMs: number): boolean {
    const { reason, attempt, delayMs, status } = event;
    // A status is not the host's alone, and the reason does not name the host.
    if (status !== undefined || this.#isVerbose) return false;
    const told = this.#faults.get(reason);
    if (told !== undefined && nowMs < told.untilMs && attempt <= told.attempt) return true;
    if (this.#faults.size >= MAX_FAULTS) this.#faults.clear();
    this.#faults.set(reason, { attempt, untilMs: nowMs + delayMs + SAME_FAULT_MS });
    return false;
  }

  #signOfLife(model: string, blob: MovingBlob, nowMs: number): string | undefined {
    if (nowMs - (this.#lastSign.get(blob) ?? blob.startMs) < SIGN_OF_LIFE_MS) return undefined;
    this.#lastSign.set(blob, nowMs);
    const rate = blob.rate.bytesPerSecond(nowMs);
    const left = timeLeftText(blob.sizeBytes - blob.doneBytes, rate);
    const parts = [
      `${percentText(blob.doneBytes, blob.sizeBytes)} of ${formatBytes(blob.sizeBytes)}`,
      rateText(rate),
      left && `${left} left`,
    ];
    return `${clean(model)}: ${clean(blob.name)}: ${parts.filter(part => part !== '').join(', ')}`;
  }
}

/** Said once all targets have it, or have failed to get it. */
function blobEndText(
  { model, how }: Extract<ProgressEvent, { type: 'blob-end' }>,
  { name, sizeBytes, startMs, targets, pendingTargets, failedTargets }: MovingBlob,
  { nowMs, bad, phase }: { nowMs: number; bad: (text: string) => string; phase: WorkPhase },
): string | undefined {
  if (pendingTargets > 0) return undefined;
  const start = `${clean(model)}: ${clean(name)}:`;
  if (failedTargets > 0) {
    return bad(`${start} failed${targets === 1 ? '' : ` at ${failedTargets} of ${targets} registries`}`);
  }
  const elapsedMs = nowMs - startMs;
  const pace =
    elapsedMs < 1000 ? '' : ` in ${formatDuration(elapsedMs)}, ${rateText((sizeBytes * 1000) / elapsedMs)}`;
  return `${start} ${how === 'read' ? 'read' : MOVED[phase]} ${formatBytes(sizeBytes)}${pace}`;
}

function timeOfDay(nowMs: number): string {
  return new Date(nowMs).toTimeString().slice(0, 8);
}
