import { createHash } from 'node:crypto';

/** A content digest as OCI writes it. Only sha256 is produced and accepted. */
export type Digest = `sha256:${string}`;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const SHA256_HEX = /^[0-9a-f]{64}$/;
const SHA1_HEX = /^[0-9a-f]{40}$/;

/** Returns whether a value is `sha256:` with 64 hex digits in lower case. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** Returns whether a value is 64 hex digits in lower case. */
export function isSha256Hex(text: unknown): text is string {
  return typeof text === 'string' && SHA256_HEX.test(text);
}

/** Whether a value is a git object id, which a Hub commit (`revision`) is too. */
export function isGitOid(text: unknown): text is string {
  return typeof text === 'string' && SHA1_HEX.test(text);
}

/** Returns the digest of bytes, or of a text in UTF-8. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Returns `sha256:` with the hex digits behind it, which are not checked. */
export function digestFromHex(hex: string): Digest {
  return `sha256:${hex}`;
}

/** Returns the 64 hex characters of a digest. */
export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
