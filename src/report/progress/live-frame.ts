import { formatBytes } from '../../core/text.ts';
import { clean, cut, fitted, formatDuration } from '../layout/text-layout.ts';
import type { ModelProgress, MovingBlob, RunProgress } from './progress-state.ts';
import { blobName, DOING, MOVED, percentText, rateText, savedText, timeLeftText } from './progress-text.ts';
import type { Style } from './style.ts';

/** How a frame of the live display is drawn. */
export interface FrameOptions {
  readonly nowMs: number;
  /** No line is longer. */
  readonly columns: number;
  /** At most so many lines, at least 2. */
  readonly maxLines: number;
  readonly style: Style;
  /** Counts the frames, to turn the spinner. */
  readonly turn: number;
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * Returns the lines that show what is going on at this moment: the models asked about in one line, then a line a model
 * and one a moving blob.
 */
export function liveFrame(
  models: Iterable<ModelProgress>,
  options: FrameOptions,
  run?: RunProgress,
): string[] {
  const all = [...models];
  const total = run === undefined ? undefined : totalLine(all, run, options);
  if (total === undefined) return modelLines(all, options);
  return [...modelLines(all, { ...options, maxLines: Math.max(2, options.maxLines - 1) }), total];
}

/** How far the whole run is; undefined until it is known what there is to move. */
function totalLine(
  models: readonly ModelProgress[],
  run: RunProgress,
  options: FrameOptions,
): string | undefined {
  if (run.sizeBytes === 0) return undefined;
  const moving = models.flatMap(model => [...model.moving.values()]);
  const movedBytes = moving.reduce((sum, blob) => sum + blob.doneBytes * blob.pendingTargets, 0);
  const doneBytes = Math.min(run.sizeBytes, run.endedBytes + movedBytes);
  const rate = moving.reduce(
    (sum, blob) => sum + (blob.rate.bytesPerSecond(options.nowMs) ?? 0) * blob.pendingTargets,
    0,
  );
  const isOpen = run.startedModels < run.models;
  const left = isOpen ? '' : timeLeftText(run.sizeBytes - doneBytes, rate);
  const parts = [
    `${percentText(doneBytes, run.sizeBytes)} of ${formatBytes(run.sizeBytes)}${isOpen ? ' so far' : ''}`,
    left && `${left} left`,
    run.models > 1 ? `${run.endedModels} of ${run.models} models` : '',
  ];
  return options.style.quiet(
    cut(`  total  ${parts.filter(part => part !== '').join(' · ')}`, options.columns),
  );
}

function modelLines(models: readonly ModelProgress[], options: FrameOptions): string[] {
  const { asked: resolve = [], worked: publish = [] } = Object.groupBy(models, model =>
    model.phase === 'resolve' ? 'asked' : 'worked',
  );
  const lines: string[] = [];
  if (resolve.length > 0) lines.push(resolveLine(resolve, options));

  const room = options.maxLines - lines.length;
  // Half of the room at least is for blobs; models that find no place are counted in the last line.
  const places = Math.max(1, Math.floor(room / 2));
  const shown = publish.length <= places ? publish : publish.slice(0, Math.max(1, places - 1));
  const hidden = publish.length - shown.length;
  const shares = shareOut(
    room - shown.length - (hidden > 0 ? 1 : 0),
    shown.map(model => model.moving.size),
  );
  for (const [index, model] of shown.entries()) {
    lines.push(modelLine(model, options));
    for (const blob of [...model.moving.values()].slice(0, shares[index]))
      lines.push(blobLine(blob, options));
  }
  if (hidden > 0) lines.push(options.style.quiet(cut(`  … and ${hidden} more`, options.columns)));
  return lines.slice(0, options.maxLines);
}

/** Deals `places` out in turn to those who still want one. */
function shareOut(places: number, wanted: readonly number[]): number[] {
  const shares = wanted.map(() => 0);
  let left = places;
  for (let round = 1; left > 0 && wanted.some(count => count >= round); round++) {
    for (const [index, count] of wanted.entries()) {
      if (count < round || left === 0) continue;
      shares[index] = round;
      left -= 1;
    }
  }
  return shares;
}

function resolveLine(models: readonly ModelProgress[], options: FrameOptions): string {
  const names = models.map(model => clean(model.name)).join(', ');
  return headLine(DOING.resolve, `about ${names}`, options);
}

function modelLine(model: ModelProgress, options: FrameOptions): string {
  const { nowMs } = options;
  const moving = [...model.moving.values()];
  const waiting = moving.filter(isWaiting);
  const rate = moving.reduce(
    (sum, blob) => sum + (isWaiting(blob) ? 0 : (blob.rate.bytesPerSecond(nowMs) ?? 0)),
    0,
  );
  const isMoving = moving.length > 0;
  const { uploaded, mounted, reused } = model.ends;
  const counts =
    options.columns < WIDTH_FOR.bar
      ? []
      : [
          uploaded === 0 ? '' : `${formatBytes(model.uploadedBytes)} ${MOVED[model.phase]}`,
          moving.length > waiting.length ? `${moving.length - waiting.length} moving` : '',
          mounted + reused === 0 ? '' : savedText(mounted + reused, model.savedBytes),
        ];
  const parts = [
    isMoving || model.text === '' ? DOING[model.phase] : clean(model.text),
    rate > 0 ? rateText(rate) : '',
    ...counts,
    formatDuration(nowMs - model.startMs),
  ];
  return headLine(clean(model.name), parts.filter(part => part !== '').join(' · '), options);
}

function headLine(name: string, rest: string, { columns, style, turn }: FrameOptions): string {
  const spinner = SPINNER[turn % SPINNER.length] ?? '';
  const head = cut(name, columns - 2);
  // The name alone has a color, so the line is cut before it is painted.
  const tail = cut(`${head}  ${rest}`, columns - 2).slice(head.length);
  return `${style.good(spinner)} ${style.strong(head)}${style.quiet(tail)}`;
}

/** Narrow windows do without the size, narrower ones without the bar and the counts, the narrowest without the rate. */
const WIDTH_FOR = { rate: 36, bar: 60, size: 90 };

function blobLine(blob: MovingBlob, options: FrameOptions): string {
  const { name, sizeBytes, doneBytes, rate } = blob;
  const { nowMs, columns, style } = options;
  const bytesPerSecond = rate.bytesPerSecond(nowMs);
  const pace = (): string[] => [
    ...(columns < WIDTH_FOR.rate ? [] : [rateText(bytesPerSecond).padStart('1023 MiB/s'.length)]),
    timeLeftText(sizeBytes - doneBytes, bytesPerSecond).padStart('59m59s'.length),
  ];
  const figures = [
    percentText(doneBytes, sizeBytes).padStart(4),
    ...(columns < WIDTH_FOR.size
      ? []
      : [`${formatBytes(doneBytes)} of ${formatBytes(sizeBytes)}`.padStart('1023 MiB of 1023 GiB'.length)]),
    ...(isWaiting(blob)
      ? [WAITING.padStart(columns < WIDTH_FOR.rate ? '59m59s'.length : RATE_WIDTH)]
      : pace()),
  ].join(' ');
  const barWidth = columns < WIDTH_FOR.bar ? 0 : Math.min(30, Math.floor(columns / 5));
  const bar = barWidth === 0 ? '' : `${barText(doneBytes, sizeBytes, barWidth, style)} `;
  const indent = '    ';
  const nameWidth = columns - indent.length - figures.length - 1 - (barWidth === 0 ? 0 : barWidth + 1);
  if (nameWidth < 4) return cut(`${indent}${figures.trimStart()}`, columns);
  return `${indent}${fitted(blobName(name, nameWidth), nameWidth)} ${bar}${figures}`;
}

/** All is sent, and the registry has not yet said that it has it. */
function isWaiting({ doneBytes, sizeBytes }: MovingBlob): boolean {
  return doneBytes >= sizeBytes;
}

const WAITING = 'waits';
const RATE_WIDTH = '1023 MiB/s 59m59s'.length;

function barText(doneBytes: number, sizeBytes: number, width: number, { good, quiet }: Style): string {
  const share = sizeBytes === 0 ? 1 : doneBytes / sizeBytes;
  const filled = Math.floor(share * width);
  return good('━'.repeat(filled)) + quiet('─'.repeat(width - filled));
}
