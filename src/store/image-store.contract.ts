import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAll } from '../core/byte-source.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { RegistryError, WeighbridgeError } from '../core/errors.ts';
import { type Descriptor, MediaType } from '../oci/types.ts';
import type { BlobUpload, ImageStore, StoredManifest } from './image-store.ts';
import { addReferrers, listReferrers } from './referrers.ts';

export interface ContractStore {
  /** Empty, and used by nothing else. */
  readonly store: ImageStore;
  /** Called after the test, whatever its outcome. */
  readonly close?: () => Promise<void>;
}

export interface ContractOptions {
  /** Cases that an implementation cannot hold, each with the reason. */
  readonly skips?: Partial<Record<ContractCase, string>>;
}

export type ContractCase = keyof typeof CASES;

/** What every ImageStore has to do; each implementation runs it from a test of its own. */
export function imageStoreContract(
  name: string,
  makeStore: () => Promise<ContractStore>,
  options: ContractOptions = {},
): void {
  describe(`${name} is an ImageStore`, () => {
    for (const [title, run] of Object.entries(CASES)) {
      test(title, { skip: options.skips?.[title as ContractCase] ?? false }, async () => {
        const { store, close } = await makeStore();
        try {
          await run(store);
        } finally {
          await close?.();
        }
      });
    }
  });
}

const CASES = {
  'a blob of a known digest arrives': async store => {
    const bytes = someBytes(300_000);
    await putBlob(store, bytes, { digest: digestOf(bytes) });
    assert.equal(await store.statBlob(digestOf(bytes)), bytes.length);
    assert.deepEqual(await readBack(store, bytes), bytes);
  },

  'a blob whose digest is only known at its end arrives': async store => {
    const bytes = someBytes(3_000_001);
    await putBlob(store, bytes);
    assert.deepEqual(await readBack(store, bytes), bytes);
  },

  'a blob of no bytes arrives': async store => {
    const bytes = Buffer.alloc(0);
    await putBlob(store, bytes, { digest: digestOf(bytes) });
    assert.equal(await store.statBlob(digestOf(bytes)), 0);
    assert.deepEqual(await readBack(store, bytes), bytes);
  },

  'a blob that is there already can be put again': async store => {
    const bytes = someBytes(1000);
    await putBlob(store, bytes);
    await putBlob(store, bytes);
    assert.deepEqual(await readBack(store, bytes), bytes);
  },

  'two blobs at once both arrive': async store => {
    const blobs = [someBytes(200_000, 1), someBytes(200_000, 2)];
    await Promise.all(blobs.map(bytes => putBlob(store, bytes)));
    for (const bytes of blobs) assert.deepEqual(await readBack(store, bytes), bytes);
  },

  'a wrong digest is refused, and nothing is there': async store => {
    const bytes = someBytes(1000);
    const wrong = digestOf('something else');
    await assert.rejects(
      putBlob(store, bytes, {}, upload => upload.commit(wrong)),
      WeighbridgeError,
    );
    assert.equal(await store.statBlob(wrong), undefined);
    assert.equal(await store.statBlob(digestOf(bytes)), undefined);
  },

  'a blob with a byte missing is refused': async store => {
    const bytes = someBytes(1000);
    await assert.rejects(putBlob(store, bytes, { sizeBytes: 1001 }), WeighbridgeError);
    assert.equal(await store.statBlob(digestOf(bytes)), undefined);
  },

  'an upload given up leaves nothing, and the next one works': async store => {
    const bytes = someBytes(1000);
    const upload = await store.startUpload({ sizeBytes: bytes.length });
    await upload.write(bytes.subarray(0, 400));
    await upload.abort();
    await upload.abort();
    assert.equal(await store.statBlob(digestOf(bytes)), undefined);
    await putBlob(store, bytes);
    assert.deepEqual(await readBack(store, bytes), bytes);
  },

  'an upload goes on from where the store says': async store => {
    const bytes = someBytes(500_000);
    const upload = await store.startUpload({ sizeBytes: bytes.length });
    try {
      await upload.write(bytes.subarray(0, 200_000));
      const offset = await upload.resume();
      assert.ok(offset >= 0 && offset <= 200_000, `${offset}`);
      assert.equal(upload.offset, offset);
      await upload.write(bytes.subarray(offset));
      assert.equal(upload.offset, bytes.length);
      await upload.commit(digestOf(bytes));
    } finally {
      await upload.abort();
    }
    assert.deepEqual(await readBack(store, bytes), bytes);
  },

  'a blob can be read from any byte on': async store => {
    const bytes = someBytes(100_000);
    await putBlob(store, bytes);
    for (const start of [0, 1, 99_999, 100_000]) {
      assert.deepEqual(await readBack(store, bytes, start), bytes.subarray(start), `from ${start}`);
    }
  },

  'what is not there is undefined, and reading it fails': async store => {
    const nothing = someBytes(10, 9);
    assert.equal(await store.statBlob(digestOf(nothing)), undefined);
    assert.equal(await store.getManifest('nothing'), undefined);
    assert.equal(await store.getManifest(digestOf(nothing)), undefined);
    assert.equal(await store.resolveTag('nothing'), undefined);
    await assert.rejects(readBack(store, nothing), RegistryError);
  },

  'a mount from a store it does not know is declined': async store => {
    assert.equal(await store.mountBlob(descriptorOf(someBytes(10, 8)), 'elsewhere:nothing'), false);
  },

  'a manifest comes back byte for byte, by digest and by tag': async store => {
    const manifest = await putImage(store, 1);
    await store.putManifest(manifest.digest, manifest);
    assert.deepEqual(await store.getManifest(manifest.digest), manifest);
    assert.deepEqual(await store.listTags(10), []);
    await store.putManifest('v1', manifest);
    assert.deepEqual(await store.getManifest('v1'), manifest);
    assert.equal(await store.resolveTag('v1'), manifest.digest);
  },

  'a tag moves, and the image it named before stays': async store => {
    const [first, second] = [await putImage(store, 1), await putImage(store, 2)];
    await store.putManifest('v1', first);
    await store.putManifest('v1', second);
    assert.equal(await store.resolveTag('v1'), second.digest);
    assert.deepEqual(await store.getManifest(first.digest), first);
    assert.deepEqual(await store.listTags(10), ['v1']);
  },

  'tags are listed up to a limit, and an empty store has none': async store => {
    assert.deepEqual(await store.listTags(10), []);
    const manifest = await putImage(store, 1);
    const tags = ['a', 'b', 'C.d_e-f'];
    await Promise.all(tags.map(tag => store.putManifest(tag, manifest)));
    assert.deepEqual((await store.listTags(10)).sort(), [...tags].sort());
    assert.equal((await store.listTags(2)).length, 2);
  },

  'a manifest under the digest of another is refused': async store => {
    const manifest = await putImage(store, 1);
    const wrong = digestOf('something else');
    await assert.rejects(store.putManifest(wrong, manifest), WeighbridgeError);
    assert.equal(await store.getManifest(wrong), undefined);
  },

  'a manifest of blobs that are not there is refused': async store => {
    const manifest = imageOf(descriptorOf(someBytes(10, 1)), descriptorOf(someBytes(10, 2)));
    await assert.rejects(store.putManifest('v1', manifest), RegistryError);
    assert.equal(await store.resolveTag('v1'), undefined);
  },

  'what refers to a manifest is found, by type, and an older edition gives way': async store => {
    const image = await putImage(store, 1);
    assert.deepEqual(await listReferrers(store, image.digest), []);
    const [scan, newer, signature] = [
      await putReferrer(store, image, 'a/scan', 1),
      await putReferrer(store, image, 'a/scan', 2),
      await putReferrer(store, image, 'a/signature', 3),
    ];
    await Promise.all([scan, signature].map(one => addReferrers(store, image.digest, [one])));
    const digests = (await listReferrers(store, image.digest)).map(one => one.digest);
    assert.deepEqual(
      new Set(digests.filter(digest => digest !== newer.digest)),
      new Set([scan.digest, signature.digest]),
    );
    await addReferrers(store, image.digest, [newer], { replaces: [scan.digest] });
    await addReferrers(store, image.digest, [newer]);
    const scans = await listReferrers(store, image.digest, { artifactType: 'a/scan' });
    assert.ok(scans.some(one => one.digest === newer.digest && one.annotations?.edition === '2'));
    const one = await store.getManifest(newer.digest);
    assert.equal(one?.digest, newer.digest);
  },
} satisfies Record<string, (store: ImageStore) => Promise<void>>;

async function putBlob(
  store: ImageStore,
  bytes: Buffer,
  options: { digest?: Digest; sizeBytes?: number } = {},
  commit = (upload: BlobUpload) => upload.commit(digestOf(bytes)),
): Promise<void> {
  const upload = await store.startUpload({ sizeBytes: bytes.length, ...options });
  try {
    for (let start = 0; start < bytes.length; start += 70_000) {
      await upload.write(bytes.subarray(start, start + 70_000));
    }
    await commit(upload);
  } finally {
    await upload.abort();
  }
}

async function readBack(store: ImageStore, bytes: Buffer, start = 0): Promise<Buffer> {
  const source = store.openBlob(descriptorOf(bytes));
  assert.equal(source.sizeBytes, bytes.length);
  if (start === 0) return await readAll(source, bytes.length);
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.open({ start })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Puts a config and a layer, and gives the manifest that joins them. */
async function putImage(store: ImageStore, seed: number): Promise<StoredManifest> {
  const layer = someBytes(2000, seed);
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  await putBlob(store, layer);
  await putBlob(store, config, { digest: digestOf(config) });
  return imageOf(descriptorOf(config, MediaType.ociConfig), descriptorOf(layer));
}

/** Puts a manifest about `image` that nothing lists yet, where the store itself does not. */
async function putReferrer(
  store: ImageStore,
  image: StoredManifest,
  artifactType: string,
  edition: number,
): Promise<Descriptor> {
  const empty = Buffer.from('{}');
  await putBlob(store, empty, { digest: digestOf(empty) });
  const annotations = { edition: String(edition) };
  const { mediaType, digest, bytes } = image;
  const json = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType,
    config: descriptorOf(empty, MediaType.ociEmpty),
    layers: [descriptorOf(empty, MediaType.ociEmpty)],
    subject: { mediaType, digest, size: bytes.length },
    annotations,
  };
  const manifest = Buffer.from(JSON.stringify(json));
  const descriptor = { ...descriptorOf(manifest, MediaType.ociManifest), artifactType, annotations };
  await store.putManifest(descriptor.digest, { ...descriptor, bytes: manifest });
  return descriptor;
}

function imageOf(config: Descriptor, layer: Descriptor): StoredManifest {
  const json = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers: [layer] };
  // Spaces, so that a store which writes the JSON anew is found out.
  const bytes = Buffer.from(JSON.stringify(json, null, 3));
  return { mediaType: MediaType.ociManifest, digest: digestOf(bytes), bytes };
}

function descriptorOf(bytes: Buffer, mediaType: string = MediaType.ociLayerTar): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** Bytes that look random and are the same every time. */
function someBytes(length: number, seed = 0): Buffer {
  let state = seed + 1;
  return Buffer.alloc(length).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  }) as Buffer;
}
