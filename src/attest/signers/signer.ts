import type { TrustedSigner } from '../verify-bundle.ts';

/** What makes a signature: a key, or the identity of a CI job. */
export interface StatementSigner {
  /** For people: `key 5f3a…`, `the identity of this job, by https://fulcio.sigstore.dev`. */
  readonly name: string;
  /** The key or authority, the same in every run. */
  readonly id: string;
  /** Whose signatures its own are, for those that verify them; absent if nothing says what can be trusted. */
  readonly trusted?: TrustedSigner;
  /** Checks, before any work, that signing is possible. Throws SigningError. Absent if creating the signer shows that already. */
  assertReady?(): Promise<void>;
  /**
   * Signs a statement and returns a sigstore bundle (v0.3, JSON). Throws SigningError.
   */
  sign(payload: Buffer, options?: SignOptions): Promise<Buffer>;
  /** Signs a statement for `model_signing`, always with the same bytes; absent if signatures differ each time. */
  signModel?(payload: Buffer): Buffer;
  /**
   * Whether a bundle has this signer's signature, so that it need not be made again. Throws SigningError for one that
   * cannot be verified.
   */
  isOwn(bundle: Buffer): boolean;
}

interface SignOptions {
  /** How the key is named in the bundle: cosign and model_signing insist on names of their own. */
  readonly hint?: 'cosign' | 'model-signing';
  /** Where the statement goes: `ghcr.io/acme/hf-x`. */
  readonly repository?: string;
  readonly signal?: AbortSignal | undefined;
}
