import { type Digest, isDigest } from '../../core/digest.ts';
import { type Exchange, type Headers, Refusal } from '../server/exchange.ts';
import { problem } from './problem.ts';
import { blobOf, type RegistryState, repositoryFor } from './state.ts';
import { UploadSession } from './upload-session.ts';

/**
 * `POST /v2/<name>/blobs/uploads/`, with `?mount=` and `from=`, or with `?digest=` and the whole blob.
 * Throws the registry's problem for a request that it refuses.
 */
export async function startUpload(state: RegistryState, exchange: Exchange, name: string): Promise<void> {
  if (exchange.method !== 'POST') throw problem(405, 'UNSUPPORTED', 'method not allowed');
  repositoryFor(state, name);
  const { searchParams } = exchange.url;
  if (await mount(state, exchange, name)) return;
  const session = new UploadSession(name, state.blobs, await state.blobs.newSink());
  state.uploads.set(session.id, session);
  state.counters.uploadsStarted += 1;
  const digest = searchParams.get('digest');
  if (digest !== null && !state.quirks.ignoresPostDigest) {
    await receive(state, exchange, session);
    return await commit(state, exchange, session, digest);
  }
  const { minChunkBytes } = state.quirks;
  const minimum = minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': minChunkBytes };
  const status = state.quirks.uploadStatus?.opened ?? 202;
  await exchange.send(status, { ...sessionHeaders(state, exchange, session), ...minimum });
}

/** Answers `/v2/<name>/blobs/uploads/<id>`. Throws the registry's refusal: BLOB_UPLOAD_UNKNOWN, UNSUPPORTED. */
export async function answerUpload(
  state: RegistryState,
  exchange: Exchange,
  name: string,
  id: string,
): Promise<void> {
  const session = state.uploads.get(id);
  if (session === undefined || session.repository !== name) {
    throw problem(404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
  }
  await session.settled();
  checkState(state, exchange, session);
  switch (exchange.method) {
    case 'GET':
      return await exchange.send(204, sessionHeaders(state, exchange, session));
    case 'PATCH':
      return await patch(state, exchange, session);
    case 'PUT':
      return await put(state, exchange, session);
    case 'DELETE':
      if (state.quirks.deleteUploads === false)
        throw problem(405, 'UNSUPPORTED', 'The operation is unsupported.');
      state.uploads.delete(id);
      await session.cancel();
      return await exchange.send(204, {});
    default:
      throw problem(405, 'UNSUPPORTED', 'method not allowed');
  }
}

/** Docker's registry carries what it knows of the session in its `Location`, and an old one is good for nothing. */
function checkState(state: RegistryState, exchange: Exchange, session: UploadSession): void {
  const known = exchange.url.searchParams.get('_state');
  if (!state.quirks.newestLocationOnly || known === session.offset.toString(36)) return;
  throw problem(404, 'BLOB_UPLOAD_INVALID', 'blob upload invalid');
}

async function mount(state: RegistryState, exchange: Exchange, name: string): Promise<boolean> {
  const digest = exchange.url.searchParams.get('mount');
  const from = exchange.url.searchParams.get('from');
  if (!isDigest(digest) || from === null || state.quirks.mount === 'refuse') return false;
  if (state.quirks.mount === 'forbid') throw problem(403, 'DENIED', 'insufficient permissions');
  if (blobOf(state, from, digest) === undefined) return false;
  repositoryFor(state, name).blobs.add(digest);
  state.counters.mounts += 1;
  const location = locationOf(state, exchange, `/v2/${name}/blobs/${digest}`);
  await exchange.send(201, { location, 'docker-content-digest': digest });
  return true;
}

async function patch(state: RegistryState, exchange: Exchange, session: UploadSession): Promise<void> {
  const { quirks } = state;
  const length = exchange.header('content-length');
  const maximum = quirks.patchMaxContentLengthBytes;
  if (maximum !== undefined && length !== undefined && Number(length) > maximum) {
    const limit = `${(maximum / 1024 ** 2).toFixed(2)}MiB`;
    throw problem(
      416,
      'SIZE_INVALID',
      `Content-Length of ${length} exceeds the maximum permissible limit of ${limit}`,
    );
  }
  if (quirks.refusesPatch) throw problem(405, 'UNSUPPORTED', 'method not allowed');
  if (quirks.needsLength && length === undefined) throw problem(411, 'SIZE_INVALID', 'length required');
  if (quirks.singlePatch && session.patches > 0) throw problem(405, 'UNSUPPORTED', 'method not allowed');
  checkRange(state, exchange, session);
  session.patches += 1;
  const before = session.offset;
  const losesHalf = quirks.losesRangedBytes && before > 0 && exchange.header('content-range') !== undefined;
  await receive(state, exchange, session, losesHalf ? Number(length) / 2 : quirks.shortPatchBytes);
  if (losesHalf) session.pretend(Number(length) - (session.offset - before));
  await exchange.send(202, sessionHeaders(state, exchange, session));
  if ((quirks.loseUploads ?? 0) > 0) {
    quirks.loseUploads = (quirks.loseUploads ?? 0) - 1;
    state.uploads.delete(session.id);
    await session.cancel();
  }
}

async function put(state: RegistryState, exchange: Exchange, session: UploadSession): Promise<void> {
  const digest = exchange.url.searchParams.get('digest');
  if (digest === null) throw problem(400, 'DIGEST_INVALID', 'digest parameter missing');
  checkRange(state, exchange, session);
  await receive(state, exchange, session);
  await commit(state, exchange, session, digest);
}

async function receive(
  state: RegistryState,
  exchange: Exchange,
  session: UploadSession,
  maxBytes?: number,
): Promise<void> {
  const before = exchange.log.receivedBytes;
  try {
    await session.append(limited(exchange, state.quirks.maxBodyBytes), maxBytes);
    if (session.offset > (state.quirks.maxBlobBytes ?? Number.POSITIVE_INFINITY))
      throw problem(413, 'SIZE_INVALID', 'the blob is larger than a layer may be');
  } finally {
    state.counters.uploadedBytes += exchange.log.receivedBytes - before;
  }
}

async function* limited(exchange: Exchange, maxBytes = Number.POSITIVE_INFINITY): AsyncGenerator<Buffer> {
  const tooLarge = () =>
    new Refusal(413, { 'content-type': 'text/html' }, '<h1>413 Request Entity Too Large</h1>');
  if (Number(exchange.header('content-length') ?? 0) > maxBytes) throw tooLarge();
  let length = 0;
  for await (const chunk of exchange.body()) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge();
    yield chunk;
  }
}

async function commit(
  state: RegistryState,
  exchange: Exchange,
  session: UploadSession,
  digest: string,
): Promise<void> {
  if (!isDigest(digest)) throw problem(400, 'DIGEST_INVALID', 'invalid digest', { detail: digest });
  const { quirks } = state;
  state.uploads.delete(session.id);
  const blob = await session.finish(digest, quirks.trustsDigests === true);
  if (!(quirks.dropsEmptyBlobs && blob.sizeBytes === 0)) {
    // Bytes that are there already stay, those of the wrong digest excepted: there, the last one wins.
    if (state.blobs.get(digest) === undefined || quirks.trustsDigests) state.blobs.add(blob);
    repositoryFor(state, session.repository).blobs.add(digest);
  }
  const location = locationOf(state, exchange, `/v2/${session.repository}/blobs/${digest}`);
  const status = quirks.uploadStatus?.closed ?? 201;
  await exchange.send(status, { location, 'docker-content-digest': digest as Digest });
}

/** `Content-Range: <start>-<end>`, both inclusive and without a unit, has to go on where the session stands. */
function checkRange(state: RegistryState, exchange: Exchange, session: UploadSession): void {
  const header = exchange.header('content-range');
  if (header === undefined) return;
  const match = /^(\d+)-(\d+)$/.exec(header);
  if (match === null) throw problem(400, 'BLOB_UPLOAD_INVALID', `invalid content range ${header}`);
  const [start, end] = [Number(match[1]), Number(match[2])];
  const headers = sessionHeaders(state, exchange, session);
  if (start !== session.offset || end < start) {
    throw problem(416, 'RANGE_INVALID', 'invalid content range', { headers });
  }
  const length = exchange.header('content-length');
  if (length !== undefined && Number(length) !== end - start + 1) {
    throw problem(400, 'SIZE_INVALID', 'provided length did not match content length');
  }
  const { minChunkBytes = 0 } = state.quirks;
  if (session.lastChunkBytes !== undefined && session.lastChunkBytes < minChunkBytes) {
    throw problem(400, 'SIZE_INVALID', `only the last chunk may be smaller than ${minChunkBytes} bytes`);
  }
  session.lastChunkBytes = end - start + 1;
}

function sessionHeaders(state: RegistryState, exchange: Exchange, session: UploadSession): Headers {
  const path = `/v2/${session.repository}/blobs/uploads/${session.id}?_state=${session.offset.toString(36)}`;
  const elsewhere = state.quirks.uploadsElsewhere === true;
  return {
    location: elsewhere ? `${otherOrigin(exchange)}${path}` : locationOf(state, exchange, path),
    // Docker's registry says 0-0 for nothing and for one byte alike.
    range: `0-${Math.max(0, session.offset - (state.quirks.countsRange ? 0 : 1))}`,
    'docker-upload-uuid': session.id,
  };
}

function locationOf(state: RegistryState, exchange: Exchange, path: string): string {
  return state.quirks.relativeLocations ? path : `${exchange.url.origin}${path}`;
}

/** The same server by another name, which makes it another origin for those who have to tell. */
function otherOrigin({ url }: Exchange): string {
  return `http://localhost:${url.port}`;
}

/** Whether the request has come to where uploads are, with the session's own address for a login. */
export function isElsewhere(state: RegistryState, { url }: Exchange): boolean {
  return state.quirks.uploadsElsewhere === true && url.hostname === 'localhost';
}
