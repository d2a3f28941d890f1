import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Far from what anything takes, also where many programs share the machine. */
const MAX_WAIT_MS = 600_000;

/** Waits until it is so. Throws after ten minutes, or where the process that would bring it about has ended. */
export async function until(isSo: () => boolean, during?: ChildProcess): Promise<void> {
  const deadline = Date.now() + MAX_WAIT_MS;
  while (!isSo()) {
    const hasEnded = during !== undefined && (during.exitCode !== null || during.signalCode !== null);
    assert.ok(!hasEnded, 'the process ended before it came to pass');
    assert.ok(Date.now() < deadline, 'it did not come to pass in ten minutes');
    await sleep(10);
  }
}
