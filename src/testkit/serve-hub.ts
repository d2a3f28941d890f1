import { parseArgs } from 'node:util';
import { type EmbeddedHub, startHub } from './hub.ts';
import { generatedSafetensors, sampleModelFiles } from './sample-model.ts';
import { serveUntilTerminated } from './server/serve.ts';

// A Hub in a process of its own: `node src/testkit/serve-hub.ts --folder X [--port 0] [--host …] [--token hf_…]
// [--gated acme/x]… [--generate acme/big=4x536870912]…` prints one line of JSON with its addresses. `--generate` adds a model of so many
// shards of so many bytes, made up as they are served; its branch `changed` differs in the last shard.
const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    token: { type: 'string' },
    gated: { type: 'string', multiple: true, default: [] },
    generate: { type: 'string', multiple: true, default: [] },
  },
});

const hub = await startHub({
  host: values.host,
  port: Number(values.port),
  ...(values.folder === undefined ? {} : { folder: values.folder }),
  ...(values.token === undefined ? {} : { token: values.token }),
});
for (const id of values.gated) hub.repository(id).gated = 'manual';
for (const model of values.generate) await addGenerated(hub, model);
await serveUntilTerminated({ url: hub.url, cdnUrl: hub.cdnUrl }, () => hub.close());

async function addGenerated(hub: EmbeddedHub, text: string): Promise<void> {
  const [, id, shards, size] = /^([^=]+)=(\d+)x(\d+)$/.exec(text) ?? [];
  if (id === undefined) throw new RangeError(`expected id=<shards>x<bytes>, got ${text}`);
  const isWeight = (path: string) => /\.(safetensors|bin|png|index\.json)$/.test(path);
  const sample = Object.entries(await sampleModelFiles()).filter(([path]) => !isWeight(path));
  const total = Number(shards);
  const nameOf = (number: number) =>
    `model-${String(number).padStart(5, '0')}-of-${String(total).padStart(5, '0')}.safetensors`;
  const weights = Array.from({ length: total }, (_, index) => [
    nameOf(index + 1),
    generatedSafetensors(Number(size), `${id}/${index}`),
  ]);
  await hub.addModel({ id, files: Object.fromEntries([...sample, ...weights]) });
  const changed = generatedSafetensors(Number(size), `${id}/changed`);
  await hub.updateFile(id, nameOf(total), changed, 'changed');
}
