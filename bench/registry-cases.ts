import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { hasTool, runOk } from '../test/support/tools.ts';
import { type Case, type Run, sumOf } from './cases.ts';
import { cpuOfAll, type Site } from './engine-cases.ts';
import { halves } from './halves.ts';
import { measure, type Usage } from './measure.ts';
import type { BenchModel } from './model-data.ts';
import { BASE, publish, putBase, ROOT, writeConfig } from './publish.ts';
import { type Server, startDistribution, startHub } from './servers.ts';

const GO_BIN = path.join(
  process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'),
  'weighbridge-tests/go/bin',
);

/** What a user would have to do instead, to one real registry: from an image or files on this machine's disk. */
export interface Rival {
  readonly name: string;
  /** Programs it needs. */
  readonly tools: readonly string[];
  commands(world: RivalWorld): readonly (readonly string[])[];
}

export interface RivalWorld {
  readonly site: Site;
  readonly registry: Server;
  /** The image as an OCI layout, with the tag `fat`. */
  readonly layout: string;
  /** A folder on disk, empty at the start. */
  readonly scratch: string;
}

const BUILDAH = ['buildah', '--storage-driver', 'vfs'];

export const RIVALS: readonly Rival[] = [
  {
    name: 'bare upload with curl',
    tools: ['curl'],
    commands: ({ site, registry }) => [['bash', '-euc', bareUpload(site.model), registry.url]],
  },
  {
    name: 'skopeo copy of a ready layout',
    tools: ['skopeo'],
    commands: ({ layout, registry }) => [
      [
        'skopeo',
        'copy',
        '-q',
        '--dest-tls-verify=false',
        `oci:${layout}:fat`,
        `docker://${registry.host}/bench/skopeo:fat`,
      ],
    ],
  },
  {
    name: 'crane push of a ready layout',
    tools: [path.join(GO_BIN, 'crane')],
    commands: ({ layout, registry }) => [
      [path.join(GO_BIN, 'crane'), 'push', '--insecure', layout, `${registry.host}/bench/crane:fat`],
    ],
  },
  {
    name: 'oras push of files on disk',
    tools: [path.join(GO_BIN, 'oras')],
    commands: ({ site, registry }) => [
      [
        'bash',
        '-euc',
        `cd "$1"; shift; exec "$@"`,
        'oras',
        site.model.folder,
        path.join(GO_BIN, 'oras'),
        'push',
        '--no-tty',
        '--plain-http',
        `${registry.host}/bench/oras:fat`,
        ...new Set(site.model.files.map(file => file.storedAs)),
      ],
    ],
  },
  {
    name: 'download, buildah build and push',
    tools: ['buildah', 'curl'],
    commands: world => buildahCommands(world, []),
  },
  {
    name: 'the same, layers not compressed',
    tools: ['buildah', 'curl'],
    commands: world => buildahCommands(world, ['--disable-compression']),
  },
];

/** POST, PATCH, PUT of each weight file: what no client can do without, and the registry's own hashing. */
function bareUpload({ folder, files }: BenchModel): string {
  const weights = [...new Map(files.map(file => [file.storedAs, file])).values()].filter(
    ({ sha256 }) => sha256,
  );
  const uploads = weights.map(
    ({ storedAs, sha256 }) => `
    location=$(curl -sf -X POST -D - -o /dev/null "$0/v2/bench/bare/blobs/uploads/" | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
    location=$(curl -sf -X PATCH -H 'content-type: application/octet-stream' -T '${folder}/${storedAs}' -D - -o /dev/null "$location" | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
    curl -sf -X PUT -o /dev/null "$location&digest=sha256:${sha256}"`,
  );
  // Two at once, as Weighbridge has on two cores.
  return `${uploads.map((upload, index) => `(${upload}) &${index % 2 === 1 ? ' wait' : ''}`).join('\n')}\nwait`;
}

function buildahCommands({ site, registry, scratch }: RivalWorld, pushFlags: readonly string[]): string[][] {
  const { model } = site;
  const hub = scratch;
  writeFileSync(
    path.join(hub, 'Containerfile'),
    `FROM ${registry.host}/${BASE}:v0.6.0\nCOPY model /models/random\n`,
  );
  const storage = [...BUILDAH, '--root', path.join(scratch, 'root'), '--runroot', path.join(scratch, 'run')];
  const name = `${registry.host}/bench/buildah:fat`;
  const fetches = model.files.map(
    file => `curl -sfL "$HUB/${model.id}/resolve/${model.revision}/${file.path}" -o '${file.path}'`,
  );
  return [
    ['bash', '-euc', `mkdir -p "$0"; cd "$0"; ${fetches.join('; ')}`, path.join(scratch, 'model')],
    [...storage, 'build', '-q', '--isolation', 'chroot', '--tls-verify=false', '-t', name, scratch],
    [...storage, 'push', '-q', '--tls-verify=false', ...pushFlags, name],
  ];
}

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

/** Builds crane and oras of `tools/registry-clients` where Go is there; the first time takes minutes and the Go proxy. */
async function installClients(): Promise<void> {
  if (!hasTool('go')) return;
  const source = path.join(ROOT, 'tools', 'registry-clients');
  mkdirSync(GO_BIN, { recursive: true });
  const env = { ...process.env, GOBIN: GO_BIN, CGO_ENABLED: '0' };
  await runOk('go', ['install', 'tool'], { cwd: source, env, timeoutMs: 900_000 });
}

/** The rivals that are on this machine, and the names of those that are not. */
export async function presentRivals(): Promise<{
  readonly present: readonly Rival[];
  readonly missing: readonly string[];
}> {
  await installClients();
  const isThere = (tool: string): boolean => (tool.includes('/') ? existsSync(tool) : hasTool(tool));
  const present = RIVALS.filter(rival => rival.tools.every(isThere));
  return { present, missing: RIVALS.filter(rival => !present.includes(rival)).map(rival => rival.name) };
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
    const command = [
      ...site.weighbridge,
      'build',
      '--config',
      config,
      '--variant',
      'fat',
      '--output',
      `oci:${layout}`,
    ];
    await measure(command, { env: { HF_ENDPOINT: hub.url } });
  } finally {
    await Promise.all([registry.stop(), hub.stop()]);
  }
  return layout;
}
