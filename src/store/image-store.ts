import type { ByteSource } from '../core/byte-source.ts';
import type { Digest } from '../core/digest.ts';
import type { RetryPolicy } from '../http/retry.ts';
import type { Descriptor } from '../oci/types.ts';

/** Strangers can attach as much as they like to an image: of more, the rest is not looked at. */
export const MAX_REFERRERS = 10_000;

/**
 * A place that images are kept in: one repository of a registry, an OCI image layout, an archive.
 * Every method throws RegistryError (code, subject = `name`, remedy) if it cannot do its work.
 */
export interface ImageStore {
  /** For people and as error subject: `ghcr.io/acme/hf-x`, `oci:out`. */
  readonly name: string;
  /** How another thread opens the same store; undefined for one that is kept in files of this machine. */
  readonly remote?: RemoteRepository;
  /** How often and how long what fails on the way to it is tried again. */
  readonly retry?: RetryPolicy;
  /** Size of a blob that is there, undefined if it is not. */
  statBlob(digest: Digest, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Makes a blob of `from` (another store's `name`) appear here without moving it. False if this store cannot,
   * or does not want to.
   */
  mountBlob(descriptor: Descriptor, from: string, signal?: AbortSignal): Promise<boolean>;
  /** The bytes of a blob that is there, ranged. They are not verified: that is the reader's. */
  openBlob(descriptor: Descriptor): ByteSource;
  /** Starts a blob whose size is known and whose digest may not be. */
  startUpload(options: UploadOptions): Promise<BlobUpload>;
  /** A manifest by tag or digest, undefined if it is not there. Bytes are verified against a digest reference. */
  getManifest(reference: string, signal?: AbortSignal): Promise<StoredManifest | undefined>;
  /** The digest a tag names now, without the manifest's bytes; undefined if there is no such tag. */
  resolveTag(tag: string, signal?: AbortSignal): Promise<Digest | undefined>;
  /** `reference` is a tag or the digest of `manifest.bytes`. */
  putManifest(reference: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void>;
  /** Existing tags, at most `limit`, in no particular order; empty for a repository that does not exist. */
  listTags(limit: number, signal?: AbortSignal): Promise<string[]>;
  /**
   * The manifests whose `subject` is this one, where the store keeps that list itself; undefined if it does not. A list
   * of MAX_REFERRERS may have been cut.
   * `referrers.ts` is for callers: it knows what clients do in that case.
   */
  fetchReferrers(subject: Digest, signal?: AbortSignal): Promise<readonly Descriptor[] | undefined>;
  /**
   * Deletes a manifest and the tags that name it; blobs go when the store collects garbage. Returns false if it is not
   * there. Absent if the store deletes nothing. Throws RegistryError REGISTRY_NO_DELETE if its settings forbid it.
   */
  deleteManifest?(digest: Digest, signal?: AbortSignal): Promise<boolean>;
}

/** A registry's repository, as data. */
export interface RemoteRepository {
  /** `ghcr.io/acme/hf-x` */
  readonly name: string;
  readonly access: 'pull' | 'push' | 'delete';
  /** How its registry is spoken to where that is not as usual. */
  readonly connection?: { readonly isPlainHttp?: boolean; readonly ca?: string };
}

/** What is known of a blob before its upload. */
export interface UploadOptions {
  readonly sizeBytes: number;
  /** Where it is known beforehand (a copied blob). */
  readonly digest?: Digest;
  readonly signal?: AbortSignal | undefined;
}

/** A manifest as it is stored, with its digest. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Buffer;
}

/**
 * One blob on its way into a store. Bytes are written in order from `offset`. After a failure of `write` or `commit`,
 * `resume` asks the store how much it has; nothing exists under the digest until `commit` has succeeded.
 */
export interface BlobUpload {
  /** How many bytes have been handed over; the next `write` continues there. */
  readonly offset: number;
  /**
   * A promise is given only if the caller should wait. The bytes must not change until `onTaken` is called, which
   * a store does once it needs them no more; one that never calls it keeps them for good.
   */
  write(chunk: Uint8Array, onTaken?: () => void): Promise<void> | undefined;
  /** Ends the blob; the store checks the digest. */
  commit(digest: Digest): Promise<void>;
  /** After a failure: the offset to go on from, 0 where the store has lost the upload and a new one was begun. */
  resume(): Promise<number>;
  /** Abandons the upload and frees what it holds; never throws. */
  abort(): Promise<void>;
}
