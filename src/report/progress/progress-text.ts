import type { ProgressEvent, WorkPhase } from '../../core/events.ts';
import { formatBytes } from '../../core/text.ts';
import { clean, counted, formatDuration, widthOf } from '../layout/text-layout.ts';
import type { ModelProgress } from './progress-state.ts';

/** What is being done in a phase, in a word. */
export const DOING: Readonly<Record<WorkPhase, string>> = {
  resolve: 'asking the Hub',
  publish: 'publishing',
  build: 'building',
  verify: 'verifying',
  scan: 'scanning',
  sign: 'signing',
};

/** What has become of bytes that were moved: a folder is not uploaded to. */
export const MOVED: Readonly<Record<WorkPhase, string>> = {
  resolve: 'read',
  publish: 'uploaded',
  build: 'written',
  verify: 'read',
  scan: 'read',
  sign: 'uploaded',
};

/** Returns the word for an image's status: what is built into a folder or a file is not published. */
export function imageStatusText(status: string, phase: WorkPhase): string {
  return phase === 'build' && status === 'published' ? 'built' : status;
}

/** Returns one line about a model that has come to its end: what became of its images and what was moved for them. */
export function modelEndText(
  { name, phase, startMs, ends, uploadedBytes, readBytes, savedBytes, images }: ModelProgress,
  { status, detail }: Extract<ProgressEvent, { type: 'model-end' }>,
  nowMs: number,
): string {
  const isFailed = status === 'failed';
  const parts =
    phase === 'resolve'
      ? [isFailed ? 'could not be resolved' : 'resolved']
      : [
          ...(images.size === 0 && (isFailed || detail === undefined) ? [isFailed ? 'failed' : 'done'] : []),
          ...[...images].map(
            ([imageStatus, count]) => `${count} ${clean(imageStatusText(imageStatus, phase))}`,
          ),
          ...(uploadedBytes === 0 ? [] : [`${formatBytes(uploadedBytes)} ${MOVED[phase]}`]),
          ...(readBytes === 0 ? [] : [`${formatBytes(readBytes)} read`]),
          ...(ends.mounted + ends.reused === 0 ? [] : [savedText(ends.mounted + ends.reused, savedBytes)]),
          formatDuration(nowMs - startMs),
        ];
  return `${clean(name)}: ${[...parts, ...(detail === undefined ? [] : [clean(detail)])].join(', ')}`;
}

/** Returns what did not have to move. */
export function savedText(blobs: number, bytes: number): string {
  const size = bytes === 0 ? '' : ` (${formatBytes(bytes)})`;
  return `${counted(blobs, 'blob')} not moved${size}`;
}

/** Returns a blob's name in `width` columns. Shards differ by their number, so that is what is left in a narrow window. */
export function blobName(name: string, width: number): string {
  const text = clean(name);
  if (widthOf(text) <= width) return text;
  const [, stem = '', number, count] = /^(.*?)-0*(\d+)-of-0*(\d+)\.\w+$/.exec(text) ?? [];
  return number === undefined ? text : `${number}/${count} ${stem}`;
}

/** Returns one line about a retry. */
export function retryText({
  what,
  attempt,
  delayMs,
  reason,
}: Extract<ProgressEvent, { type: 'retry' }>): string {
  const when = delayMs < 1000 ? 'at once' : `in ${formatDuration(delayMs)}`;
  return `retry ${attempt} ${when}: ${clean(what)}: ${clean(reason)}`;
}

/**
 * Returns a line about a request: `PUT https://ghcr.io/v2/acme/hf-x/manifests/v1 201 in 35 ms`, or why there was no
 * answer.
 */
export function requestText({
  method,
  url,
  durationMs,
  status,
  reason = 'no answer',
}: Extract<ProgressEvent, { type: 'request' }>): string {
  return clean(`${method} ${url} ${status ?? `failed (${reason})`} in ${durationMs} ms`);
}

/** Returns one line about a warning, with the model in front. */
export function warningText({ model, text }: Extract<ProgressEvent, { type: 'warning' }>): string {
  return model === undefined ? clean(text) : `${clean(model)}: ${clean(text)}`;
}

/** Returns a rate such as `110 MiB/s`; empty if it is not known. */
export function rateText(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? '' : `${formatBytes(bytesPerSecond)}/s`;
}

/** Returns the time that the rest of a blob takes at this rate, empty if it cannot be told. */
export function timeLeftText(restBytes: number, bytesPerSecond: number | undefined): string {
  if (bytesPerSecond === undefined || bytesPerSecond < 1) return '';
  return formatDuration((restBytes / bytesPerSecond) * 1000);
}

/** Returns the share in whole percent, rounded down. */
export function percentText(doneBytes: number, sizeBytes: number): string {
  const percent = sizeBytes === 0 ? 100 : Math.floor((doneBytes / sizeBytes) * 100);
  return `${percent}%`;
}
