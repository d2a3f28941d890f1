import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { MIB } from '../../src/core/units.ts';
import { makeBaseImage } from '../../src/testkit/base-image.ts';
import { accountIn } from '../support/account.ts';
import { ROOT, weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { startServerProcess, stopServer, temporaryFolder } from '../support/tools.ts';

const SHARDS = 4;
/** Two GiB take their time; the everyday form is as telling about what grows with size. */
const SHARD_BYTES = IS_LONG ? 512 * MIB : 128 * MIB;
/**
 * The kernel counts the access time of a program's own file, read for the first time, as a page of disk: some tens of
 * them at most, where a model spooled to disk would be its whole size.
 */
const ACCESS_TIMES_BYTES = MIB;
test('a large model goes through little memory and no disk', async t => {
  const folder = await temporaryFolder(t);
  const generate = `acme/big=${SHARDS}x${SHARD_BYTES}`;
  const script = (name: string): string => path.join(ROOT, 'src/testkit', name);
  const start = async (name: string, ...args: string[]) => {
    const server = await startServerProcess(process.execPath, [script(name), ...args]);
    t.after(() => stopServer(server.child));
    return server;
  };
  const hub = await start('serve-hub.ts', '--generate', generate);
  const registries = [
    await start('serve-registry.ts', '--discard-blobs'),
    await start('serve-registry.ts', '--discard-blobs'),
  ];
  const [first = '', second = ''] = registries.map(({ ready }) => ready.host ?? '');
  await makeBaseImage(`http://${first}`, 'vllm/vllm-openai', 'v0.6.0');
  await writeFile(
    path.join(folder, 'models.yaml'),
    `registries: { a: "${first}/m", b: "${second}/m" }
defaults: { base_image: "${first}/vllm/vllm-openai:v0.6.0" }
models: [{ id: acme/big, short: big }]
`,
  );
  const account = accountIn(folder);
  const { status, stdout, stderr } = await weighbridge(['publish', '--variant', 'fat', '--json'], {
    cwd: folder,
    env: {
      ...{ HF_ENDPOINT: hub.ready.url, DOCKER_CONFIG: folder },
      ...{ HOME: folder, TMPDIR: folder, XDG_CACHE_HOME: folder },
      ...account.env,
    },
  });
  assert.equal(status, 0, stderr + stdout);
  const { images } = JSON.parse(stdout).models[0];
  const total = SHARDS * SHARD_BYTES;
  for (const { bytes } of images) assert.ok(bytes.uploaded > total, JSON.stringify(bytes));
  const { peakMiB, writtenBytes } = await account.read();
  t.diagnostic(
    `${total / MIB} MiB to two registries: peak ${peakMiB.toFixed(0)} MiB, ${writtenBytes} bytes of disk`,
  );
  assert.ok(peakMiB < 300, `${peakMiB} MiB`);
  assert.ok(writtenBytes < ACCESS_TIMES_BYTES, `${writtenBytes} bytes of disk`);
  assert.deepEqual((await readdir(folder)).sort(), ['account.json', 'models.yaml']);
});
