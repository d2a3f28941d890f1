import { createHash } from 'node:crypto';
import { bytesContent, type Content } from '../server/content.ts';
import { type RunningServer, startServer } from '../server/embedded-server.ts';
import { type Exchange, type LogEntry, Refusal } from '../server/exchange.ts';
import type { Faults } from '../server/faults.ts';

/** How the embedded Xet storage answers. */
export interface XetStorageOptions {
  readonly host: string;
  readonly log: LogEntry[];
  readonly faults: Faults;
  /** By the hash that `X-Xet-Hash` named. */
  readonly find: (hash: string) => Content | undefined;
}

const CHUNK_BYTES = 64 * 1024;
const CHUNK_HEADER_BYTES = 8;
const CHUNKS_OF_A_XORB = 256;
const TOKEN = 'xet-token';
const TOKEN_SECONDS = 3600;

/**
 * The storage behind files that the Hub keeps in Xet, as far as reading goes: which chunks of which "xorbs" a file is
 * made of, and those. Chunks have one size here and are stored as they are.
 * https://huggingface.co/docs/xet/download-protocol
 */
export class XetStorage {
  readonly #options: XetStorageOptions;
  #server: RunningServer | undefined;

  constructor(options: XetStorageOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { host, log, faults } = this.#options;
    const handle = (exchange: Exchange) => this.#answer(exchange);
    this.#server = await startServer({ host, port: 0, origin: 'xet', log, faults, handle });
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  /** What the Hub tells those who may read: where this is, and a token for it. */
  async sendReadToken(exchange: Exchange): Promise<void> {
    const casUrl = this.#server?.url ?? '';
    const exp = Math.floor(Date.now() / 1000) + TOKEN_SECONDS;
    const headers = {
      'x-xet-cas-url': casUrl,
      'x-xet-access-token': TOKEN,
      'x-xet-token-expiration': String(exp),
    };
    await exchange.sendJson(200, { accessToken: TOKEN, casUrl, exp }, headers);
  }

  async #answer(exchange: Exchange): Promise<void> {
    const [, version, kind, hash = '', index = ''] = exchange.url.pathname.split('/');
    const content = this.#options.find(hash);
    if (content === undefined) throw new Refusal(404, {}, 'no such file');
    if (version === 'v1' && kind === 'reconstructions') {
      if (exchange.header('authorization') !== `Bearer ${TOKEN}`) throw new Refusal(401, {}, 'no token');
      return await sendReconstruction(exchange, hash, content);
    }
    if (version === 'v1' && kind === 'xorbs') {
      return await exchange.sendContent(bytesContent(await xorb(content, Number(index))), {});
    }
    throw new Refusal(404, {}, 'not a page of the Xet storage');
  }
}

/** Which chunks the bytes that `Range` asks for are in. */
async function sendReconstruction(exchange: Exchange, hash: string, { sizeBytes }: Content): Promise<void> {
  const [, from = '0', to = String(sizeBytes - 1)] =
    /^bytes=(\d+)-(\d+)$/.exec(exchange.header('range') ?? '') ?? [];
  if (Number(from) >= sizeBytes) throw new Refusal(416, {}, 'behind the end of the file');
  const firstChunk = Math.floor(Number(from) / CHUNK_BYTES);
  const endChunk = Math.ceil((Math.min(Number(to), sizeBytes - 1) + 1) / CHUNK_BYTES);
  const terms = [];
  const fetchInfo: Record<string, unknown[]> = {};
  for (let chunk = firstChunk; chunk < endChunk; ) {
    const index = Math.floor(chunk / CHUNKS_OF_A_XORB);
    const base = index * CHUNKS_OF_A_XORB;
    const range = { start: chunk - base, end: Math.min(endChunk - base, CHUNKS_OF_A_XORB) };
    const name = createHash('sha256').update(`${hash}/${index}`).digest('hex');
    const unpacked = (count: number) => Math.min(count * CHUNK_BYTES, sizeBytes);
    terms.push({
      hash: name,
      unpacked_length: unpacked(base + range.end) - unpacked(base + range.start),
      range,
    });
    const packed = (count: number) => unpacked(base + count) - unpacked(base) + count * CHUNK_HEADER_BYTES;
    fetchInfo[name] = [
      {
        range,
        url: new URL(`/v1/xorbs/${hash}/${index}`, exchange.url).href,
        url_range: { start: packed(range.start), end: packed(range.end) - 1 },
      },
    ];
    chunk = base + range.end;
  }
  await exchange.sendJson(200, {
    offset_into_first_range: Number(from) - firstChunk * CHUNK_BYTES,
    terms,
    fetch_info: fetchInfo,
  });
}

/** The chunks of one window of the file, each behind its header: version, two sizes of three bytes, no compression. */
async function xorb(content: Content, index: number): Promise<Buffer> {
  const from = index * CHUNKS_OF_A_XORB * CHUNK_BYTES;
  const to = Math.min(from + CHUNKS_OF_A_XORB * CHUNK_BYTES, content.sizeBytes);
  const pieces: Buffer[] = [];
  for await (const piece of content.read(from, to)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const chunk = bytes.subarray(start, start + CHUNK_BYTES);
    const header = Buffer.alloc(CHUNK_HEADER_BYTES);
    header.writeUIntLE(chunk.length, 1, 3);
    header.writeUIntLE(chunk.length, 5, 3);
    parts.push(header, chunk);
  }
  return Buffer.concat(parts);
}
