import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import apache from 'spdx-license-list/licenses/Apache-2.0.json' with { type: 'json' };
import { startHub } from '../../../src/testkit/hub.ts';
import { startRegistry } from '../../../src/testkit/registry.ts';
import type { Faults } from '../../../src/testkit/server/faults.ts';
import { weighbridge } from '../../support/command.ts';
import { IS_LONG } from '../../support/long.ts';
import { temporaryFolder } from '../../support/tools.ts';
import { BASE_REPOSITORY, LOGIN, putBase } from '../../support/world.ts';

const MODELS = 300;
/** The bound of all publishes, and what the connections to three servers at once come to, twice over. */
const MAX_MEMORY_MIB = 250;
const MAX_DESCRIPTORS = 320;
/** Waiting before each further try is most of its time, so the everyday run does without it. */
const SKIP = IS_LONG ? false : 'in the long form';
const BROKEN_SHARE = 0.15;
/** What becomes of one request in seven, each as often as the others. */
const BREAKS = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 429, headers: { 'retry-after': '0' } },
  { kind: 'reset', afterBytes: 200 },
  { kind: 'lose-answer' },
  { kind: 'truncate', afterBytes: 500 },
] as const;

/** The same every time: a linear congruential generator, https://en.wikipedia.org/wiki/Linear_congruential_generator */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function breakSome(faults: Faults, seed: number): void {
  const random = generator(seed);
  let drawn = 0;
  // One draw a request, made at the first rule: the first that fits strikes.
  BREAKS.forEach((fault, index) => {
    const isIts = (): boolean => {
      if (index === 0) drawn = random();
      return (
        drawn >= (index * BROKEN_SHARE) / BREAKS.length &&
        drawn < ((index + 1) * BROKEN_SHARE) / BREAKS.length
      );
    };
    faults.add({ ...fault, match: isIts, times: Number.POSITIVE_INFINITY });
  });
}

test(`${MODELS} models on two registries, while every seventh request breaks: all are published in one run`, {
  skip: SKIP,
}, async t => {
  await using hub = await startHub();
  await using first = await startRegistry({ auth: { kind: 'bearer', ...LOGIN } });
  await using second = await startRegistry();
  putBase(first, 'v0.6.0');
  const names = Array.from({ length: MODELS }, (_, index) => `m${index}`);
  for (const name of names) {
    const card = '---\nlicense: apache-2.0\n---\n# x\n';
    const weights = Buffer.from(name.repeat(2000));
    const files = {
      'README.md': card,
      LICENSE: apache.licenseText,
      'config.json': `{"n":"${name}"}`,
      'model.safetensors': weights,
    };
    await hub.addModel({ id: `acme/${name}`, files });
  }
  const folder = await temporaryFolder(t);
  const file = path.join(folder, 'models.yaml');
  const models = names.map(name => `  - { id: acme/${name}, short: ${name} }\n`).join('');
  const base = `${first.host}/${BASE_REPOSITORY}:v0.6.0`;
  const text = `registries: { a: "${first.host}/m", b: "${second.host}/m" }\ndefaults: { base_image: "${base}" }\nmodels:\n${models}`;
  await writeFile(file, text);
  const auth = Buffer.from(`${LOGIN.user}:${LOGIN.password}`).toString('base64');
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ auths: { [first.host]: { auth } } }));
  [hub, first, second].forEach((server, index) => {
    breakSome(server.faults, index + 1);
  });
  const account = path.join(folder, 'account.json');
  const { status, stdout, stderr } = await weighbridge(['publish', '--config', file, '--json'], {
    env: {
      ...{ HF_ENDPOINT: hub.url, DOCKER_CONFIG: folder, WEIGHBRIDGE_RETRY_SECONDS: '60' },
      ...{ NODE_OPTIONS: `--import=${ACCOUNT}`, ACCOUNT_FILE: account },
    },
  });
  assert.equal(status, 0, stderr.slice(-3000));
  const published = JSON.parse(stdout).models as { images: { status: string; error?: unknown }[] }[];
  const statuses = published.flatMap(model => model.images.map(image => image.status));
  assert.equal(statuses.filter(one => one === 'published').length, MODELS * 4, JSON.stringify(statuses));
  const requests = [hub, first, second].map(({ log }) => log.length);
  const { peakMiB, cpuSeconds, quarters } = JSON.parse(await readFile(account, 'utf8'));
  t.diagnostic(
    `${requests.join(' + ')} requests; ${cpuSeconds} s of CPU, peak ${peakMiB} MiB; each quarter of the run:`,
  );
  for (const { rssMiB, descriptors } of quarters) t.diagnostic(`  ${rssMiB} MiB, ${descriptors} descriptors`);
  assert.ok(peakMiB < MAX_MEMORY_MIB, `${peakMiB} MiB`);
  for (const { descriptors } of quarters)
    assert.ok(descriptors < MAX_DESCRIPTORS, `${descriptors} descriptors`);
});

/** What the process held at most, and in each quarter of its run; a number of samples and no clock makes the quarters. */
const ACCOUNT = `data:text/javascript,${encodeURIComponent(`
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const samples = [];
if (isMainThread) setInterval(() => {
  samples.push([process.memoryUsage.rss(), readdirSync('/proc/self/fd').length]);
}, 250).unref();
process.on('exit', () => {
  if (!isMainThread) return;
  const peak = /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  const { user, system } = process.cpuUsage();
  const quarters = [0, 1, 2, 3].map(index => {
    const some = samples.slice(index * samples.length / 4, (index + 1) * samples.length / 4);
    const most = place => Math.max(0, ...some.map(sample => sample[place]));
    return { rssMiB: Math.round(most(0) / 2 ** 20), descriptors: most(1) };
  });
  const account = { peakMiB: Math.round(peak / 1024), cpuSeconds: Math.round((user + system) / 1e6), quarters };
  writeFileSync(process.env.ACCOUNT_FILE, JSON.stringify(account));
});
`)}`;
