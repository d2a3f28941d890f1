import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImageStore } from '../store/image-store.ts';
import type { ImageView } from './image-view.ts';

/** A view of an image that a scanner on this machine can pull, without a copy of it on a disk. */
export interface ServedView {
  /** `127.0.0.1:40123/<random>@sha256:…`, for those who know it. */
  readonly reference: string;
  /** Of layers, read from the store so far. */
  readonly bytesRead: number;
  /** What went wrong behind the scanner's back; it only sees a broken connection. */
  readonly failure: unknown;
  close(): Promise<void>;
}

/**
 * Serves a view as a registry on a loopback port and returns the server. Layers are passed on from `store` as they are
 * requested, with its login: the scanner needs none, and nothing is written to disk.
 */
export async function serveView(
  view: ImageView,
  store: ImageStore,
  signal?: AbortSignal,
): Promise<ServedView> {
  // The port is open to everybody on this machine, the name is not known to them.
  const name = `view-${randomBytes(16).toString('hex')}`;
  const state = { bytesRead: 0, failure: undefined as unknown };
  const server = createServer((request, response) => {
    answer(request, response).catch(error => {
      state.failure ??= error;
      response.destroy();
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const isHead = request.method === 'HEAD';
    if (request.method !== 'GET' && !isHead) return end(response, 405);
    if (path === '/v2/') return end(response, 200, 'application/json', Buffer.from('{}'), isHead);
    const [, kind, reference] = new RegExp(`^/v2/${name}/(manifests|blobs)/(.+)$`).exec(path) ?? [];
    const document = kind === 'manifests' ? view.manifest : view.config;
    const { digest, mediaType } = document.descriptor;
    if (kind !== undefined && reference === digest) {
      response.setHeader('docker-content-digest', digest);
      return end(response, 200, mediaType, document.bytes, isHead);
    }
    const layer = kind === 'blobs' ? view.layers.find(one => one.digest === reference) : undefined;
    if (layer === undefined) return end(response, 404);
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': layer.size,
      'docker-content-digest': layer.digest,
    });
    if (isHead) return void response.end();
    const source = Readable.from(counted(store.openBlob(layer).open({ start: 0, signal })));
    await pipeline(source, response).catch(error => {
      // A scanner that has seen enough hangs up.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    });
  }

  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      state.bytesRead += chunk.length;
      yield chunk;
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    reference: `127.0.0.1:${port}/${name}@${view.manifest.descriptor.digest}`,
    get bytesRead() {
      return state.bytesRead;
    },
    get failure() {
      return state.failure;
    },
    async close() {
      const closed = new Promise(resolve => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function end(response: ServerResponse, status: number, type?: string, body?: Buffer, isHead = false): void {
  response.writeHead(status, {
    'content-length': body?.length ?? 0,
    ...(type === undefined ? {} : { 'content-type': type }),
  });
  response.end(isHead ? undefined : body);
}
