import { GIB } from '../../core/units.ts';
import type { ServedImage } from './served-image.ts';

/** YAML's values. */
export type Resource = Readonly<Record<string, unknown>>;

/** Any that is not root's. */
const USER = 12345;
const PROBE_SECONDS = 10;
/** Slim images download first. */
const DOWNLOAD_SECONDS = 3600;
const LOAD_SECONDS = 600;

interface ContainerParts {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly Resource[];
  readonly mounts?: readonly Resource[];
  readonly isRestricted: boolean;
  readonly isDownloading: boolean;
}

/** Returns the container that serves the model. */
export function serverContainer(served: ServedImage, parts: ContainerParts): Resource {
  const { image, command, env = [], mounts = [], isRestricted, isDownloading } = parts;
  // vLLM and its compilers want a place for what they generate, and a name for the user.
  const home = isRestricted
    ? [
        { name: 'HOME', value: '/tmp' },
        { name: 'USER', value: 'vllm' },
      ]
    : [];
  const args = [...(parts.args ?? []), ...(served.addedArgs ?? [])];
  const seconds = isDownloading ? DOWNLOAD_SECONDS : LOAD_SECONDS;
  const ready = { httpGet: { path: '/v1/models', port: 'http' }, periodSeconds: PROBE_SECONDS };
  return {
    name: 'vllm',
    image,
    ...(command === undefined ? {} : { command }),
    ...(args.length === 0 ? {} : { args }),
    ...(env.length + home.length === 0 ? {} : { env: [...env, ...home] }),
    ports: [{ name: 'http', containerPort: served.port }],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...(isRestricted ? { securityContext: CONFINED } : {}),
    startupProbe: { ...ready, failureThreshold: seconds / PROBE_SECONDS },
    readinessProbe: ready,
    livenessProbe: {
      httpGet: { path: '/health', port: 'http' },
      periodSeconds: 20,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    resources: resources(served),
    volumeMounts: [
      ...mounts,
      ...(isRestricted ? [{ name: 'scratch', mountPath: '/tmp' }] : []),
      { name: 'shared-memory', mountPath: '/dev/shm' },
    ],
  };
}

/** What the `restricted` Pod Security Standard asks of a container, and a root file system that is not written. */
export const CONFINED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** Returns a pod's security context. `isWriting`: the pod writes a volume, which has to be its user's then. */
export function podSecurity(isWriting: boolean): Resource {
  return {
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      ...(isWriting ? { fsGroup: USER, fsGroupChangePolicy: 'OnRootMismatch' } : {}),
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** Returns the volumes that every server has. */
export function serverVolumes(isRestricted: boolean): readonly Resource[] {
  return [
    ...(isRestricted ? [{ name: 'scratch', emptyDir: { sizeLimit: '10Gi' } }] : []),
    // vLLM's workers talk through it; a container's own has 64 MB.
    { name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } },
  ];
}

/**
 * Returns the token for a gated or private model, if there is such a secret: a volume that has the model already needs
 * none.
 */
export function tokenEnv({ access }: Pick<ServedImage, 'access'>): readonly Resource[] {
  if (access === undefined) return [];
  const secretKeyRef = { name: 'huggingface', key: 'token', optional: true };
  return [{ name: 'HF_TOKEN', valueFrom: { secretKeyRef } }];
}

function resources({ modelBytes = 0, gpus }: ServedImage): Resource {
  const memoryGib = Math.max(8, Math.ceil((modelBytes * 1.2) / GIB) + 4);
  return {
    requests: { cpu: '2', memory: `${memoryGib}Gi` },
    limits: { memory: `${memoryGib * 2}Gi`, 'nvidia.com/gpu': String(gpus) },
  };
}

/** Returns the size of a volume claim: the model once, and room for the next revision's changed files. */
export function claimSize({ modelBytes }: Pick<ServedImage, 'modelBytes'>): string {
  return `${modelBytes === undefined ? 50 : Math.max(1, Math.ceil((modelBytes * 1.5) / GIB))}Gi`;
}

/** Returns the labels that connect a Service with its pods. */
export function labelsOf({ name }: Pick<ServedImage, 'name'>): Resource {
  return { 'app.kubernetes.io/name': name };
}
