import { reasonOf } from '../core/system-error.ts';
import { ExitStatus } from './session.ts';

/**
 * The reader of our output may be gone (`| head`, a log that was closed): that is not a reason to leave the work undone.
 * Results that cannot be written for any other reason, as to a full disk, are a failure; what goes to stderr is not.
 */
export function guardOutput(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`weighbridge: stdout cannot be written: ${reasonOf(error)}\n`);
    // The command may set its own status after this.
    process.once('exit', status => {
      if (status === ExitStatus.done) process.exitCode = ExitStatus.failed;
    });
  });
}
