import { ERROR_CLASSES, type ErrorCode, InterruptedError, WeighbridgeError } from './errors.ts';

/** An error as plain data, to cross from one thread to another. Causes stay behind: they are for the log of a thread. */
export interface WireError {
  readonly kind: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: ErrorCode;
  readonly subject?: string | undefined;
  readonly remedy?: string | undefined;
}

/** Returns an error as a plain object that another thread can be sent. */
export function errorToWire(error: unknown): WireError {
  if (error instanceof WeighbridgeError) {
    const { name: kind, message, code, subject, remedy } = error;
    return { kind, message, code, subject, remedy };
  }
  if (error instanceof Error) return { kind: error.name, message: error.message, stack: error.stack };
  return { kind: 'Error', message: String(error) };
}

/**
 * Returns an error of the same class, code and words; one that is not our own becomes a plain Error with the stack of
 * its origin.
 */
export function errorFromWire({ kind, message, stack, code, subject, remedy }: WireError): Error {
  if (kind === InterruptedError.name) return new InterruptedError(message);
  const type = ERROR_CLASSES.get(kind);
  if (type !== undefined && code !== undefined) {
    return new type(message, {
      code,
      ...(subject === undefined ? {} : { subject }),
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
  const error = Object.assign(new Error(message), { name: kind });
  if (stack !== undefined) error.stack = stack;
  return error;
}
