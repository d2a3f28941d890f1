/** What makes a signature: a key, or the identity of a CI job. */
export interface StatementSigner {
  /** For people: `key 5f3a…`, `the identity of this job, by https://fulcio.sigstore.dev`. */
  readonly name: string;
  /**
   * Signs a statement and returns a sigstore bundle (v0.3, JSON). `keyHint` replaces the hint in it for verifiers that
   * insist on their own. Throws SigningError.
   */
  sign(payload: Buffer, options?: SignOptions): Promise<Buffer>;
  /** Whether a bundle is this signer's and sound, so that the same statement need not be signed again. */
  isOwn(bundle: Buffer): boolean;
}

export interface SignOptions {
  readonly hint?: 'cosign' | 'model-signing';
  readonly signal?: AbortSignal | undefined;
}
