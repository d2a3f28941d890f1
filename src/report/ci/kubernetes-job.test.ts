import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { parseAllDocuments } from 'yaml';
import { kubernetesJob } from './kubernetes-job.ts';

const OPTIONS = {
  configFiles: [{ path: 'models.yaml', text: 'models: []\n' }],
  count: 2,
  version: '1.0.0',
  workerImage: 'node:24-slim',
  workerCommand: ['weighbridge'],
  parallelism: 8,
};

function read(planText?: string) {
  const text = kubernetesJob({ ...OPTIONS, planText });
  const [configMap, job] = parseAllDocuments(text).map(document => document.toJS());
  return { configMap, args: job.spec.template.spec.containers[0].args as string[] };
}

test('a plan goes with the Job as long as its ConfigMap has room, and its workers publish that', () => {
  const { configMap, args } = read('{"schemaVersion":1}');
  const zipped = Buffer.from(configMap.binaryData['plan.json.gz'], 'base64');
  assert.equal(String(gunzipSync(zipped)), '{"schemaVersion":1}');
  assert.deepEqual(args.slice(3, 5), ['--plan', '/etc/weighbridge/plan.json.gz']);
  for (const text of [undefined, randomText()]) {
    const without = read(text);
    assert.equal(without.configMap.binaryData, undefined);
    assert.ok(!without.args.includes('--plan'));
  }
});

test('included files are mounted where the file includes them from', () => {
  const path = 'models.d/team a.yaml';
  const text = kubernetesJob({
    ...OPTIONS,
    configFiles: [...OPTIONS.configFiles, { path, text: 'models: [] # a\n' }],
  });
  const [configMap, job] = parseAllDocuments(text).map(document => document.toJS());
  const [volume] = job.spec.template.spec.volumes;
  const mounted = volume.configMap.items.map(({ key, path }: { key: string; path: string }) => [
    path,
    configMap.data[key],
  ]);
  assert.deepEqual(mounted, [
    ['models.yaml', 'models: []\n'],
    [path, 'models: [] # a\n'],
  ]);
});

/** Of more than a ConfigMap holds, and not to be zipped. */
function randomText(): string {
  const blocks = Array.from({ length: 20 }, () => crypto.getRandomValues(new Uint8Array(60_000)));
  return Buffer.concat(blocks).toString('base64');
}
