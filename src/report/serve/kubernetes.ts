import { holdsWeights } from '../../config/variants.ts';
import {
  CONFINED,
  claimSize,
  labelsOf,
  podSecurity,
  type Resource,
  serverContainer,
  serverVolumes,
  tokenEnv,
} from './pod-parts.ts';
import type { ServedImage } from './served-image.ts';

/** How an image is run on Kubernetes. */
export interface DeploymentOptions {
  /** Fits the `restricted` Pod Security Standard. A fat image always does. */
  readonly isRestricted?: boolean;
  /** The weights are fetched by an init container, and the server cannot write them. */
  readonly hasInitContainer?: boolean;
  /** Made besides, and where everything is. */
  readonly namespace?: string;
}

/** Returns a Deployment with its Service and, for slim, the claim that the model is kept in. */
export function kubernetesResources(served: ServedImage, options: DeploymentOptions = {}): Resource[] {
  return holdsWeights(served.variant)
    ? [deployment(served, fatPod(served)), service(served)]
    : [claim(served), deployment(served, slimPod(served, options)), service(served)];
}

/** Returns the resources in the namespace that the options name, after the namespace itself; without one as they are. */
export function inNamespace(
  resources: readonly Resource[],
  { namespace, isRestricted = false }: DeploymentOptions,
): readonly Resource[] {
  if (namespace === undefined) return resources;
  const inside = resources.map(one => ({ ...one, metadata: { ...(one.metadata as object), namespace } }));
  return [namespaceOf(namespace, isRestricted), ...inside];
}

/** Returns a Deployment of any vLLM image whose model is the image as a read-only volume. */
export function imageVolumeResources(served: ServedImage, server: string): Resource[] {
  const root = served.dir.slice(0, served.dir.lastIndexOf('/')) || '/';
  const pod = {
    ...podSecurity(false),
    containers: [
      serverContainer(served, {
        image: server,
        command: ['vllm', 'serve', served.dir],
        args: ['--served-model-name', served.modelId, ...served.serveArgs],
        env: [{ name: 'HF_HUB_OFFLINE', value: '1' }],
        // The folder alone: what else is in the image is not the server's.
        mounts: [{ name: 'model', mountPath: root, subPath: root.slice(1), readOnly: true }],
        isRestricted: true,
        isDownloading: false,
      }),
    ],
    volumes: [imageVolume(served.reference), ...serverVolumes(true)],
  };
  return [deployment(served, pod), service(served)];
}

/** Returns a DaemonSet that has every node pull the image and keep it. */
export function prepullResources(served: ServedImage): Resource[] {
  const labels = { ...labelsOf(served), 'app.kubernetes.io/component': 'prepull' };
  const isRunnable = served.server !== undefined;
  const container = { securityContext: CONFINED, resources: { requests: { cpu: '10m', memory: '16Mi' } } };
  // Without a command in it, an image of weights is pulled as a volume.
  const pull = isRunnable
    ? { initContainers: [{ name: 'pull', image: served.reference, command: ['/bin/true'], ...container }] }
    : { volumes: [imageVolume(served.reference)] };
  const mounts = isRunnable ? {} : { volumeMounts: [{ name: 'model', mountPath: '/model', readOnly: true }] };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: `${served.name.slice(0, 55)}-prepull`, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            ...podSecurity(false),
            ...pull,
            containers: [{ name: 'keep', image: PAUSE_IMAGE, ...container, ...mounts }],
          },
        },
      },
    },
  ];
}

const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10.1';

/** Returns the volume of a pod that is an image. */
export function imageVolume(reference: string): Resource {
  return { name: 'model', image: { reference, pullPolicy: 'IfNotPresent' } };
}

function fatPod(served: ServedImage): Resource {
  const { reference: image } = served;
  return {
    ...podSecurity(false),
    containers: [serverContainer(served, { image, isRestricted: true, isDownloading: false })],
    volumes: serverVolumes(true),
  };
}

function slimPod(served: ServedImage, options: DeploymentOptions): Resource {
  const { isRestricted = false, hasInitContainer = false } = options;
  const { reference: image, dir } = served;
  const token = tokenEnv(served);
  const mount = { name: 'weights', mountPath: dir.slice(0, dir.lastIndexOf('/')) || '/' };
  const download = {
    name: 'download',
    image,
    args: ['download'],
    ...(token.length === 0 ? {} : { env: token }),
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...(isRestricted ? { securityContext: CONFINED } : {}),
    resources: { requests: { cpu: '1', memory: '512Mi' }, limits: { memory: '2Gi' } },
    volumeMounts: [mount, ...(isRestricted ? [{ name: 'scratch', mountPath: '/tmp' }] : [])],
  };
  const server = hasInitContainer
    ? { env: [{ name: 'HF_HUB_OFFLINE', value: '1' }], mounts: [{ ...mount, readOnly: true }] }
    : { env: token, mounts: [mount] };
  return {
    ...(isRestricted ? podSecurity(true) : {}),
    terminationGracePeriodSeconds: 60,
    ...(hasInitContainer ? { initContainers: [download] } : {}),
    containers: [
      serverContainer(served, { image, ...server, isRestricted, isDownloading: !hasInitContainer }),
    ],
    volumes: [
      { name: 'weights', persistentVolumeClaim: { claimName: served.name } },
      ...serverVolumes(isRestricted),
    ],
  };
}

function deployment(served: ServedImage, pod: Resource): Resource {
  const { name } = served;
  const labels = labelsOf(served);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: 1,
      // The old pod lets go of the GPU and the volume before the new one wants them.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod },
    },
  };
}

function service(served: ServedImage): Resource {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: served.name, labels: labelsOf(served) },
    spec: { selector: labelsOf(served), ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
}

function claim(served: ServedImage): Resource {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: served.name, labels: labelsOf(served) },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: claimSize(served) } } },
  };
}

function namespaceOf(name: string, isRestricted: boolean): Resource {
  const labels = isRestricted ? { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } : {};
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, ...labels } };
}
