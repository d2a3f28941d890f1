import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { ContainerOptions } from '../podman.ts';
import type { CaseGroup } from './table.ts';
import { argvOf, FILE_LIST, filesOf, NEWEST, NOWHERE, type SlimWorld, TOKEN } from './world.ts';

const EXAMPLES = path.join(import.meta.dirname, '..', '..', '..', 'docs', 'kubernetes');

interface Pod {
  readonly securityContext?: { readonly runAsUser?: number; readonly runAsGroup?: number };
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext?: {
    readonly readOnlyRootFilesystem?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly capabilities?: { readonly drop: readonly string[] };
  };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: true;
  }[];
}

interface Volume {
  readonly name: string;
  readonly persistentVolumeClaim?: object;
  readonly secret?: object;
}

/** The examples of docs/kubernetes.md, their pods started container by container as they say. */
export const KUBERNETES: CaseGroup = {
  title: 'docs/kubernetes',
  cases: [
    // Only the example with an init container is of a gated model and has a token.
    { name: 'slim-deployment.yaml', run: world => runsPod(world, 'slim-deployment.yaml', 'small') },
    {
      name: 'slim-init-container.yaml, gated',
      run: world => runsPod(world, 'slim-init-container.yaml', 'gated'),
    },
    { name: 'slim-restricted.yaml', run: world => runsPod(world, 'slim-restricted.yaml', 'small') },
    { name: 'fat-deployment.yaml', run: world => runsPod(world, 'fat-deployment.yaml', 'small', 'fat') },
    { name: 'the fat image as a volume of the base image, as in fat-image-volume.yaml', run: mountsImage },
  ],
};

async function runsPod(world: SlimWorld, file: string, model: string, variant?: 'fat'): Promise<string> {
  const pod = await podOf(file);
  const claim = await world.newVolume();
  const secret = await world.newVolume();
  await writeFile(path.join(secret, 'token'), TOKEN);
  const image = world.imageOf(model, NEWEST, variant);
  const seen: string[] = [];
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const asked = world.hub.log.length;
    // A server that comes after a download must not need the Hub.
    const hub = container !== pod.initContainers?.[0] && pod.initContainers ? NOWHERE : world.hub.url;
    const result = await world.podman.run(optionsOf(pod, container, { image, hub, claim, secret }));
    assert.equal(result.status, 0, result.stderr);
    if (!pod.initContainers?.includes(container)) {
      assert.deepEqual(filesOf(result), FILE_LIST);
      const { args = [] } = container;
      assert.deepEqual(argvOf(result).slice(argvOf(result).length - args.length), args);
    }
    seen.push(`${container.name}: status 0, ${world.hub.log.length - asked} requests to the Hub`);
  }
  return seen.join('; ');
}

/** Podman mounts an image too, though not a folder of it alone. */
async function mountsImage(world: SlimWorld): Promise<string> {
  const model = world.imageOf('small', NEWEST, 'fat');
  await world.podman.pull(model);
  const result = await world.podman.run({
    image: `${world.registry.host}/base/vllm:${NEWEST}`,
    args: ['/model/models/small', '--served-model-name', 'org/small'],
    flags: ['--mount', `type=image,source=${model},destination=/model`, '--read-only'],
    user: '12345',
    network: 'none',
    env: { VLLM_STAND_IN_EXIT: '1' },
  });
  assert.equal(result.status, 0, result.stderr);
  assert.deepEqual(filesOf(result), FILE_LIST);
  return `vllm serve /model/models/small, all ${FILE_LIST.length} files with their hashes`;
}

async function podOf(file: string): Promise<Pod> {
  const resources = parseAllDocuments(await readFile(path.join(EXAMPLES, file), 'utf8'));
  const deployment = resources.map(resource => resource.toJS()).find(({ kind }) => kind === 'Deployment');
  assert.ok(deployment, file);
  return deployment.spec.template.spec;
}

interface Surroundings {
  readonly image: string;
  readonly hub: string;
  readonly claim: string;
  readonly secret: string;
}

/** What a kubelet would make of it, but for limits and probes. */
function optionsOf(
  pod: Pod,
  container: Container,
  { image, hub, claim, secret }: Surroundings,
): ContainerOptions {
  const { runAsUser = 0, runAsGroup = 0 } = pod.securityContext ?? {};
  const security = container.securityContext ?? {};
  const sourceOf = ({ name }: { readonly name: string }) => {
    const volume = pod.volumes.find(one => one.name === name);
    return volume?.persistentVolumeClaim ? claim : volume?.secret ? secret : undefined;
  };
  const mounts = container.volumeMounts.map(mount => ({ ...mount, source: sourceOf(mount) }));
  const env = (container.env ?? []).map(({ name, value = TOKEN }) => [name, value]);
  return {
    image,
    args: container.args ?? [],
    user: `${runAsUser}:${runAsGroup}`,
    env: { ...Object.fromEntries(env), HF_ENDPOINT: hub, VLLM_STAND_IN_EXIT: '1' },
    volumes: mounts.flatMap(({ source, mountPath, readOnly }) =>
      source === undefined ? [] : [`${source}:${mountPath}${readOnly ? ':ro' : ''}`],
    ),
    flags: [
      ...mounts.flatMap(({ source, mountPath }) => (source === undefined ? ['--tmpfs', mountPath] : [])),
      ...(security.readOnlyRootFilesystem ? ['--read-only', '--read-only-tmpfs=false'] : []),
      ...(security.allowPrivilegeEscalation === false ? ['--security-opt', 'no-new-privileges'] : []),
      ...(security.capabilities?.drop ?? []).flatMap(name => ['--cap-drop', name]),
    ],
  };
}
