import { GithubProgress } from './github-progress.ts';
import { LiveProgress } from './live-progress.ts';
import { PlainProgress } from './plain-progress.ts';
import type { Progress, ProgressOptions } from './types.ts';

/** Returns what shows events: live on a terminal, plain lines with the time of day elsewhere, folded by model in the log of a GitHub job. */
export function createProgress(options: ProgressOptions): Progress {
  if (options.verbosity === 'quiet') return warningsOnly(new PlainProgress(options));
  if (options.isGithub) return new GithubProgress(options);
  return options.isTty && !options.isCi ? new LiveProgress(options) : new PlainProgress(options);
}

function warningsOnly(progress: Progress): Progress {
  return {
    onEvent: event => {
      if (event.type === 'warning') progress.onEvent(event);
    },
    stop: () => progress.stop(),
  };
}
