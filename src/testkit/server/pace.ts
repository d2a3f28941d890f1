import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from './faults.ts';

/** The connection is gone, by the client's doing or by a fault's; there is no one left to answer. */
export class ConnectionGone extends Error {}

/** How fast a body moves. */
export interface Pace {
  readonly fault: FaultRule;
  readonly socket: Socket;
  readonly flush: () => void;
}

/** Yields the chunks as a fault lets them through: fewer, slower, or with a bit turned. */
export async function* paced(chunks: AsyncIterable<Buffer>, pace: Pace | undefined): AsyncIterable<Buffer> {
  const fault = pace?.fault;
  const breaks = fault !== undefined && isBreak(fault);
  if (pace === undefined || fault === undefined || !(breaks || ['corrupt', 'slow'].includes(fault.kind))) {
    yield* chunks;
    return;
  }
  const mark = fault.afterBytes ?? 0;
  let position = 0;
  for await (const chunk of chunks) {
    if (breaks && position + chunk.length >= mark) {
      if (mark > position) yield chunk.subarray(0, mark - position);
      await breakOff(pace);
    }
    if (fault.kind === 'slow') yield* trickle(chunk, fault.bytesPerSecond ?? 65_536);
    else if (fault.kind === 'corrupt') yield corrupted(chunk, mark - position);
    else yield chunk;
    position += chunk.length;
  }
  // A body that ends before the mark is struck at its end, or the rule would seem to have done its work.
  if (breaks) await breakOff(pace);
}

/** Returns whether a fault breaks the connection. */
export function isBreak({ kind }: FaultRule): boolean {
  return kind === 'reset' || kind === 'stall' || kind === 'truncate';
}

/** Ends or freezes the connection as the fault says. Throws ConnectionGone when it is over; never returns. */
export async function breakOff({ fault, socket, flush }: Pace): Promise<never> {
  if (fault.kind !== 'reset') flush();
  // What has been written is on its way before the end of it.
  while (socket.writableLength > 0 && !socket.destroyed) await sleep(1);
  if (fault.kind === 'reset') socket.resetAndDestroy();
  else if (fault.kind === 'truncate') socket.end();
  else if (!socket.destroyed) await new Promise<void>(resolve => socket.once('close', resolve));
  throw new ConnectionGone(`fault: ${fault.kind}`);
}

async function* trickle(chunk: Buffer, bytesPerSecond: number): AsyncIterable<Buffer> {
  const tickMs = 20;
  const piece = Math.max(1, Math.floor((bytesPerSecond * tickMs) / 1000));
  for (let start = 0; start < chunk.length; start += piece) {
    yield chunk.subarray(start, start + piece);
    await sleep(tickMs);
  }
}

function corrupted(chunk: Buffer, at: number): Buffer {
  if (at < 0 || at >= chunk.length) return chunk;
  const copy = Buffer.from(chunk);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}
