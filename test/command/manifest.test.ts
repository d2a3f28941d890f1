import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { weighbridge } from '../support/command.ts';
import { onlyLong } from '../support/long.ts';
import { temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

test('manifest --for kubeai writes the immutable tag of weights that were named by their moving one', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  await world.publish(world.config('acme/x', '    variants: [weights]\n'), { variants: ['weights'] });
  const repository = `${world.registry(0).host}/acme/hf-x`;
  const args = [
    'manifest',
    `${repository}:weights`,
    '--for',
    'kubeai',
    '--server',
    'vllm/vllm-openai:v0.11.0',
  ];
  const { status, stdout, stderr } = await weighbridge(args, { cwd: await temporaryFolder(t) });
  assert.equal(status, 0, stderr);
  const { spec } = parse(stdout) as { readonly spec: { readonly url: string; readonly image: string } };
  assert.match(spec.url, /:r[0-9a-f]{40}-weights$/);
  assert.ok(spec.url.startsWith(`oci://${repository}:`));
  assert.equal(spec.image, 'vllm/vllm-openai:v0.11.0');
});

test('an image on this machine alone is named as such: no cluster can pull it', async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const cwd = await temporaryFolder(t);
  await writeFile(path.join(cwd, 'models.yaml'), world.config('acme/x'));
  const options = { cwd, env: { HF_ENDPOINT: world.hub.url } };
  const built = await weighbridge(['build', '--variant', 'fat', '--output', 'oci:out'], options);
  assert.equal(built.status, 0, built.stderr);
  const args = ['manifest', 'oci:out:v0.6.0-fat', '--for', 'kubernetes'];
  const { status, stdout, stderr } = await weighbridge(args, options);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /kind: Deployment/);
  assert.match(stderr, /oci:out:v0\.6\.0-fat is on this machine alone: push it to a registry/);
});

test('options that change nothing are refused, and a namespace is that of every kind; status 2 and 0', {
  skip: onlyLong,
}, async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const variants = ['fat', 'weights'] as const;
  await world.publish(world.config('acme/x', '    variants: [fat, weights]\n'), { variants });
  const repository = `${world.registry(0).host}/acme/hf-x`;
  const cwd = await temporaryFolder(t);
  const run = async (...args: string[]) => await weighbridge(['manifest', ...args], { cwd });
  const [fat, weights] = [`${repository}:v0.6.0-fat`, `${repository}:weights`];

  for (const [args, named] of [
    [
      [fat, '--for', 'kubernetes', '--init-container'],
      '--init-container has no effect with --for kubernetes',
    ],
    [[fat, '--for', 'kubernetes', '--server', 'vllm:v1'], '--server has no effect'],
    [
      [fat, '--for', 'compose', '--restricted', '--namespace', 'm'],
      '--restricted and --namespace have no effect',
    ],
    [[weights, '--for', 'kserve', '--server', 'vllm:v1'], '--server has no effect'],
    [[fat, '--for', 'prepull', '--gpu-memory', '80'], '--gpu-memory has no effect'],
  ] as const) {
    const { status, stdout, stderr } = await run(...args);
    assert.deepEqual([status, stdout], [2, ''], args.join(' '));
    assert.ok(stderr.includes(named), stderr);
  }

  for (const args of [
    [weights, '--for', 'kubernetes', '--server', 'vllm:v1'],
    [fat, '--for', 'image-volume'],
    [weights, '--for', 'kserve'],
    [fat, '--for', 'prepull'],
  ]) {
    const { status, stdout, stderr } = await run(...args, '--namespace', 'models');
    assert.equal(status, 0, stderr);
    const resources = parseAllDocuments(stdout).map(document => document.toJS() as Resource);
    assert.deepEqual(
      [resources[0]?.kind, resources[0]?.metadata.name],
      ['Namespace', 'models'],
      args.join(' '),
    );
    for (const { metadata } of resources.slice(1)) assert.equal(metadata.namespace, 'models', args.join(' '));
  }
});

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}
