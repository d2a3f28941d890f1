import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { MIB } from '../src/core/units.ts';
import { buildBaseImage } from '../src/testkit/base-image.ts';
import { pushImage } from '../src/testkit/push-image.ts';
import { mediansOf, type Row, type Run } from './cases.ts';
import { Containerd, type TransferSettings } from './containerd.ts';
import type { Site } from './engine-cases.ts';
import { measure } from './measure.ts';
import { type BenchModel, changeFile, makeModel } from './model-data.ts';
import { BASE } from './publish.ts';
import { buildahCommands } from './rivals.ts';
import { type Server, startDistribution, startHub } from './servers.ts';

/** What a node pulls, in this order; only what it does not have yet counts. */
interface Scenario {
  readonly name: string;
  readonly settings?: TransferSettings;
  readonly steps: readonly { readonly name: string; readonly images: readonly string[] }[];
}

type Order = 'base-first' | 'weights-first';

/** A model, another one, and the first with a changed shard. */
interface Models {
  readonly x: BenchModel;
  readonly other: BenchModel;
  readonly changed: BenchModel;
}

/** What containerd fetches and unpacks of images of one model on two base images, in each way to publish them. */
export async function nodePulls(
  site: Site,
  disk: string,
  rounds: number,
  say: (line: string) => void,
): Promise<Row[]> {
  const folder = mkdtempSync(path.join(disk, 'node-'));
  const registry = await startDistribution(path.join(folder, 'registry'));
  try {
    const models = makeModels(site, folder);
    say('publishing what nodes pull');
    await putLargeBases(registry);
    for (const order of ['base-first', 'weights-first'] as const)
      await publishAll(site, folder, registry, models, order);
    await buildByBuildah(site, folder, registry);
    return await runScenarios(scenariosOf(registry), folder, { bytes: site.model.weightBytes, rounds, say });
  } finally {
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function scenariosOf({ host }: Server): Scenario[] {
  const of = (order: Order, model: keyof Models, tag: string): string =>
    `${host}/${order}/${model}/hf-x:${tag}`;
  const base = (version: string): string => `${host}/${BASE}:${version}`;
  const steps = (order: Order) => [
    { name: 'cold', images: [of(order, 'x', 'v1-fat')] },
    { name: 'a second model on the same base', images: [of(order, 'other', 'v1-fat')] },
    { name: 'a new base image', images: [of(order, 'x', 'v2-fat')] },
    { name: 'one shard of four changed', images: [of(order, 'changed', 'v1-fat')] },
  ];
  const weights = (model: keyof Models): string => of('weights-first', model, 'weights');
  const cold = steps('weights-first').slice(0, 1);
  return [
    { name: 'fat, base-first', steps: steps('base-first') },
    { name: 'fat, weights-first', steps: steps('weights-first') },
    {
      name: 'weights as an image volume',
      steps: [
        { name: 'cold', images: [base('v1'), weights('x')] },
        { name: 'a second model on the same base', images: [weights('other')] },
        { name: 'a new base image', images: [base('v2')] },
        { name: 'one shard of four changed', images: [weights('changed')] },
      ],
    },
    {
      name: 'built by buildah',
      steps: [
        { name: 'cold', images: [`${host}/buildah/x:v1`] },
        { name: 'a new base image', images: [`${host}/buildah/x:v2`] },
      ],
    },
    {
      name: 'fat, weights-first, max_concurrent_unpacks 4',
      settings: { max_concurrent_unpacks: 4 },
      steps: cold,
    },
    {
      name: 'the same, max_concurrent_downloads 8',
      settings: { max_concurrent_unpacks: 4, max_concurrent_downloads: 8 },
      steps: cold,
    },
    {
      name: 'the same, concurrent_layer_fetch_buffer 8 MiB',
      settings: {
        max_concurrent_unpacks: 4,
        max_concurrent_downloads: 8,
        concurrent_layer_fetch_buffer: 8_388_608,
      },
      steps: cold,
    },
  ];
}

/** Each scenario on a node of its own, every other round backwards. */
async function runScenarios(
  scenarios: readonly Scenario[],
  folder: string,
  {
    bytes,
    rounds,
    say,
  }: { readonly bytes: number; readonly rounds: number; readonly say: (line: string) => void },
): Promise<Row[]> {
  const runs = new Map<string, Run[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, settings, steps } of round % 2 === 0 ? scenarios : scenarios.toReversed()) {
      const place = mkdtempSync(path.join(folder, 'containerd-'));
      const node = await Containerd.start(place, settings);
      try {
        for (const step of steps) {
          const run = await pullAll(node, step.images);
          const title = `${name}: ${step.name}`;
          runs.set(title, [...(runs.get(title) ?? []), run]);
          say(`round ${round + 1}, ${title}: ${run.seconds.toFixed(1)} s`);
        }
      } finally {
        await node.stop();
        rmSync(place, { recursive: true, force: true });
      }
    }
  }
  const titles = scenarios.flatMap(({ name, steps }) => steps.map(step => `${name}: ${step.name}`));
  return titles.map(name => ({ name, bytes, ...mediansOf(runs.get(name) ?? []) }));
}

async function pullAll(node: Containerd, images: readonly string[]): Promise<Run> {
  const runs: Run[] = [];
  for (const image of images) runs.push(await node.pull(image));
  const sum = (key: keyof Run): number => runs.reduce((total, run) => total + (run[key] ?? 0), 0);
  return {
    cpuSeconds: 0,
    peakBytes: 0,
    writtenBytes: 0,
    seconds: sum('seconds'),
    fetchedBytes: sum('fetchedBytes'),
    unpackedBytes: sum('unpackedBytes'),
  };
}

function makeModels({ model }: Site, folder: string): Models {
  const weights = model.files.filter(file => file.sha256 !== undefined);
  const other = makeModel(path.join(folder, 'other'), weights.length, weights[0]?.sizeBytes ?? 0);
  return {
    x: model,
    other: { ...other, revision: other.revision.replace(/^./, '0') },
    changed: changeFile(model),
  };
}

/** Publishes `x` on both base images, and the others on the first. */
async function publishAll(
  { weighbridge }: Site,
  folder: string,
  { host }: Server,
  models: Models,
  order: Order,
): Promise<void> {
  for (const [version, names] of [
    ['v1', ['x', 'other', 'changed']],
    ['v2', ['x']],
  ] as const) {
    for (const name of names) {
      const model = models[name];
      const hub = await startHub(mkdtempSync(path.join(folder, 'hub-')), model);
      const config = path.join(folder, 'models.yaml');
      // All in the same folder of an image, as revisions of one model are.
      const settings = {
        registries: { node: `${host}/${order}/${name}` },
        defaults: {
          base_image: `${host}/${BASE}:${version}`,
          variants: ['fat', 'weights'],
          layer_order: order,
        },
        models: [{ id: model.id, short: 'x' }],
      };
      writeFileSync(config, JSON.stringify(settings));
      try {
        await measure([...weighbridge, 'publish', '--config', config], { env: { HF_ENDPOINT: hub.url } });
      } finally {
        await hub.stop();
      }
    }
  }
}

/** What a Dockerfile makes of the same files. */
async function buildByBuildah(site: Site, folder: string, registry: Server): Promise<void> {
  const hub = await startHub(mkdtempSync(path.join(folder, 'hub-')), site.model);
  try {
    for (const version of ['v1', 'v2']) {
      const scratch = mkdtempSync(path.join(folder, 'buildah-'));
      const image = {
        base: `${registry.host}/${BASE}:${version}`,
        name: `${registry.host}/buildah/x:${version}`,
      };
      for (const command of buildahCommands({ model: site.model, scratch }, image))
        await measure(command, { env: { HUB: hub.url } });
      rmSync(scratch, { recursive: true, force: true });
    }
  } finally {
    await hub.stop();
  }
}

/** Two bases of three layers, of which the last two differ. */
async function putLargeBases(registry: Server): Promise<void> {
  const system = halfRandom(64 * MIB);
  for (const version of ['v1', 'v2']) {
    const layers = [
      { 'usr/lib/system': system },
      { 'usr/lib/vllm': halfRandom(256 * MIB) },
      { 'opt/version': version },
    ];
    await pushImage(registry.url, BASE, version, buildBaseImage({ layers }));
  }
}

/** Bytes that pack to half their size, as software does. */
function halfRandom(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  const block = 64 * 1024;
  for (let at = 0; at < sizeBytes; at += block) randomFillSync(bytes, at, block / 2);
  return bytes;
}
