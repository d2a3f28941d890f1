import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Takes a connection's bytes in place of its HTTP parser. */
export interface ReadTarget {
  /**
   * Memory for the next read; the socket writes into it until it asks for other memory, which it does after each read, or
   * is closed. Undefined if nothing more is wanted.
   */
  room(): Buffer | undefined;
  /** Bytes that have come, in `room` or, those of the first read, elsewhere and then not to be kept. False pauses. */
  read(bytes: Buffer): boolean;
}

/** What the operating system gives in one read if no one has asked for more. */
const SCRATCH_BYTES = 64 * 1024;

const slots = new WeakMap<object, { target?: ReadTarget }>();

/**
 * Connects a socket to `target`: from now on its HTTP parser sees nothing of it. Returns false if the connection was
 * not made by an agent of this file. `socket.pause` and `resume` work as ever.
 */
export function takeOver(socket: Socket | null, target: ReadTarget): boolean {
  const slot = socket === null ? undefined : slots.get(socket);
  if (slot === undefined) return false;
  slot.target = target;
  return true;
}

/** Ends an answer whose whole body was read by a `ReadTarget`, and the connection serves the agent again. */
export function giveBack(stream: IncomingMessage): void {
  const { socket } = stream;
  const slot = slots.get(socket);
  if (stream.destroyed || slot === undefined) return;
  delete slot.target;
  stream.complete = true;
  stream.push(null);
  // Node looks whether the answer is complete each time its parser was given something, and then lets go of the parser.
  // That parser still waits for the body, and is made ready for another answer before it gets one.
  socket.emit('data', Buffer.alloc(0));
  stream.resume();
  socket.resume();
}

type Connect = http.Agent['createConnection'];

/**
 * Node reads a socket in pieces of 64 KiB, each in memory of its own, and the HTTP parser copies a body once more, which
 * together costs more than hashing it. With `onread` a connection reads into memory that is named for each read; until
 * it is taken over, what comes is an ordinary `data` event.
 */
export class DirectHttpAgent extends http.Agent {
  override createConnection(...[options, callback]: Parameters<Connect>): ReturnType<Connect> {
    return connect(onread => super.createConnection({ ...options, onread } as typeof options, callback));
  }
}

/** As `DirectHttpAgent`, over TLS. */
export class DirectHttpsAgent extends https.Agent {
  override createConnection(...[options, callback]: Parameters<Connect>): ReturnType<Connect> {
    return connect(onread => super.createConnection({ ...options, onread } as typeof options, callback));
  }
}

function connect(create: (onread: object) => Duplex | null | undefined): Duplex | null | undefined {
  const slot: { target?: ReadTarget } = {};
  const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  const socket = create({
    buffer: () => slot.target?.room() ?? scratch,
    callback(count: number, { buffer, byteOffset }: Uint8Array<ArrayBuffer>): boolean {
      const bytes = Buffer.from(buffer, byteOffset, count);
      if (slot.target !== undefined) return slot.target.read(bytes);
      // The next read goes into the same memory, and the listener may keep what it is given.
      socket?.emit('data', Buffer.from(bytes));
      return true;
    },
  });
  if (socket) slots.set(socket, slot);
  return socket;
}
