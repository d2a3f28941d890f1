import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type GoTool, goTool } from '../test/support/go-tools.ts';
import { pythonWith, pythonWithHub } from '../test/support/python.ts';
import { type Case, sumOf } from './cases.ts';
import { cpuOfAll, type Site } from './engine-cases.ts';
import { halves } from './halves.ts';
import { measure } from './measure.ts';
import { BASE, putBase } from './publish.ts';
import { type Server, startDistribution, startTestkitHub } from './servers.ts';

const MODELCAR = 'oci-modelcar==1.3.0';

interface World {
  readonly registry: Server;
  readonly hubUrl: string;
  readonly site: Site;
  /** A folder on disk, empty at the start. */
  readonly scratch: string;
}

interface Way {
  readonly name: string;
  /** A program that scripts/build-go-tools.sh builds. */
  readonly needs?: GoTool;
  readonly commands: (world: World) => readonly (readonly string[])[];
}

export interface ModelCases extends AsyncDisposable {
  readonly cases: readonly Case[];
}

/**
 * Weights alone, without a server, from the testkit's Hub into one registry: an image of them or an artifact. What cannot read
 * from another Hub than Hugging Face's own gets the files from `hf download`, whose time is part of it.
 */
export async function weightsToRegistry(
  site: Site,
  disk: string,
  say: (line: string) => void,
): Promise<ModelCases> {
  const hub = await startTestkitHub(path.join(mkdtempSync(path.join(disk, 'hub-'))), site.model);
  const python = { modelcar: await pythonWith([MODELCAR]), hf: await pythonWithHub() };
  const isThere = ({ needs }: Way): boolean => needs === undefined || existsSync(goTool(needs));
  const ways = waysOf(python);
  for (const { name } of ways.filter(way => !isThere(way)))
    say(`not measured, its program is not built: ${name}`);
  const cases = ways.filter(isThere).map((way): Case => toCase(way, site, disk, hub.url));
  return { cases, [Symbol.asyncDispose]: () => hub.stop() };
}

function waysOf(python: { readonly modelcar: string; readonly hf: string }): Way[] {
  const program = (of: string, name: string): string => path.join(path.dirname(of), name);
  const download = ({ site, scratch }: World): string[] => [
    program(python.hf, 'hf'),
    ...['download', site.model.id, '--local-dir', path.join(scratch, 'model'), '--quiet'],
  ];
  return [
    { name: 'weighbridge publish, weights', commands: world => [ownCommand(world, 'weights')] },
    { name: 'weighbridge publish, modelpack', commands: world => [ownCommand(world, 'modelpack')] },
    {
      name: 'oci-modelcar push',
      commands: ({ registry, hubUrl, site, scratch }) => [
        [
          program(python.modelcar, 'oci-modelcar'),
          ...['push', '--quiet', '--hf-repo', site.model.id, '--hf-endpoint', hubUrl],
          ...['--registry', registry.url, '--target-repo', 'bench/modelcar', '--target-tag', 'v1'],
          ...['--spool-dir', path.join(scratch, 'spool')],
        ],
      ],
    },
    {
      name: 'hf download, modctl build to the registry',
      needs: 'modctl',
      commands: world => [download(world), ...modctlCommands(world)],
    },
    {
      name: 'hf download, kit pack and push',
      needs: 'kit',
      commands: world => [download(world), ...kitCommands(world)],
    },
  ];
}

function ownCommand({ site, registry, scratch }: World, variant: string): readonly string[] {
  const file = path.join(scratch, 'models.yaml');
  const settings = {
    registries: { bench: `${registry.host}/bench` },
    defaults: { base_image: `${registry.host}/${BASE}:v0.6.0`, variants: [variant] },
    models: [{ id: site.model.id, short: 'random' }],
  };
  writeFileSync(file, JSON.stringify(settings));
  return [...site.weighbridge, 'publish', '--config', file];
}

function modctlCommands({ registry, scratch }: World): string[][] {
  const modctl = [goTool('modctl'), '--storage-dir', path.join(scratch, 'modctl'), '--no-progress'];
  const model = path.join(scratch, 'model');
  const target = ['-t', `${registry.host}/bench/modctl:v1`, '-f', path.join(model, 'Modelfile')];
  return [
    [...modctl, 'modelfile', 'generate', model, '--output', model, '--name', 'random'],
    [...modctl, 'build', ...target, '--output-remote', '--plain-http', model],
  ];
}

function kitCommands({ registry, scratch }: World): string[][] {
  const kit = [goTool('kit'), '--config', path.join(scratch, 'kit'), '--progress', 'none'];
  const reference = `${registry.host}/bench/kit:v1`;
  const kitfile = path.join(scratch, 'Kitfile');
  writeFileSync(
    kitfile,
    'manifestVersion: "1.0.0"\npackage: { name: random }\nmodel: { name: random, path: . }\n',
  );
  return [
    [...kit, 'pack', path.join(scratch, 'model'), '--file', kitfile, '--tag', reference],
    [...kit, 'push', reference, '--plain-http'],
  ];
}

function toCase({ name, commands }: Way, site: Site, disk: string, hubUrl: string): Case {
  const split = halves();
  return {
    name,
    bytes: site.model.weightBytes,
    async run() {
      const store = mkdtempSync(path.join(site.folder, 'registry-'));
      const scratch = mkdtempSync(path.join(disk, 'scratch-'));
      mkdirSync(path.join(scratch, 'home'));
      const registry = await startDistribution(store, split.registry);
      try {
        await putBase(registry, 'v0.6.0');
        const before = cpuOfAll([registry]);
        const env = {
          HF_ENDPOINT: hubUrl,
          HF_HOME: path.join(scratch, 'hf'),
          HOME: path.join(scratch, 'home'),
          HF_TOKEN: '',
        };
        const usages = [];
        for (const command of commands({ site, registry, hubUrl, scratch }))
          usages.push((await measure([...split.tool, ...command], { env })).usage);
        return { ...sumOf(usages), targetCpuSeconds: cpuOfAll([registry]) - before };
      } finally {
        await registry.stop();
        for (const folder of [store, scratch]) rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
