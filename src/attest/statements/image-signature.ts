import { type Statement, statementAbout } from '../statement.ts';
import type { ImageSubject } from '../types.ts';

/** Returns the statement that `cosign verify` looks for: this image, and nothing more. */
export function imageSignature({ descriptor }: ImageSubject): Statement {
  return statementAbout(descriptor.digest, 'image', {});
}
