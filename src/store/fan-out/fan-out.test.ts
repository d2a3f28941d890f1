import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ByteSource, bytesSource } from '../../core/byte-source.ts';
import { type Digest, digestOf } from '../../core/digest.ts';
import { HubError, IntegrityError, RegistryError } from '../../core/errors.ts';
import { DEFAULT_RETRY } from '../../http/retry.ts';
import type { BlobUpload, ImageStore, UploadOptions } from '../image-store.ts';
import { CopyHasher, fanOut } from './fan-out.ts';

const AT_ONCE = { ...DEFAULT_RETRY, baseMs: 0 };
const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7) % 251));

/** A source that hands out small chunks and counts how often and from where it was opened. */
function source(content: Buffer = CONTENT): ByteSource & { readonly opened: number[] } {
  const opened: number[] = [];
  return {
    name: 'blob',
    sizeBytes: content.length,
    opened,
    async *open({ start }) {
      opened.push(start);
      for (let at = start; at < content.length; at += 512)
        yield content.subarray(at, Math.min(at + 512, content.length));
    },
  };
}

interface Fault {
  /** Breaks once this many bytes have come. */
  readonly afterBytes: number;
  readonly error: unknown;
  /** What the store says it has kept when it is asked. */
  readonly keptBytes: number;
}

/** A store that keeps what it gets, with the faults asked for, in their order. */
class FakeStore implements Pick<ImageStore, 'name' | 'startUpload'> {
  readonly name: string;
  readonly blobs = new Map<Digest, Buffer>();
  aborts = 0;
  readonly #faults: Fault[];

  constructor(name: string, faults: Fault[] = []) {
    this.name = name;
    this.#faults = faults;
  }

  async startUpload({ sizeBytes }: UploadOptions): Promise<BlobUpload> {
    const held: Buffer[] = [];
    const store = this;
    let broken: Fault | undefined;
    const length = (): number => held.reduce((sum, part) => sum + part.length, 0);
    return {
      get offset() {
        return length();
      },
      write(chunk) {
        const fault = store.#faults[0];
        if (fault !== undefined && length() + chunk.length > fault.afterBytes) {
          broken = store.#faults.shift();
          return Promise.reject(fault.error);
        }
        held.push(Buffer.from(chunk));
        return undefined;
      },
      async commit(digest) {
        const bytes = Buffer.concat(held);
        assert.equal(bytes.length, sizeBytes);
        if (digestOf(bytes) !== digest) throw new IntegrityError('wrong digest', { code: 'INTEGRITY_HASH' });
        store.blobs.set(digest, bytes);
      },
      async resume() {
        const kept = Buffer.concat(held).subarray(0, broken?.keptBytes ?? 0);
        held.splice(0, held.length, ...(kept.length > 0 ? [kept] : []));
        return kept.length;
      },
      async abort() {
        store.aborts += 1;
      },
    };
  }
}

const asStores = (...stores: FakeStore[]): ImageStore[] => stores as unknown as ImageStore[];
const down = new RegistryError('down', { code: 'REGISTRY_UNREACHABLE' });
const refused = new RegistryError('refused', { code: 'REGISTRY_UNAUTHORIZED' });

test('one read feeds all stores', async () => {
  const from = source();
  const [a, b] = [new FakeStore('a'), new FakeStore('b')];
  const result = await fanOut({ source: from, hasher: new CopyHasher(), stores: asStores(a, b) });
  assert.equal(result.digest, digestOf(CONTENT));
  assert.equal(result.readBytes, CONTENT.length);
  assert.deepEqual(from.opened, [0]);
  assert.deepEqual(a.blobs.get(digestOf(CONTENT)), CONTENT);
  assert.deepEqual(b.blobs.get(digestOf(CONTENT)), CONTENT);
});

test('a store that breaks goes on from where it says it stands; the other does not wait', async () => {
  const from = source();
  const a = new FakeStore('a', [{ afterBytes: 2000, error: down, keptBytes: 1024 }]);
  const b = new FakeStore('b');
  const result = await fanOut({ source: from, hasher: new CopyHasher(), stores: asStores(a, b) });
  assert.equal(result.failures.size, 0);
  assert.deepEqual(from.opened, [0, 1024]);
  assert.equal(result.readBytes, CONTENT.length * 2 - 1024);
  assert.deepEqual(a.blobs.get(digestOf(CONTENT)), CONTENT);
});

test('a store that takes nothing holds the others back only for a while, and gets its bytes afterwards', async () => {
  const [stuck, quick] = [new FakeStore('stuck'), new FakeStore('quick')];
  const start = stuck.startUpload.bind(stuck);
  let isStuck = true;
  stuck.startUpload = async options => {
    const upload = await start(options);
    const { write } = upload;
    upload.write = chunk => (isStuck ? new Promise<void>(() => undefined) : write.call(upload, chunk));
    return upload;
  };
  const order: string[] = [];
  for (const store of [stuck, quick]) {
    const set = store.blobs.set.bind(store.blobs);
    store.blobs.set = (digest, bytes) => {
      order.push(store.name);
      return set(digest, bytes);
    };
  }
  const result = await fanOut({
    source: source(),
    hasher: new CopyHasher(),
    stores: asStores(stuck, quick),
    retry: AT_ONCE,
    stallTimeoutMs: 20,
    onRetry: () => {
      isStuck = false;
    },
  });
  assert.equal(result.failures.size, 0);
  assert.deepEqual(order, ['quick', 'stuck']);
  assert.deepEqual(stuck.blobs.get(digestOf(CONTENT)), CONTENT);
});

test('a refused login is not tried again and does not touch the other store', async () => {
  const a = new FakeStore('a', [{ afterBytes: 0, error: refused, keptBytes: 0 }]);
  const b = new FakeStore('b');
  const stores = asStores(a, b);
  const result = await fanOut({ source: source(), hasher: new CopyHasher(), stores });
  assert.deepEqual([...result.failures], [[stores[0], refused]]);
  assert.equal(a.aborts, 1);
  assert.ok(b.blobs.has(digestOf(CONTENT)));
});

test('with every store gone, reading stops', async () => {
  const from = source();
  const a = new FakeStore('a', [{ afterBytes: 600, error: refused, keptBytes: 0 }]);
  const result = await fanOut({ source: from, hasher: new CopyHasher(), stores: asStores(a) });
  assert.equal(result.digest, undefined);
  assert.equal(result.failures.size, 1);
  assert.ok(result.readBytes < CONTENT.length);
});

test('wrong bytes are noticed before anything is committed', async () => {
  const a = new FakeStore('a');
  const digest = digestOf('something else');
  const promise = fanOut({ source: source(), hasher: new CopyHasher(), stores: asStores(a), digest });
  await assert.rejects(promise, (error: unknown) => error instanceof IntegrityError);
  assert.equal(a.blobs.size, 0);
  assert.equal(a.aborts, 1);
});

test('a source that fails ends the transfer and leaves nothing behind', async () => {
  const a = new FakeStore('a');
  const failing: ByteSource = {
    ...source(),
    async *open() {
      yield CONTENT.subarray(0, 100);
      throw new HubError('gone', { code: 'HUB_UNREACHABLE' });
    },
  };
  await assert.rejects(fanOut({ source: failing, hasher: new CopyHasher(), stores: asStores(a) }), HubError);
  assert.equal(a.blobs.size, 0);
  assert.equal(a.aborts, 1);
});

test('an empty blob is a blob', async () => {
  const a = new FakeStore('a');
  await fanOut({
    source: bytesSource('empty', Buffer.alloc(0)),
    hasher: new CopyHasher(),
    stores: asStores(a),
  });
  assert.ok(a.blobs.has(digestOf('')));
});

test('whatever breaks where, what is committed is what the source has', async () => {
  const fault = fc.record({ afterBytes: fc.nat(6000), keptBytes: fc.nat(6000) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 2 }),
      fc.array(fault, { maxLength: 2 }),
      async (forA, forB) => {
        const make = (name: string, faults: { afterBytes: number; keptBytes: number }[]): FakeStore =>
          new FakeStore(
            name,
            faults.map(({ afterBytes, keptBytes }) => ({
              afterBytes,
              error: down,
              keptBytes: Math.min(keptBytes, afterBytes),
            })),
          );
        const [a, b] = [make('a', forA), make('b', forB)];
        const result = await fanOut({
          source: source(),
          hasher: new CopyHasher(),
          stores: asStores(a, b),
          retry: AT_ONCE,
        });
        assert.equal(result.failures.size, 0);
        for (const store of [a, b]) assert.deepEqual(store.blobs.get(digestOf(CONTENT)), CONTENT);
      },
    ),
    { numRuns: 200 },
  );
});
