import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Case, type Run, sumOf } from './cases.ts';
import { cpuOfAll, type Site } from './engine-cases.ts';
import { halves } from './halves.ts';
import { measure, type Usage } from './measure.ts';
import { buildInto, publish, putBase, writeConfig } from './publish.ts';
import type { Rival } from './rivals.ts';
import { type Server, startDistribution, startHub } from './servers.ts';

/** Weighbridge and its rivals, each to a registry of its own that was started for it. */
export function toRegistry(site: Site, layout: string, diskFolder: string, rivals: readonly Rival[]): Case[] {
  const split = halves();
  const fresh = async (
    work: (registry: Server, hub: Server, scratch: string) => Promise<Usage[]>,
  ): Promise<Run> => {
    const folder = mkdtempSync(path.join(site.folder, 'registry-'));
    const scratch = mkdtempSync(path.join(diskFolder, 'scratch-'));
    const registry = await startDistribution(path.join(folder, 'store'), split.registry);
    const hub = await startHub(path.join(folder, 'hub'), site.model, { prefix: split.tool });
    try {
      await putBase(registry, 'v0.6.0');
      const before = cpuOfAll([registry]);
      const run = sumOf(await work(registry, hub, scratch));
      return { ...run, targetCpuSeconds: cpuOfAll([registry]) - before };
    } finally {
      await Promise.all([registry.stop(), hub.stop()]);
      rmSync(folder, { recursive: true });
      rmSync(scratch, { recursive: true, force: true });
    }
  };
  const bytes = site.model.weightBytes;
  const own: Case = {
    name: 'weighbridge publish, from the Hub',
    bytes,
    run: () =>
      fresh(async (registry, hub, scratch) => [
        (await publish([...split.tool, ...site.weighbridge], writeConfig(scratch, [registry]), hub)).usage,
      ]),
  };
  const others = rivals.map(
    (rival): Case => ({
      name: rival.name,
      bytes,
      run: () =>
        fresh(async (registry, hub, scratch) => {
          const usages: Usage[] = [];
          for (const command of rival.commands({ site, registry, layout, scratch }))
            usages.push((await measure([...split.tool, ...command], { env: { HUB: hub.url } })).usage);
          return usages;
        }),
    }),
  );
  return [own, ...others];
}

/** The image that rivals push, as Weighbridge builds it. */
export async function buildLayout(site: Site, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const registry = await startDistribution(path.join(folder, 'store'));
  const hub = await startHub(path.join(folder, 'hub'), site.model);
  const layout = path.join(folder, 'layout');
  try {
    await putBase(registry, 'v0.6.0');
    const config = writeConfig(folder, [registry], { tags: ['{variant}'] });
    await buildInto(layout, site.weighbridge, { config, variant: 'fat', hubUrl: hub.url });
  } finally {
    await Promise.all([registry.stop(), hub.stop()]);
  }
  return layout;
}
