import { setMaxListeners } from 'node:events';
import { InvalidConfigError } from '../config/problems.ts';
import { errorToJson, WeighbridgeError } from '../core/errors.ts';
import { broadcastEvents } from '../core/event-broadcast.ts';
import type { OnEvent } from '../core/events.ts';
import { createServices, type Services } from '../engine/services.ts';
import { errorAnnotation } from '../report/ci/github-annotation.ts';
import { createProgress } from '../report/progress/progress.ts';
import { terminalOf } from '../report/progress/terminal.ts';
import type { Progress } from '../report/progress/types.ts';
import { asFileError } from './output-file.ts';

/** Statuses a run ends with; DESIGN: 0 all done, 1 something failed, 2 the call or the file is wrong, 130 interrupted. */
export const ExitStatus = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** What every command has in hand: where to print, what to stop at, the outside world. */
export interface Session {
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly isJson: boolean;
  readonly stdout: { readonly columns: number; readonly isColor: boolean };
  readonly progress: Progress & {
    /** Ends the display of one piece of work; the next one gets its own. */
    renew(): void;
  };
  /** Has every event told to `listener` too, until what it returns is called. */
  listen(listener: OnEvent): () => void;
  readonly services: Services;
  /** One line of result to stdout. */
  print(text: string): void;
  /** One line of diagnostics to stderr, clear of the progress display. */
  note(text: string): void;
  /** Errors to stderr, as they are: of what failed while other work was done. */
  complain(text: string): void;
  /** The same session with another environment, and so with its own servers and logins. */
  within(env: NodeJS.ProcessEnv): Session;
  /** What to say of the work when it is interrupted, asked for at that moment. */
  onInterrupt(describe: () => string): void;
  /** From here on Ctrl-C is a child's business: this process neither stops at it nor ends before its child has. */
  releaseSignals(): void;
}

/** Options that every command has. */
export interface SessionOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Runs a command from its first signal handler to its exit status. */
export async function runSession(
  options: SessionOptions,
  command: (session: Session) => Promise<number>,
): Promise<void> {
  const interruption = interruptible(() => display.stop());
  const isVerbose = options.verbose || process.env.WEIGHBRIDGE_LOG_REQUESTS === '1';
  const verbosity = options.quiet ? 'quiet' : isVerbose ? 'verbose' : 'normal';
  const display = renewable(() =>
    createProgress({ stream: process.stderr, verbosity, ...terminalOf(process.stderr, process.env) }),
  );
  const { onEvent, listen } = broadcastEvents(display.onEvent);
  const progress: Session['progress'] = { ...display, onEvent };
  const opened: Services[] = [];
  let hasPrinted = false;
  const sessionIn = (env: NodeJS.ProcessEnv): Session => {
    let services: Services | undefined;
    return {
      env,
      signal: interruption.signal,
      isJson: options.json === true,
      stdout: terminalOf(process.stdout, env),
      progress,
      listen,
      get services() {
        if (services === undefined) {
          services = createServices(env, onEvent);
          opened.push(services);
        }
        return services;
      },
      print(text) {
        hasPrinted = true;
        process.stdout.write(`${text}\n`);
      },
      note: text => onEvent({ type: 'warning', text }),
      complain: text => {
        progress.stop();
        process.stderr.write(`${text}\n`);
      },
      within: sessionIn,
      onInterrupt: interruption.onInterrupt,
      releaseSignals: interruption.end,
    };
  };
  // A variable, because it has to reach the clients of worker threads too.
  const session = sessionIn(
    verbosity === 'verbose' ? { ...process.env, WEIGHBRIDGE_LOG_REQUESTS: '1' } : process.env,
  );
  try {
    process.exitCode = await command(session);
  } catch (error) {
    progress.stop();
    // Stdout is one JSON document: after a result the error is stderr's alone.
    const isJsonWanted = session.isJson && !hasPrinted;
    process.exitCode = interruption.signal.aborted ? interruption.report() : reportError(error, isJsonWanted);
  } finally {
    progress.stop();
    interruption.end();
    for (const services of opened) services.http.close();
  }
}

/** Each piece of work gets a display of its own, at the same place. */
function renewable(create: () => Progress): Session['progress'] {
  let display = create();
  return {
    onEvent: event => display.onEvent(event),
    stop: () => display.stop(),
    renew() {
      display.stop();
      display = create();
    },
  };
}

/** The call or a file that it names is wrong. */
const CALLERS: ReadonlySet<string> = new Set([
  'USAGE',
  'CONFIG_INVALID',
  'CONFIG_UNREADABLE',
  'PLAN_UNREADABLE',
  'PLAN_DIFFERS',
  // What signs, or whose signature counts, is named by the file or the call.
  'SIGNING_KEY',
  'SIGNING_IDENTITY',
]);

function reportError(thrown: unknown, isJsonWanted: boolean): number {
  const error = asFileError(thrown);
  if (isJsonWanted) {
    const document = { schemaVersion: 1, error: errorToJson(error) };
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  }
  if (error instanceof WeighbridgeError) {
    annotate(error);
    process.stderr.write(`weighbridge: ${error.message}\n${error.remedy ? `  ${error.remedy}\n` : ''}`);
    return CALLERS.has(error.code) ? ExitStatus.usage : ExitStatus.failed;
  }
  process.stderr.write(
    `weighbridge: this is a defect, please report it: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return ExitStatus.failed;
}

/** Shows mistakes of models.yaml at their lines in a pull request; stdout may be one JSON document. */
function annotate(error: WeighbridgeError): void {
  if (!(error instanceof InvalidConfigError) || process.env.GITHUB_ACTIONS !== 'true') return;
  for (const problem of error.problems) process.stderr.write(`${errorAnnotation(problem, process.env)}\n`);
}

/** Work that is still under way this long after Ctrl-C is left behind: every tag is whole at any moment. */
const GRACE_MS = 2000;

interface Interruption {
  readonly signal: AbortSignal;
  onInterrupt(describe: () => string): void;
  /** Says what there is to say, and gives the exit status. */
  report(): number;
  end(): void;
}

/** `onStop` takes away what is live, before anything is written over it. */
function interruptible(onStop: () => void): Interruption {
  const controller = new AbortController();
  let describe = (): string => '';
  const report = (): number => {
    const state = describe();
    process.stderr.write(`weighbridge: interrupted${state && `\n${state}`}\n`);
    process.stderr.write('  What is finished is complete. Run the command again to continue.\n');
    return ExitStatus.interrupted;
  };
  // Every request of a run listens to it, and there may be many at once.
  setMaxListeners(0, controller.signal);
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(ExitStatus.interrupted);
    onStop();
    process.stderr.write('\nweighbridge: stopping…\n');
    controller.abort();
    setTimeout(() => process.exit(report()), GRACE_MS).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    onInterrupt: state => {
      describe = state;
    },
    report,
    end() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
