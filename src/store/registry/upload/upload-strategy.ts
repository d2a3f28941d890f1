import type { Digest } from '../../../core/digest.ts';
import { RegistryError } from '../../../core/errors.ts';
import type { HttpResponse } from '../../../http/types.ts';
import type { RegistryClient } from '../registry-client.ts';
import type { RegistryCapabilities } from './registry-capabilities.ts';

/** Where a blob goes, and what is known of how it may get there. */
export interface UploadTarget {
  readonly client: RegistryClient;
  readonly capabilities: RegistryCapabilities;
  /** For people: `ghcr.io/acme/hf-x`. */
  readonly name: string;
  readonly repository: string;
  readonly scope: string;
  readonly sizeBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One way of bringing a blob's bytes, in order, into an upload that is open. It notes in the capabilities what the registry
 * will not have, and throws; what to do then is decided by who has chosen it.
 */
export interface UploadStrategy {
  readonly name: 'streamed' | 'chunked' | 'monolithic' | 'two-pass';
  /** Whether the registry would not have it in this form, which says nothing of the connection. */
  readonly isRefused?: boolean;
  /** Bytes handed over, counted from the blob's first. */
  readonly offset: number;
  /** As `BlobUpload.write`. */
  write(chunk: Uint8Array, onTaken?: () => void): Promise<void> | undefined;
  /** Ends the upload as a blob of this digest; the registry has it then, as far as it says. */
  finish(digest: Digest): Promise<void>;
  /** Breaks off what is under way. */
  destroy(): void;
}

/** Statuses that speak against the form of a request, whatever was in it. */
const NOT_THIS_WAY: ReadonlySet<number> = new Set([405, 411, 413, 415, 416, 501]);

/** Returns whether a status is about the form of an upload, so that another one may work. */
export function isAgainstForm({ status }: HttpResponse): boolean {
  return NOT_THIS_WAY.has(status);
}

/** Returns the error for a registry that reports success before it has been given everything. */
export function answeredEarly({ name }: UploadTarget): RegistryError {
  return new RegistryError(`${name} answered before it had the whole blob`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject: name,
  });
}
