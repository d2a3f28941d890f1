/**
 * A registry that checks the digest of what it is sent and forgets large blobs: the cheapest honest target there is.
 * Runs as a process of its own, so that its CPU time is not ours: `node bench/sink.ts [--cert <file> --key <file>]`.
 * Prints one line of JSON with its address when it is ready; `GET /counters` gives what came in.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

/** Blobs up to this size are kept, to be read again: configs and small layers. */
const KEPT_BYTES = 1024 * 1024;

interface Blob {
  readonly sizeBytes: number;
  readonly bytes?: Buffer;
}

interface Session {
  readonly hash: Hash;
  sizeBytes: number;
  kept: Buffer[];
}

const blobs = new Map<string, Blob>();
const manifests = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
const sessions = new Map<string, Session>();
const counters = { uploadedBytes: 0, requests: 0 };

function handle(request: IncomingMessage, response: ServerResponse): void {
  counters.requests += 1;
  const url = new URL(request.url ?? '/', 'http://sink');
  const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(url.pathname);
  const blob = /^\/v2\/.+\/blobs\/(sha256:[0-9a-f]{64})$/.exec(url.pathname);
  const manifest = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(url.pathname);
  const tags = /^\/v2\/(.+)\/tags\/list$/.exec(url.pathname);
  if (url.pathname === '/counters') end(response, 200, {}, JSON.stringify(counters));
  else if (url.pathname === '/v2/') end(response, 200);
  else if (upload !== null) handleUpload(request, response, upload[1] ?? '', upload[2] ?? '', url);
  else if (blob !== null) giveBlob(request, response, blob[1] ?? '');
  else if (manifest !== null) handleManifest(request, response, manifest[1] ?? '', manifest[2] ?? '');
  else if (tags !== null) listTags(response, tags[1] ?? '');
  else end(response, 404);
}

function handleUpload(
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  id: string,
  url: URL,
): void {
  const session = sessions.get(id);
  const location = `/v2/${repository}/blobs/uploads/${id}`;
  if (request.method === 'POST') {
    const mount = url.searchParams.get('mount');
    if (mount !== null && blobs.has(mount)) {
      end(response, 201, { 'docker-content-digest': mount });
      return;
    }
    const fresh = randomUUID();
    sessions.set(fresh, { hash: createHash('sha256'), sizeBytes: 0, kept: [] });
    end(response, 202, { location: `/v2/${repository}/blobs/uploads/${fresh}`, range: '0-0' });
    return;
  }
  if (session === undefined) {
    end(response, 404);
    return;
  }
  if (request.method === 'GET') {
    end(response, 204, { location, range: `0-${Math.max(0, session.sizeBytes - 1)}` });
    return;
  }
  if (request.method === 'DELETE') {
    sessions.delete(id);
    end(response, 204);
    return;
  }
  request.on('data', (chunk: Buffer) => take(session, chunk));
  request.on('end', () => {
    if (request.method === 'PATCH') {
      end(response, 202, { location, range: `0-${session.sizeBytes - 1}` });
      return;
    }
    sessions.delete(id);
    const digest = `sha256:${session.hash.digest('hex')}`;
    if (digest !== url.searchParams.get('digest')) {
      end(response, 400, {}, 'digest invalid');
      return;
    }
    const { sizeBytes, kept } = session;
    blobs.set(digest, sizeBytes <= KEPT_BYTES ? { sizeBytes, bytes: Buffer.concat(kept) } : { sizeBytes });
    end(response, 201, { 'docker-content-digest': digest });
  });
}

function take(session: Session, chunk: Buffer): void {
  session.hash.update(chunk);
  session.sizeBytes += chunk.length;
  counters.uploadedBytes += chunk.length;
  if (session.sizeBytes <= KEPT_BYTES) session.kept.push(Buffer.from(chunk));
  else session.kept = [];
}

function giveBlob(request: IncomingMessage, response: ServerResponse, digest: string): void {
  const blob = blobs.get(digest);
  if (blob === undefined) {
    end(response, 404);
    return;
  }
  if (request.method === 'HEAD') {
    end(response, 200, { 'content-length': String(blob.sizeBytes) });
    return;
  }
  if (blob.bytes === undefined) {
    end(response, 410);
    return;
  }
  end(response, 200, {}, blob.bytes);
}

function handleManifest(
  request: IncomingMessage,
  response: ServerResponse,
  repository: string,
  reference: string,
): void {
  if (request.method === 'PUT') {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      const type = request.headers['content-type'] ?? '';
      for (const name of [reference, digest]) manifests.set(`${repository}:${name}`, { type, bytes });
      counters.uploadedBytes += bytes.length;
      end(response, 201, { 'docker-content-digest': digest });
    });
    return;
  }
  const found = manifests.get(`${repository}:${reference}`);
  if (found === undefined) {
    end(response, 404);
    return;
  }
  end(response, 200, { 'content-type': found.type }, found.bytes);
}

function listTags(response: ServerResponse, repository: string): void {
  const prefix = `${repository}:`;
  const names = [...manifests.keys()]
    .filter(key => key.startsWith(prefix))
    .map(key => key.slice(prefix.length));
  const tags = names.filter(name => !name.startsWith('sha256:'));
  end(response, 200, {}, JSON.stringify({ name: repository, tags }));
}

function end(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body?: Buffer | string,
): void {
  response.writeHead(
    status,
    body === undefined && status !== 204 ? { 'content-length': '0', ...headers } : headers,
  );
  response.end(body);
}

const { values } = parseArgs({ options: { cert: { type: 'string' }, key: { type: 'string' } } });
const isTls = values.cert !== undefined && values.key !== undefined;
const server = isTls
  ? https.createServer({ cert: readFileSync(values.cert ?? ''), key: readFileSync(values.key ?? '') }, handle)
  : http.createServer(handle);
// TLS is spoken at the machine's own address, because loopback names are spoken to without.
server.listen(0, isTls ? '0.0.0.0' : '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});
