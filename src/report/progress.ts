import type { OnEvent } from '../core/events.ts';
import { GithubProgress } from './github-progress.ts';
import { LiveProgress } from './live-progress.ts';
import { PlainProgress } from './plain-progress.ts';
import type { Terminal } from './terminal.ts';

export { type Terminal, terminalOf } from './terminal.ts';

/** A display of what goes on. */
export interface Progress {
  readonly onEvent: OnEvent;
  /** Takes away what is live and gives the cursor back; more than once is fine. Warnings are shown afterwards too. */
  stop(): void;
}

export interface ProgressOptions extends Terminal {
  readonly stream: ProgressStream;
}

/** What a display needs of a `NodeJS.WriteStream`. Its size, where it has one, is looked at anew for every frame. */
export type ProgressStream = NodeJS.WritableStream & { readonly columns?: number; readonly rows?: number };

/** Live on a terminal, plain lines with the time of day elsewhere, folded by model in the log of a GitHub job. */
export function createProgress(options: ProgressOptions): Progress {
  if (options.isGithub) return new GithubProgress(options);
  return options.isTty && !options.isCi ? new LiveProgress(options) : new PlainProgress(options);
}
