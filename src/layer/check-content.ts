import { IntegrityError } from '../core/errors.ts';
import { ContentHash, type ExpectedContent } from './content-hash.ts';

/** Throws IntegrityError INTEGRITY_SIZE or INTEGRITY_HASH if the bytes are not those that were promised. */
export function checkContent(content: ExpectedContent, bytes: Uint8Array): void {
  const { path, sizeBytes } = content;
  if (bytes.length !== sizeBytes) {
    throw new IntegrityError(`${path}: expected ${sizeBytes} bytes, got ${bytes.length}`, {
      code: 'INTEGRITY_SIZE',
      subject: path,
    });
  }
  const hash = new ContentHash(content);
  hash.update(bytes);
  hash.finish();
}
