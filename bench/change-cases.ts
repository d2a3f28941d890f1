import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { type Case, type Run, sumOf } from './cases.ts';
import type { Site } from './engine-cases.ts';
import { changeFile } from './model-data.ts';
import { publish, putBase, writeConfig } from './publish.ts';
import { type Server, startHub, startSink } from './servers.ts';

/** What is moved when a model that is published already is published again, after each kind of change. */
export function changes(site: Site): Case[] {
  const again = (name: string, change: 'nothing' | 'base' | 'file'): Case => ({
    name,
    bytes: site.model.weightBytes,
    async run(): Promise<Run> {
      const folder = mkdtempSync(path.join(site.folder, 'changes-'));
      const sink = await startSink();
      const hubs: Server[] = [];
      const hubOf = async (model: Site['model']): Promise<Server> => {
        const hub = await startHub(mkdtempSync(path.join(folder, 'hub-')), model);
        hubs.push(hub);
        return hub;
      };
      try {
        await putBase(sink, 'v0.6.0');
        await putBase(sink, 'v0.6.1');
        await publish(site.weighbridge, writeConfig(folder, [sink]), await hubOf(site.model));
        const model = change === 'file' ? changeFile(site.model) : site.model;
        const config = writeConfig(folder, [sink], { base: change === 'base' ? 'v0.6.1' : 'v0.6.0' });
        const hub = await hubOf(model);
        const { uploadedBytes: before } = await countersOf(sink);
        const { usage } = await publish(site.weighbridge, config, hub);
        return { ...sumOf([usage]), uploadedBytes: (await countersOf(sink)).uploadedBytes - before };
      } finally {
        await Promise.all([sink, ...hubs].map(server => server.stop()));
      }
    },
  });
  return [
    again('nothing changed', 'nothing'),
    again('a new base image', 'base'),
    again('one weight file of all changed', 'file'),
  ];
}

/** What a sink has counted. */
export async function countersOf({ url }: Server): Promise<{ uploadedBytes: number; requests: number }> {
  const response = await fetch(`${url}/counters`);
  return (await response.json()) as { uploadedBytes: number; requests: number };
}
