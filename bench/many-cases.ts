import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { type Row, runCases, sumOf } from './cases.ts';
import { countersOf } from './change-cases.ts';
import { cpuOfAll, type Site } from './engine-cases.ts';
import { measure } from './measure.ts';
import { makeModel } from './model-data.ts';
import { putBase, writeConfig } from './publish.ts';
import { startHub, startSink } from './servers.ts';

const WEIGHT_BYTES = 64 * 1024;

/** Many small models in one `models.yaml`, slim and fat: published once, then planned and published with nothing to do. */
export async function manyModels(
  site: Site,
  { count, rounds }: { readonly count: number; readonly rounds: number },
  say: (line: string) => void,
): Promise<Row[]> {
  const folder = mkdtempSync(path.join(site.folder, 'many-'));
  const model = makeModel(path.join(folder, 'model'), 1, WEIGHT_BYTES);
  const shorts = Array.from({ length: count }, (_, index) => `m${index}`);
  const models = shorts.map(short => ({ id: `acme/${short}`, short }));
  const hub = await startHub(path.join(folder, 'hub'), model, { ids: models.map(({ id }) => id) });
  const sink = await startSink();
  try {
    await putBase(sink, 'v0.6.0');
    const config = writeConfig(folder, [sink], { models });
    const oneOf = (name: string, ...args: string[]) => ({
      name: `${count.toLocaleString('en')} models, ${name}`,
      bytes: count * WEIGHT_BYTES,
      async run() {
        const before = { ...(await countersOf(sink)), cpuSeconds: cpuOfAll([sink]) };
        const command = [...site.weighbridge, ...args, '--config', config, '--json'];
        const { usage } = await measure(command, { env: { HF_ENDPOINT: hub.url, HF_TOKEN: '' } });
        const { requests } = await countersOf(sink);
        return {
          ...sumOf([usage]),
          targetCpuSeconds: cpuOfAll([sink]) - before.cpuSeconds,
          targetRequests: requests - before.requests,
        };
      },
    });
    const first = await runCases([oneOf('published for the first time', 'publish')], 1, say);
    const later = [oneOf('planned', 'plan'), oneOf('published with nothing to do', 'publish')];
    return [...first, ...(await runCases(later, rounds, say))];
  } finally {
    await Promise.all([hub.stop(), sink.stop()]);
  }
}
