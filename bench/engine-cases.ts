import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import type { Case, Run } from './cases.ts';
import { sumOf } from './cases.ts';
import { cpuOf, measure } from './measure.ts';
import type { BenchModel } from './model-data.ts';
import { publish, putBase, writeConfig } from './publish.ts';
import { type Certificate, type Server, startHub, startSink } from './servers.ts';

export interface Site {
  /** A scratch folder. */
  readonly folder: string;
  readonly model: BenchModel;
  /** The command that is measured. */
  readonly weighbridge: readonly string[];
  readonly tls: (Certificate & { readonly address: string }) | undefined;
}

/** The floor: two sha256 passes over as many bytes as the model has, and nothing else. */
export function bareHashes({ model }: Site): Case {
  const program = `
    import { createHash, randomBytes } from 'node:crypto';
    const block = randomBytes(256 * 1024);
    for (const pass of [1, 2]) {
      const hash = createHash('sha256');
      for (let left = ${model.weightBytes}; left > 0; left -= block.length) hash.update(block);
      hash.digest();
    }`;
  return {
    name: 'two bare sha256 passes',
    bytes: model.weightBytes,
    run: async () => sumOf([(await measure([process.execPath, '--input-type=module', '-e', program])).usage]),
  };
}

/** A cold publish to targets that check digests and keep nothing. */
export function toSinks(
  site: Site,
  name: string,
  options: {
    readonly targets?: number;
    readonly isTls?: boolean;
    /** See `startHub`. */
    readonly connectionRate?: number;
    readonly env?: NodeJS.ProcessEnv;
    /** The largest layer that the targets take. */
    readonly maxLayerBytes?: number;
  } = {},
): Case {
  const { targets = 1, isTls = false, connectionRate, maxLayerBytes } = options;
  return {
    name,
    bytes: site.model.weightBytes,
    async run(): Promise<Run> {
      const tls = isTls ? site.tls : undefined;
      const folder = mkdtempSync(path.join(site.folder, 'sinks-'));
      const hub = await startHub(folder, site.model, {
        connectionRate,
        ...(tls === undefined ? {} : { tls }),
      });
      const sinks = await Promise.all(Array.from({ length: targets }, () => startSink(tls)));
      try {
        for (const sink of sinks.slice(0, 1)) await putBase(sink, 'v0.6.0');
        const before = cpuOfAll(sinks);
        const env = { ...options.env, ...(tls === undefined ? {} : { NODE_EXTRA_CA_CERTS: tls.cert }) };
        const config = writeConfig(folder, sinks, { maxLayerBytes });
        const { usage } = await publish(site.weighbridge, config, hub, env);
        return { ...sumOf([usage]), targetCpuSeconds: cpuOfAll(sinks) - before };
      } finally {
        await Promise.all([hub, ...sinks].map(server => server.stop()));
      }
    },
  };
}

export function cpuOfAll(servers: readonly Server[]): number {
  return servers.flatMap(({ pids }) => pids).reduce((sum, pid) => sum + cpuOf(pid), 0);
}
