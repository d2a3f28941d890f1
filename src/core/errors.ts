import { plainLines } from './safe-text.ts';
import { hideSecrets } from './secrets.ts';

/** What a caller may match on. A code never changes its meaning; messages may. */
export type ErrorCode =
  // the call or the file is wrong
  | 'CONFIG_INVALID'
  | 'CONFIG_UNREADABLE'
  | 'USAGE'
  | 'LOCK_DIFFERS'
  // the Hub
  | 'HUB_UNREACHABLE'
  | 'HUB_NOT_FOUND'
  | 'HUB_REVISION_NOT_FOUND'
  | 'HUB_GATED'
  | 'HUB_UNAUTHORIZED'
  | 'HUB_RATE_LIMITED'
  | 'HUB_BAD_ANSWER'
  | 'HUB_HOSTILE_PATH'
  | 'HUB_DISABLED'
  // what the files of a model are
  | 'MODEL_NO_FILES'
  | 'SAFETENSORS_INVALID'
  // registries and other image stores
  | 'REGISTRY_UNREACHABLE'
  | 'REGISTRY_UNAUTHORIZED'
  | 'REGISTRY_NOT_FOUND'
  | 'REGISTRY_BLOB_UNKNOWN'
  | 'REGISTRY_FULL'
  | 'REGISTRY_RATE_LIMITED'
  | 'REGISTRY_BAD_ANSWER'
  | 'REGISTRY_LOGIN_HELPER'
  /** The registry's token service failed, so the login was not checked. */
  | 'REGISTRY_LOGIN_SERVICE'
  | 'REGISTRY_NO_DELETE'
  | 'REGISTRY_CHANGED'
  /** A registry keeps this image for a rule of its own, and deletes others. */
  | 'IMAGE_UNDELETABLE'
  /** A tag that stays with its image names another one. */
  | 'TAG_IMMUTABLE'
  | 'STORE_IO'
  // plans that come as files
  | 'PLAN_UNREADABLE'
  | 'PLAN_DIFFERS'
  | 'IMAGE_FOREIGN'
  | 'BASE_NOT_FOUND'
  | 'BASE_PLATFORM_MISSING'
  | 'IMAGE_TOO_MANY_LAYERS'
  /** The base image hides what would be below it. */
  | 'IMAGE_LAYER_ORDER'
  | 'IMAGE_TOO_MANY_FILES'
  // bytes that are not what they should be
  | 'INTEGRITY_HASH'
  | 'INTEGRITY_SIZE'
  // the vulnerability scanner
  | 'SCANNER_MISSING'
  | 'SCANNER_FAILED'
  // signatures
  | 'SIGNING_KEY'
  | 'SIGNING_IDENTITY'
  | 'SIGNING_SERVICE'
  | 'SIGNING_NOT_KEPT'
  | 'SIGNATURE_MISSING'
  | 'SIGNATURE_INVALID'
  // the network under both
  | 'NETWORK'
  | 'HTTP_TOO_LARGE'
  | 'INTERRUPTED';

/** What an error has besides its message. */
export interface ErrorDetails {
  readonly code: ErrorCode;
  /** What it is about: `models.yaml:3:5`, a model id, a repository. */
  readonly subject?: string;
  /** What the reader can do about it, as a full sentence. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/**
 * The base of every error that Weighbridge throws on purpose; anything else is a defect. Servers' words are in many of
 * them, so all of its texts are safe to show from the beginning, and a login that a server repeats is not in them.
 */
export class WeighbridgeError extends Error {
  readonly code: ErrorCode;
  readonly subject: string | undefined;
  readonly remedy: string | undefined;

  constructor(message: string, details: ErrorDetails) {
    super(
      plainLines(hideSecrets(message)),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.name = new.target.name;
    this.code = details.code;
    this.subject = details.subject && plainLines(details.subject);
    this.remedy = details.remedy && plainLines(details.remedy);
  }
}

/** The command line or `models.yaml` is wrong; nothing was done. */
export class ConfigError extends WeighbridgeError {}
/** The Hub could not be asked, refused, or gave a senseless answer. */
export class HubError extends WeighbridgeError {}
/** A registry (or another image store) could not be asked, refused, or gave a senseless answer. */
export class RegistryError extends WeighbridgeError {
  /** The unexpected HTTP status, if the registry answered. */
  readonly status: number | undefined;

  constructor(message: string, details: ErrorDetails & { readonly status?: number }) {
    super(message, details);
    this.status = details.status;
  }
}
/** Bytes are not the ones that were promised. */
export class IntegrityError extends WeighbridgeError {}
/** Something could not be signed, or a signature is missing or wrong. */
export class SigningError extends WeighbridgeError {}
/** No answer came: refused, reset, timed out, no such host. */
export class NetworkError extends WeighbridgeError {}
/** The user or the caller asked to stop. */
export class InterruptedError extends WeighbridgeError {
  constructor(message = 'interrupted') {
    super(message, { code: 'INTERRUPTED' });
  }
}

/** The classes that are made from a message and a code, by name. */
export const ERROR_CLASSES: ReadonlyMap<string, typeof WeighbridgeError> = new Map(
  [WeighbridgeError, ConfigError, HubError, RegistryError, IntegrityError, SigningError, NetworkError].map(
    type => [type.name, type],
  ),
);

/** As `signal.throwIfAborted()`, with one of our errors. Throws InterruptedError. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError();
}

/** Returns one line for people: message, then what to do. */
export function describeError(error: unknown): string {
  if (error instanceof WeighbridgeError) {
    return error.remedy ? `${error.message}. ${error.remedy}` : error.message;
  }
  return plainLines(error instanceof Error ? error.message : String(error));
}

/** Whether a registry answered, with something that is not the document that was asked for. */
export function isOddAnswer(error: unknown): boolean {
  if (error instanceof IntegrityError) return true;
  if (error instanceof WeighbridgeError && error.code === 'HTTP_TOO_LARGE') return true;
  return error instanceof RegistryError && error.code === 'REGISTRY_BAD_ANSWER' && (error.status ?? 0) < 500;
}

/** Whether an image cannot be built however often it is tried: its base is not there, or a limit is exceeded. */
export function isRefused(error: unknown): boolean {
  return error instanceof WeighbridgeError && REFUSALS.has(error.code);
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BASE_NOT_FOUND',
  'BASE_PLATFORM_MISSING',
  'IMAGE_TOO_MANY_LAYERS',
  'IMAGE_TOO_MANY_FILES',
]);

/** An error as data, for JSON output and plans. */
export interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly subject?: string;
  readonly remedy?: string;
}

/** Returns `error` as a plain object for JSON output: code, message, and subject and remedy if there are any. */
export function errorToJson(error: unknown): ErrorJson {
  if (error instanceof WeighbridgeError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.subject === undefined ? {} : { subject: error.subject }),
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    };
  }
  return { code: 'INTERNAL', message: describeError(error) };
}

/** Returns the error that data of `errorToJson` tells of. */
export function errorFromJson({ code, message, subject, remedy }: ErrorJson): WeighbridgeError {
  return new WeighbridgeError(message, {
    code: code as ErrorCode,
    ...(subject === undefined ? {} : { subject }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** Returns whether an error says that work was interrupted. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof InterruptedError ||
    (error instanceof Error && (error.name === 'AbortError' || error.name === 'InterruptedError'))
  );
}
