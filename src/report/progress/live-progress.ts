import { createLogUpdate } from 'log-update';
import wrapAnsi from 'wrap-ansi';
import type { ProgressEvent } from '../../core/events.ts';
import { cut } from '../layout/text-layout.ts';
import { liveFrame } from './live-frame.ts';
import { type ModelProgress, ProgressState } from './progress-state.ts';
import { modelEndText, requestText, retryText, warningText } from './progress-text.ts';
import { type Style, styleFor } from './style.ts';
import type { Progress, ProgressOptions } from './types.ts';

const FRAME_MS = 100;
/** How long a retry is shown beyond its delay. */
const PASSING_MS = 4000;
const MAX_LINES = 16;
const DEFAULT_ROWS = 24;
const SHOW_CURSOR = '\u001b[?25h';
const HIDE_CURSOR = '\u001b[?25l';

/**
 * A few lines that are drawn anew ten times a second while models are under way. What has come to its end, and what
 * has to be read, scrolls up above them.
 */
export class LiveProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #style: Style;
  readonly #state = new ProgressState();
  readonly #screen: ReturnType<typeof createLogUpdate>;
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;
  #retry: { readonly text: string; readonly untilMs: number } | undefined;
  #isStopped = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#style = styleFor(options.isColor);
    // Its own handling of the cursor is for `process.stderr` alone.
    this.#screen = createLogUpdate(sized(options), { showCursor: true });
  }

  readonly onEvent = (event: ProgressEvent): void => {
    if (this.#isStopped && event.type !== 'warning' && event.type !== 'request') return;
    const nowMs = Date.now();
    const model = 'model' in event ? this.#state.models.get(event.model ?? '') : undefined;
    this.#state.apply(event, nowMs);
    if (event.type === 'retry') {
      this.#retry = { text: retryText(event), untilMs: nowMs + event.delayMs + PASSING_MS };
    }
    const line = this.#lastingLine(event, model, nowMs);
    if (line !== undefined) this.#print(line);
    if (this.#isStopped) return;
    if (this.#state.models.size === 0) this.#end();
    else this.#begin();
  };

  stop(): void {
    this.#isStopped = true;
    this.#end();
  }

  #lastingLine(event: ProgressEvent, model: ModelProgress | undefined, nowMs: number): string | undefined {
    const { good, bad, notable, quiet } = this.#style;
    if (event.type === 'request')
      return this.#options.verbosity === 'verbose' ? quiet(requestText(event)) : undefined;
    if (event.type === 'warning') return `${notable('!')} ${warningText(event)}`;
    if (event.type !== 'model-end' || model === undefined) return undefined;
    const isFailed = event.status === 'failed';
    if (model.phase === 'resolve' && !isFailed) return undefined;
    return `${isFailed ? bad('✗') : good('✓')} ${modelEndText(model, event, nowMs)}`;
  }

  #print(line: string): void {
    this.#screen.persist(wrapAnsi(line, this.#columns, { hard: true }));
    if (this.#timer !== undefined) this.#draw();
  }

  #begin(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    this.#timer.unref();
    // However the process ends, the cursor is there again.
    process.on('exit', this.#showCursor);
    this.#options.stream.write(HIDE_CURSOR);
    this.#draw();
  }

  #end(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#screen.clear();
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }

  readonly #showCursor = (): void => {
    this.#options.stream.write(SHOW_CURSOR);
  };

  #draw(): void {
    const nowMs = Date.now();
    const rows = rowsOf(this.#options);
    const isRetrying = this.#retry !== undefined && nowMs < this.#retry.untilMs;
    const frame = {
      nowMs,
      columns: this.#columns,
      maxLines: Math.max(2, Math.min(rows - 2, MAX_LINES)),
      style: this.#style,
      turn: this.#turn++,
    };
    const lines = liveFrame(this.#state.models.values(), frame, this.#state.run);
    if (isRetrying) lines.push(this.#style.notable(cut(`  ${this.#retry?.text}`, this.#columns)));
    this.#screen(lines.join('\n'));
  }

  /** One less than there are: some terminals wrap as soon as a line is full. */
  get #columns(): number {
    return columnsOf(this.#options) - 1;
  }
}

/** The stream with a size in any case: a pseudo-terminal that no one has sized says 0 by 0. */
function sized(options: ProgressOptions): NodeJS.WriteStream {
  const view = {
    isTTY: true,
    write: (text: string) => options.stream.write(text),
    get columns() {
      return columnsOf(options);
    },
    get rows() {
      return rowsOf(options);
    },
  };
  return view as NodeJS.WriteStream;
}

function columnsOf({ stream, columns }: ProgressOptions): number {
  return stream.columns || columns;
}

function rowsOf({ stream }: ProgressOptions): number {
  return stream.rows || DEFAULT_ROWS;
}
