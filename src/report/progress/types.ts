import type { OnEvent } from '../../core/events.ts';
import type { Terminal } from './terminal.ts';

/** A display of what goes on. */
export interface Progress {
  readonly onEvent: OnEvent;
  /** Takes away what is live and gives the cursor back; more than once is fine. Warnings are shown afterwards too. */
  stop(): void;
}

/** How much a command prints while it works: `-q`, neither, `-v`. */
export type Verbosity = 'quiet' | 'normal' | 'verbose';

/** What a display is made for. */
export interface ProgressOptions extends Terminal {
  readonly stream: ProgressStream;
  /** `quiet` shows warnings alone, `verbose` requests as well. `normal` by default. */
  readonly verbosity?: Verbosity;
}

/** What a display needs of a `NodeJS.WriteStream`. Its size, if it has one, is looked at anew for every frame. */
export type ProgressStream = NodeJS.WritableStream & { readonly columns?: number; readonly rows?: number };
