import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { hasTool, runOk } from '../test/support/tools.ts';
import type { Site } from './engine-cases.ts';
import type { BenchModel } from './model-data.ts';
import { BASE, ROOT } from './publish.ts';
import type { Server } from './servers.ts';

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

const RIVALS: readonly Rival[] = [
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
    name: 'crane append of ready layers',
    tools: [path.join(GO_BIN, 'crane')],
    commands: ({ layout, registry }) => [
      [
        path.join(GO_BIN, 'crane'),
        'append',
        '--insecure',
        ...['--base', `${registry.host}/${BASE}:v0.6.0`, '--new_tag', `${registry.host}/bench/append:fat`],
        ...weightLayers(layout).flatMap(file => ['--new_layer', file]),
      ],
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
    commands: world => buildAndPush(world),
  },
  {
    name: 'the same, layers not compressed',
    tools: ['buildah', 'curl'],
    commands: world => buildAndPush(world, ['--disable-compression']),
  },
];

/** The tars of a layout's weights. */
function weightLayers(layout: string): string[] {
  const folder = path.join(layout, 'blobs', 'sha256');
  return readdirSync(folder)
    .map(name => path.join(folder, name))
    .filter(file => statSync(file).size > 1024 * 1024);
}

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

function buildAndPush(
  { site, registry, scratch }: RivalWorld,
  pushFlags: readonly string[] = [],
): string[][] {
  const image = { base: `${registry.host}/${BASE}:v0.6.0`, name: `${registry.host}/bench/buildah:fat` };
  return buildahCommands({ model: site.model, scratch }, image, pushFlags);
}

/** Downloads a model from `$HUB`, builds an image of it on `base`, and pushes it as `name`, below the folder `scratch`. */
export function buildahCommands(
  { model, scratch }: { readonly model: BenchModel; readonly scratch: string },
  { base, name }: { readonly base: string; readonly name: string },
  pushFlags: readonly string[] = [],
): string[][] {
  writeFileSync(path.join(scratch, 'Containerfile'), `FROM ${base}\nCOPY model /models/random\n`);
  const storage = [...BUILDAH, '--root', path.join(scratch, 'root'), '--runroot', path.join(scratch, 'run')];
  const fetches = model.files.map(
    file => `curl -sfL "$HUB/${model.id}/resolve/${model.revision}/${file.path}" -o '${file.path}'`,
  );
  return [
    ['bash', '-euc', `mkdir -p "$0"; cd "$0"; ${fetches.join('; ')}`, path.join(scratch, 'model')],
    [...storage, 'build', '-q', '--isolation', 'chroot', '--tls-verify=false', '-t', name, scratch],
    [...storage, 'push', '-q', '--tls-verify=false', ...pushFlags, name],
  ];
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
