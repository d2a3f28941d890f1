import type { ProgressEvent } from '../../core/events.ts';
import { clean } from '../layout/text-layout.ts';
import { PlainProgress } from './plain-progress.ts';
import { DOING } from './progress-text.ts';
import type { Progress, ProgressOptions } from './types.ts';

/** The lines of one model's work, which the log folds into one. */
interface Group {
  readonly title: string;
  /** Not yet written, because another group is open. */
  lines: string[];
  /** What is said under the folded group. */
  endLine: string | undefined;
}

/**
 * The plain lines, folded by model in the log of a GitHub job. Groups there cannot be nested or side by side, so
 * the lines of one model at a time are written as they come, and those of the others wait for their turn.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#grouping-log-lines
 */
export class GithubProgress implements Progress {
  readonly #stream: ProgressOptions['stream'];
  readonly #plain: PlainProgress;
  readonly #groups = new Map<string, Group>();
  #open: Group | undefined;
  #isStopped = false;

  constructor(options: ProgressOptions) {
    this.#stream = options.stream;
    this.#plain = new PlainProgress(options, (line, event) => this.#write(line, event));
  }

  readonly onEvent = (event: ProgressEvent): void => {
    if (event.type === 'model-start') this.#begin(event.model, event.phase);
    this.#plain.onEvent(event);
    if (event.type === 'model-end') this.#goOn();
  };

  stop(): void {
    this.#isStopped = true;
    this.#plain.stop();
    for (const group of this.#groups.values()) group.endLine ??= '';
    this.#goOn();
  }

  #begin(model: string, phase: keyof typeof DOING): void {
    // The questions to the Hub are one line each, and there are no other lines among them.
    if (phase === 'resolve' || this.#isStopped) return;
    const group = { title: `${clean(model)}: ${DOING[phase]}`, lines: [], endLine: undefined };
    this.#groups.set(model, group);
    if (this.#open === undefined) this.#unfold(group);
  }

  #write(line: string, event: ProgressEvent): void {
    const group = 'model' in event ? this.#groups.get(event.model ?? '') : this.#open;
    if (group !== undefined && event.type === 'model-end') group.endLine = line;
    else if (group === undefined || group === this.#open) this.#stream.write(line);
    else group.lines.push(line);
  }

  /** Ends the open group where its model has ended, then does the same with those that wait. */
  #goOn(): void {
    while (this.#open === undefined || this.#open.endLine !== undefined) {
      if (this.#open !== undefined) this.#fold(this.#open);
      const next = this.#next();
      if (next === undefined) return;
      this.#unfold(next);
    }
  }

  /** Those that have ended are behind us soonest. */
  #next(): Group | undefined {
    const waiting = [...this.#groups.values()];
    return waiting.find(group => group.endLine !== undefined) ?? waiting[0];
  }

  #unfold(group: Group): void {
    this.#stream.write(`::group::${group.title}\n${group.lines.join('')}`);
    group.lines = [];
    this.#open = group;
  }

  #fold(group: Group): void {
    this.#stream.write(`::endgroup::\n${group.endLine ?? ''}`);
    for (const [model, known] of this.#groups) if (known === group) this.#groups.delete(model);
    this.#open = undefined;
  }
}
