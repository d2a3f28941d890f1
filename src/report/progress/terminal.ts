/** What can be shown at the other end of a stream. */
export interface Terminal {
  /** Whether the cursor can be moved: false for files, pipes and dumb terminals. */
  readonly isTty: boolean;
  readonly isCi: boolean;
  /** Whether it is the log of a GitHub job. */
  readonly isGithub: boolean;
  readonly isColor: boolean;
  readonly columns: number;
}

type Env = Readonly<Record<string, string | undefined>>;

const TERMINAL_COLUMNS = 80;
/** Logs are read in wide windows that wrap by themselves. */
const LOG_COLUMNS = 120;
/** Less than this is not a real width: some pseudo-terminals say 0 or 1. */
const MIN_COLUMNS = 20;

/**
 * Returns what a stream can show, by the stream itself and `NO_COLOR`, `FORCE_COLOR`, `CI`, `GITHUB_ACTIONS`, `TERM`
 * and `COLUMNS`. `FORCE_COLOR` takes precedence over `NO_COLOR`, as in Node itself.
 */
export function terminalOf(
  stream: { readonly isTTY?: boolean; readonly columns?: number },
  env: Env,
): Terminal {
  const isTty = stream.isTTY === true && env.TERM !== 'dumb';
  const fallback = stream.isTTY === true ? TERMINAL_COLUMNS : LOG_COLUMNS;
  const columns = [stream.columns, Number(env.COLUMNS)].find(width => isWidth(width));
  return {
    isTty,
    isCi: isOn(env.CI) || isOn(env.GITHUB_ACTIONS),
    isGithub: isOn(env.GITHUB_ACTIONS),
    isColor: wantsColor(env) ?? isTty,
    columns: columns ?? fallback,
  };
}

function wantsColor({ FORCE_COLOR, NO_COLOR }: Env): boolean | undefined {
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return NO_COLOR ? false : undefined;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

function isWidth(width: number | undefined): width is number {
  return Number.isInteger(width) && Number(width) >= MIN_COLUMNS;
}
