import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { hasTool } from '../test/support/tools.ts';
import { type Row, runCases } from './cases.ts';
import { changes } from './change-cases.ts';
import { missingContainerd } from './containerd.ts';
import { bareHashes, type Site, toSinks } from './engine-cases.ts';
import { manyModels } from './many-cases.ts';
import { makeModel } from './model-data.ts';
import { weightsToRegistry } from './model-rivals.ts';
import { nodePulls } from './node-cases.ts';
import { type BenchOptions, type Group, HELP, readOptions } from './options.ts';
import { barChart } from './plot.ts';
import { compilePackage } from './publish.ts';
import { buildLayout, toRegistry } from './registry-cases.ts';
import { COLUMNS, perGigabyte, rateOf, ratioTo, table } from './report.ts';
import { presentRivals } from './rivals.ts';
import { makeCertificate, ownAddress } from './servers.ts';
import { slimStarts } from './slim-cases.ts';

/** Results go to stdout as Markdown tables, what is being done to stderr. */
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** MiB a second, of a Hub that is far away. */
const CONNECTION_RATE = 40;

const options = readOptions(process.argv.slice(2));
if (options === undefined) print(HELP);
else await main(options);

async function main(options: BenchOptions): Promise<void> {
  const needed = ['nginx', 'python3', 'docker-registry'].filter(tool => !hasTool(tool));
  if (needed.length > 0)
    throw new Error(`not on this machine: ${needed.join(', ')} (scripts/install-test-tools.sh)`);
  // Weights and the registry's store in memory, so that a disk is no part of what is measured; what tools write of
  // their own goes to a real disk, where the kernel counts it.
  const memory = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'weighbridge-bench-'));
  const disk = mkdtempSync(path.join(tmpdir(), 'weighbridge-bench-'));
  // What the machine's user has published is none of the bench's business, and would be read at each start.
  process.env.WEIGHBRIDGE_LAYER_INDEX = path.join(disk, 'layers.jsonl');
  try {
    await runGroups(options, memory, disk);
  } finally {
    for (const folder of [memory, disk]) rmSync(folder, { recursive: true, force: true });
  }
}

async function runGroups(options: BenchOptions, memory: string, disk: string): Promise<void> {
  say(`making ${options.files} files of ${options.fileBytes / 1024 / 1024} MiB`);
  const site = await makeSite(options, memory);
  const results: Partial<Record<Group, readonly Row[]>> = {};
  print(
    `${machine()}; ${options.files} files of ${options.fileBytes / 1024 / 1024} MiB; medians of ${options.rounds}`,
  );
  const only = (group: Group): boolean => options.groups.includes(group);
  if (only('engine')) results.engine = await engine(site, options);
  if (only('sizes')) results.sizes = await sizes(site, options, memory);
  if (only('ranges')) results.ranges = await ranges(site, options, memory);
  if (only('registry')) results.registry = await registry(site, options, disk);
  if (only('changes')) results.changes = await changed(site, options);
  if (only('many')) results.many = await many(site, options);
  if (only('node')) results.node = await node(site, options, disk);
  if (options.json !== undefined) {
    const { files, fileBytes, rounds } = options;
    const document = { schemaVersion: 1, machine: machine(), files, fileBytes, rounds, results };
    writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
  }
  if (options.plots !== undefined) writePlots(options.plots, results);
}

async function makeSite(options: BenchOptions, memory: string): Promise<Site> {
  const address = ownAddress();
  const certificate = address === undefined ? undefined : await makeCertificate(memory, address);
  if (certificate !== undefined) tls.setDefaultCACertificates([readFileSync(certificate.cert, 'utf8')]);
  return {
    folder: memory,
    weighbridge: await compilePackage(path.join(memory, 'package')),
    model: makeModel(path.join(memory, 'model'), options.files, options.fileBytes),
    tls: address === undefined || certificate === undefined ? undefined : { ...certificate, address },
  };
}

async function engine(site: Site, { rounds, fileBytes }: BenchOptions): Promise<Row[]> {
  const cases = [
    bareHashes(site),
    toSinks(site, 'publish to one target'),
    // What the hand-driven sockets are worth: the same through Node's own streams.
    toSinks(site, "publish to one target, Node's streams", { env: { WEIGHBRIDGE_DIRECT_READ: '0' } }),
    toSinks(site, 'publish to two targets', { targets: 2 }),
    toSinks(site, 'publish, each file divided', {
      maxLayerBytes: Math.max(1_000_000, Math.ceil(fileBytes / 2.5)),
    }),
    ...(site.tls === undefined ? [] : [toSinks(site, 'publish, TLS on both sides', { isTls: true })]),
  ];
  const rows = await runCases(cases, rounds, say);
  const [bare, one] = rows as [Row, Row];
  const ratios = [ratioTo('of bare hashing', bare, perGigabyte), ratioTo('of one target', one, perGigabyte)];
  const { cpu, targetCpu, rate, peak, written } = COLUMNS;
  print(`\n## CPU against the floor\n\n${table(rows, [...ratios, cpu, targetCpu, rate, peak, written])}`);
  return rows;
}

/** The same files again under other names, so that memory and time can be seen over the size of a model. */
async function sizes(site: Site, { files, fileBytes, rounds }: BenchOptions, memory: string): Promise<Row[]> {
  const cases = [1, 2, 4, 8].map(times => {
    const count = files * times;
    const model = makeModel(path.join(memory, `model-${times}`), count, fileBytes);
    return toSinks({ ...site, model }, `${((count * fileBytes) / 2 ** 30).toFixed(1)} GiB`);
  });
  const rows = await runCases(cases, Math.min(rounds, 2), say);
  const { cpu, rate, peak, written } = COLUMNS;
  print(`\n## Over the size of the model, to one target\n\n${table(rows, [cpu, rate, peak, written])}`);
  return rows;
}

/** One large file a worker, from a Hub that limits each connection and from one that does not. */
async function ranges(site: Site, { fileBytes, rounds }: BenchOptions, memory: string): Promise<Row[]> {
  const model = makeModel(path.join(memory, 'model-large'), 2, fileBytes * 2);
  const oneStream = { env: { WEIGHBRIDGE_HUB_STREAMS: '1' } };
  const cases = [
    { name: `${CONNECTION_RATE} MiB/s a connection`, connectionRate: CONNECTION_RATE },
    { name: 'no limit' },
  ].flatMap(({ name, ...limit }) => [
    toSinks({ ...site, model }, `${name}, one stream a file`, { ...limit, ...oneStream }),
    toSinks({ ...site, model }, `${name}, ranges where they help`, limit),
  ]);
  const rows = await runCases(cases, rounds, say);
  const { cpu, rate, peak } = COLUMNS;
  print(`\n## Several ranges of a file at once\n\n${table(rows, [rate, cpu, peak])}`);
  return rows;
}

async function registry(site: Site, { rounds }: BenchOptions, disk: string): Promise<Row[]> {
  const { present, missing } = await presentRivals();
  for (const name of missing) say(`not measured, its programs are not on this machine: ${name}`);
  const layout = await buildLayout(site, path.join(site.folder, 'layout'));
  const rows = await runCases(toRegistry(site, layout, disk, present), rounds, say);
  const [own] = rows as [Row];
  const ratio = ratioTo("times Weighbridge's", own, row => row.seconds);
  const { seconds, rate, cpu, targetCpu, peak, written } = COLUMNS;
  print(
    `\n## To one registry (distribution)\n\n${table(rows, [ratio, seconds, rate, cpu, targetCpu, peak, written])}`,
  );
  await using weights = await weightsToRegistry(site, disk, say);
  const alone = await runCases(weights.cases, rounds, say);
  const toFirst = ratioTo('times the first', alone[0] as Row, row => row.seconds);
  print(
    `\n## Weights alone, to one registry\n\n${table(alone, [toFirst, seconds, rate, cpu, targetCpu, peak, written])}`,
  );
  return [...rows, ...alone];
}

async function changed(site: Site, { rounds }: BenchOptions): Promise<Row[]> {
  const rows = await runCases(changes(site), Math.min(rounds, 2), say);
  const { uploaded, seconds } = COLUMNS;
  print(`\n## Publishing again\n\n${table(rows, [uploaded, seconds])}`);
  return rows;
}

async function many(site: Site, { models, rounds }: BenchOptions): Promise<Row[]> {
  const rows = await manyModels(site, { count: models, rounds }, say);
  const { seconds, ownCpu, peak, requests } = COLUMNS;
  print(`\n## Many models\n\n${table(rows, [seconds, ownCpu, peak, requests])}`);
  return rows;
}

/** What a node pays: containerd's pulls, and a slim image's first start. */
async function node(site: Site, { rounds }: BenchOptions, disk: string): Promise<Row[]> {
  const missing = missingContainerd();
  const pulls = missing === undefined ? await nodePulls(site, disk, Math.min(rounds, 2), say) : [];
  if (missing !== undefined) say(`pulls are not measured: ${missing}`);
  const { seconds, fetched, unpacked, cpu, rate, peak, written } = COLUMNS;
  if (pulls[0] !== undefined) {
    const ratio = ratioTo('times the first', pulls[0], row => row.seconds);
    print(`\n## Pulled by a node (containerd)\n\n${table(pulls, [ratio, seconds, fetched, unpacked])}`);
  }
  await using slim = await slimStarts(site, disk);
  const starts = await runCases(slim.cases, rounds, say);
  const ratio = ratioTo('times the first', starts[0] as Row, row => row.seconds);
  print(
    `\n## The first start of a slim image\n\n${table(starts, [ratio, seconds, rate, cpu, peak, written])}`,
  );
  return [...pulls, ...starts];
}

function writePlots(folder: string, results: Partial<Record<Group, readonly Row[]>>): void {
  mkdirSync(folder, { recursive: true });
  const write = (
    name: string,
    title: string,
    unit: string,
    rows: readonly Row[] | undefined,
    of: (row: Row) => number,
  ): void => {
    if (rows === undefined) return;
    const bars = rows.map(row => ({ label: row.name, value: of(row), isOurs: /publish|GiB/.test(row.name) }));
    writeFileSync(path.join(folder, `performance-${name}.svg`), barChart(title, unit, bars));
  };
  write(
    'cpu',
    'CPU for a gigabyte: two hashes and the way from socket to socket',
    's/GB',
    results.engine,
    perGigabyte,
  );
  const overTargets = results.engine?.filter(({ name }) => /targets?$/.test(name));
  write('targets', 'Throughput over the number of targets', 'MB/s', overTargets, rateOf);
  write('sizes', 'Throughput over the size of a model', 'MB/s', results.sizes, rateOf);
  write('registry', 'A model into a registry: time', 's', results.registry, row => row.seconds);
}

function machine(): string {
  return `${availableParallelism()} × ${cpus()[0]?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
}
