import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Index, Manifest } from '../src/oci/types.ts';
import { pythonWithHub } from '../test/support/python.ts';
import { runOk } from '../test/support/tools.ts';
import { type Case, type Run, sumOf } from './cases.ts';
import type { Site } from './engine-cases.ts';
import { measure } from './measure.ts';
import { buildInto, putBase, writeConfig } from './publish.ts';
import { startSink, startTestkitHub } from './servers.ts';

export interface SlimCases extends AsyncDisposable {
  readonly cases: readonly Case[];
}

/** The first start of a slim image, which fetches and checks, and again; beside the Hub's own command, from the same Hub. */
export async function slimStarts(site: Site, disk: string): Promise<SlimCases> {
  const folder = mkdtempSync(path.join(disk, 'slim-'));
  const hub = await startTestkitHub(path.join(folder, 'hub'), site.model);
  const python = await pythonWithHub();
  const env = { HF_ENDPOINT: hub.url, HF_HOME: path.join(folder, 'home'), HF_TOKEN: '' };
  const bootstrap = await extractBootstrap(site, folder, hub.url);
  const hf = path.join(path.dirname(python), 'hf');
  const fetched = (name: string, command: (target: string) => readonly string[], times = 1): Case => ({
    name,
    bytes: site.model.weightBytes,
    async run(): Promise<Run> {
      const target = path.join(mkdtempSync(path.join(folder, 'target-')), 'random');
      let run: Run | undefined;
      for (let time = 0; time < times; time++) {
        const { usage } = await measure(command(target), { env: { ...env, MODEL_DIR: target } });
        run = sumOf([usage]);
      }
      if (!existsSync(path.join(target, 'config.json'))) throw new Error(`${name} has fetched nothing`);
      rmSync(path.dirname(target), { recursive: true });
      return run as Run;
    },
  });
  const download = (target: string) => [hf, 'download', site.model.id, '--local-dir', target, '--quiet'];
  return {
    cases: [
      fetched('slim image, empty volume', () => [python, bootstrap, 'download']),
      fetched('hf download, empty folder', download),
      fetched('slim image, what is there is checked', () => [python, bootstrap, 'download'], 2),
      fetched('hf download, what is there is found', download, 2),
    ],
    async [Symbol.asyncDispose]() {
      await hub.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The bootstrap as it is in a slim image, with the list of what it fetches. */
async function extractBootstrap(site: Site, folder: string, hubUrl: string): Promise<string> {
  const layout = path.join(folder, 'layout');
  const sink = await startSink();
  try {
    await putBase(sink, 'v0.6.0');
    const config = writeConfig(folder, [sink]);
    await buildInto(layout, site.weighbridge, { config, variant: 'slim', hubUrl });
  } finally {
    await sink.stop();
  }
  const blob = (digest: string): string => path.join(layout, 'blobs', digest.replace(':', '/'));
  const index = JSON.parse(readFileSync(path.join(layout, 'index.json'), 'utf8')) as Index;
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0]?.digest ?? ''), 'utf8')) as Manifest;
  const layer = manifest.layers.find(
    ({ annotations }) => annotations?.['io.weighbridge.layer.kind'] === 'bootstrap',
  );
  await runOk('tar', ['-xf', blob(layer?.digest ?? ''), '-C', folder]);
  return path.join(folder, 'opt', 'weighbridge', 'bootstrap');
}
