import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { digestOf } from '../../src/core/digest.ts';
import { MIB } from '../../src/core/units.ts';
import { HttpClient } from '../../src/http/client.ts';
import { CopyHasher, fanOut } from '../../src/store/fan-out/fan-out.ts';
import { imageStoreContract } from '../../src/store/image-store.contract.ts';
import { RegistryClient } from '../../src/store/registry/registry-client.ts';
import { RegistryStore } from '../../src/store/registry/registry-store.ts';
import {
  type KnownCapabilities,
  RegistryCapabilities,
} from '../../src/store/registry/upload/registry-capabilities.ts';
import { startHub } from '../../src/testkit/hub.ts';
import { startRegistry as startEmbedded } from '../../src/testkit/registry.ts';
import { weighbridge } from '../support/command.ts';
import { inPieces } from '../support/in-pieces.ts';
import { IS_LONG } from '../support/long.ts';
import { requireTool, runOk, temporaryFolder } from '../support/tools.ts';
import { addModel, type Published, REPOSITORY, writeModels } from '../support/two-targets.ts';
import { BASE_REPOSITORY, LOGIN, putBase } from '../support/world.ts';
import { EDITIONS, type RegistryOptions, startRegistry } from './registry.ts';

// What a store has to do, done by real registries, and a model that goes to each of them and is read back by others' tools.

const BLOB = Buffer.from(new Uint8Array(9 * MIB + 123).map((_, i) => (i * 31 + (i >> 9)) % 253));
const WAYS: Readonly<Record<string, KnownCapabilities>> = {
  'one streamed PATCH of a known length': {},
  'one streamed PATCH in chunked transfer encoding': { takesLength: false },
  'ranged PATCHes': { withoutStrategies: ['streamed'] },
  'one PUT of the whole': { withoutStrategies: ['streamed', 'chunked'] },
};

interface Started {
  readonly host: string;
  stop(): Promise<void>;
}

/** The registry that tests and the demo use is held to the same. */
const REGISTRIES: readonly {
  readonly name: string;
  readonly skip: false | string;
  readonly start: (options: Pick<RegistryOptions, 'login'>) => Promise<Started>;
}[] = [
  {
    name: 'the embedded registry',
    skip: false,
    async start({ login }) {
      const registry = await startEmbedded(login ? { auth: { kind: 'basic', ...login } } : {});
      return { host: registry.host, stop: () => registry.close() };
    },
  },
  ...EDITIONS.map(({ edition, skip }) => ({
    name: edition,
    skip: skip(),
    start: (options: Pick<RegistryOptions, 'login'>) => startRegistry({ edition, ...options }),
  })),
];

for (const { name, skip, start } of REGISTRIES) {
  for (const login of [undefined, LOGIN]) {
    describe(`${name}, ${login ? 'with a login' : 'open to all'}`, { skip }, () => {
      const http = new HttpClient({ retry: { baseMs: 1, attempts: 3 } });
      let registry: Started;
      let repositories = 0;

      before(async () => {
        registry = await start(login ? { login } : {});
      });
      after(async () => {
        http.close();
        await registry?.stop();
      });

      /** Of a repository that nobody has used, unless one is named. */
      function open(
        repository = `acme/r${++repositories}`,
        capabilities?: RegistryCapabilities,
      ): RegistryStore {
        const credential = async () =>
          login && { kind: 'basic' as const, username: login.user, password: login.password };
        const client = new RegistryClient({
          http,
          registry: registry.host,
          credential,
          ...(capabilities ? { capabilities } : {}),
        });
        return new RegistryStore(client, repository, 'push');
      }

      imageStoreContract(name, async () => ({ store: open() }));

      const ways = login === undefined || IS_LONG ? Object.entries(WAYS) : [];
      for (const [way, known] of ways) {
        for (const isKnown of [true, false]) {
          test(`${way}, its digest known ${isKnown ? 'beforehand' : 'at the end'}`, async () => {
            const store = open(undefined, new RegistryCapabilities(known));
            const digest = digestOf(BLOB);
            const result = await fanOut({
              source: inPieces(BLOB),
              hasher: new CopyHasher(),
              stores: [store],
              retry: { baseMs: 1, maxMs: 5, attempts: 2, patienceMs: 0, maxServerWaitMs: 1000 },
              ...(isKnown ? { digest } : {}),
            });
            assert.deepEqual([...result.failures.values()].map(String), []);
            assert.equal(result.digest, digest);
            assert.equal(await store.statBlob(digest), BLOB.length);
          });
        }
      }

      test('a blob is mounted from another repository', async () => {
        const source = open();
        const bytes = Buffer.from(`of ${source.name}`);
        const upload = await source.startUpload({ sizeBytes: bytes.length });
        await upload.write(bytes);
        await upload.commit(digestOf(bytes));
        const target = open();
        const descriptor = { mediaType: 'application/x', digest: digestOf(bytes), size: bytes.length };
        assert.equal(await target.statBlob(descriptor.digest), undefined);
        assert.equal(await target.mountBlob(descriptor, source.name), true);
        assert.equal(await target.statBlob(descriptor.digest), bytes.length);
      });

      if (login === undefined) return;
      test('without the login it is an error that says so', async () => {
        const credential = async () => undefined;
        const client = new RegistryClient({ http, registry: registry.host, credential });
        await assert.rejects(new RegistryStore(client, 'acme/x', 'push').resolveTag('v1'), {
          code: 'REGISTRY_UNAUTHORIZED',
        });
      });
    });
  }

  test(`slim and fat at ${name}: verified byte for byte, copied by skopeo`, {
    skip: skip || requireTool('skopeo'),
  }, async t => {
    await using stack = new AsyncDisposableStack();
    const folder = await temporaryFolder(t);
    const hub = stack.use(await startHub());
    const bases = stack.use(await startEmbedded());
    putBase(bases, 'v0.6.0');
    const registry = await start({ login: LOGIN });
    stack.defer(() => registry.stop());
    await addModel(hub, [12 * MIB, 5 * MIB, 300_000]);
    const file = await writeModels(folder, `${bases.host}/${BASE_REPOSITORY}:v0.6.0`, [registry.host]);
    const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
    const logins = path.join(folder, 'config.json');
    await writeFile(logins, JSON.stringify({ auths: { [registry.host]: { auth } } }));
    const env = { HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder };

    const digests = new Map<string, string>();
    for (const expected of ['published', 'unchanged']) {
      const { status, stdout, stderr } = await weighbridge(['publish', '-c', file, '--json'], { env });
      assert.equal(status, 0, stderr);
      const images: Published[] = JSON.parse(stdout).models[0].images;
      assert.deepEqual(
        images.map(image => image.status),
        [expected, expected],
      );
      for (const { variant, digest } of images) digests.set(variant, String(digest));
    }
    for (const variant of ['slim', 'fat']) {
      const image = `${registry.host}/${REPOSITORY}:v0.6.0-${variant}`;
      const verified = await weighbridge(['verify', '--deep', image], { env });
      assert.equal(verified.status, 0, verified.stdout + verified.stderr);
      const copy = path.join(folder, variant);
      const source = ['--src-tls-verify=false', '--src-authfile', logins, `docker://${image}`];
      await runOk('skopeo', ['copy', '--quiet', '--preserve-digests', ...source, `dir:${copy}`]);
      assert.equal(digestOf(await readFile(path.join(copy, 'manifest.json'))), digests.get(variant));
    }
  });
}
