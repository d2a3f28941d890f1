import { type Digest, digestOf, isDigest } from '../../core/digest.ts';
import type { Exchange } from '../server/exchange.ts';
import { objectPath } from './blob-store.ts';
import { problem } from './problem.ts';
import { blobOf, type RegistryState } from './state.ts';

const EMPTY: Digest = digestOf('');

/**
 * Answers `/v2/<name>/blobs/<digest>`. Throws the registry's refusal: DIGEST_INVALID, BLOB_UNKNOWN, UNSUPPORTED,
 * UNKNOWN.
 */
export async function answerBlob(
  state: RegistryState,
  exchange: Exchange,
  name: string,
  digest: string,
): Promise<void> {
  if (!isDigest(digest)) throw problem(400, 'DIGEST_INVALID', 'invalid digest', { detail: digest });
  const blob = blobOf(state, name, digest);
  const { method } = exchange;
  const common = { 'docker-content-digest': digest, 'content-type': 'application/octet-stream' };
  if (method === 'HEAD' && digest === EMPTY && state.quirks.claimsEmptyBlob) {
    return await exchange.send(200, { ...common, 'content-length': 0 });
  }
  if (blob === undefined) throw problem(404, 'BLOB_UNKNOWN', 'blob unknown to registry', { detail: digest });
  if (method === 'DELETE') {
    state.repositories.get(name)?.blobs.delete(digest);
    return await exchange.send(202, {});
  }
  if (method !== 'GET' && method !== 'HEAD') throw problem(405, 'UNSUPPORTED', 'method not allowed');
  if (state.quirks.redirectBlobs) {
    const isExpired = exchange.fault?.kind === 'expire-link';
    const location = state.cdn.link(objectPath(digest), digest.slice('sha256:'.length), isExpired);
    return await exchange.send(307, { ...common, location });
  }
  const { content, sizeBytes } = blob;
  if (method === 'HEAD') {
    return await exchange.send(200, { ...common, 'accept-ranges': 'bytes', 'content-length': sizeBytes });
  }
  if (content === undefined) throw problem(500, 'UNKNOWN', 'this registry only measures: it kept no bytes');
  await exchange.sendContent(content, { ...common, etag: `"${digest}"` });
}
