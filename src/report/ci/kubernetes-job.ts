import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { stringify } from 'yaml';
import { toShortName } from '../../config/field-checks.ts';

/** A batch of workers that publish the models of a file between them. */
export interface KubernetesJobOptions {
  /** models.yaml, then the files that it includes, named relative to it. */
  readonly configFiles: readonly { readonly path: string; readonly text: string }[];
  /** As `plan --out` writes it: the workers publish what was planned. Without one each plans anew. */
  readonly planText?: string | undefined;
  /** How many models it has: one index each. */
  readonly count: number;
  /** Version of Weighbridge that the workers run. */
  readonly version: string;
  /** An image with Node.js. */
  readonly workerImage: string;
  /** What starts Weighbridge in that image. */
  readonly workerCommand: readonly string[];
  readonly parallelism: number;
}

const CONFIG_FOLDER = '/etc/weighbridge';
const LOGIN_FOLDER = '/var/run/weighbridge';
const SECRET = 'weighbridge';
const LOGINS = 'weighbridge-registries';
const PLAN_FILE = 'plan.json.gz';
/** What a ConfigMap may hold, which is 1 MiB, less what is around it. */
const MAX_CONFIG_MAP_BYTES = 1_000_000;
const RETRIES_PER_MODEL = 3;
const USAGE_STATUS = 2;

/**
 * Returns a ConfigMap and an Indexed Job, as YAML for `kubectl apply -f -`. State is in the registries, so a worker
 * needs no volume, and an index that is started again finds what its predecessor had done.
 */
export function kubernetesJob(options: KubernetesJobOptions): string {
  const { configFiles, count, parallelism } = options;
  const plan = planData(options);
  // Another file is another Job: the pods of a Job cannot be changed.
  const hash = createHash('sha256').update(JSON.stringify(options)).digest('hex').slice(0, 10);
  const name = `weighbridge-${toShortName(hash)}`;
  const labels = { 'app.kubernetes.io/name': 'weighbridge', 'app.kubernetes.io/component': 'publish' };
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels },
    data: Object.fromEntries(configFiles.map(({ text }, index) => [keyOf(index), text])),
    ...(plan !== undefined && { binaryData: { [PLAN_FILE]: plan } }),
  };
  const job = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels },
    spec: {
      completionMode: 'Indexed',
      completions: count,
      parallelism: Math.min(parallelism, count),
      // One model that cannot be published does not stop the others.
      backoffLimitPerIndex: RETRIES_PER_MODEL,
      maxFailedIndexes: count,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          // A wrong file does not become right by trying again.
          {
            action: 'FailIndex',
            onExitCodes: { containerName: 'publish', operator: 'In', values: [USAGE_STATUS] },
          },
        ],
      },
      ttlSecondsAfterFinished: 7 * 24 * 3600,
      template: { metadata: { labels }, spec: podSpec(name, options, plan !== undefined) },
    },
  };
  return [COMMENT, stringify(configMap, YAML), '---\n', stringify(job, YAML)].join('');
}

/** `kubectl` reads anchors, but not everything that reads these files does. It reads `no` as in YAML 1.1. */
const YAML = { lineWidth: 120, aliasDuplicateObjects: false, compat: 'yaml-1.1' } as const;

const COMMENT = `# Made by "weighbridge plan --format kubernetes" for "kubectl apply -f -". Logins come from two Secrets, both optional:
#   kubectl create secret generic ${SECRET} --from-literal=HF_TOKEN=hf_...
#   kubectl create secret docker-registry ${LOGINS} --docker-server=ghcr.io --docker-username=... --docker-password=...
`;

/** The zipped plan as base64; undefined if there is none or the ConfigMap has no room for it. */
function planData({ planText, configFiles }: KubernetesJobOptions): string | undefined {
  if (planText === undefined) return undefined;
  const plan = gzipSync(planText, { level: 9 }).toString('base64');
  const sizeBytes = configFiles.reduce((sum, { text }) => sum + Buffer.byteLength(text), plan.length);
  return sizeBytes <= MAX_CONFIG_MAP_BYTES ? plan : undefined;
}

/** A key of a ConfigMap has no slashes: `items` of the volume puts each file where it is included from. */
function keyOf(index: number): string {
  return index === 0 ? 'models.yaml' : `included-${index}.yaml`;
}

function podSpec(configMap: string, options: KubernetesJobOptions, hasPlan: boolean): object {
  return {
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [publisher(options, hasPlan)],
    volumes: volumes(configMap, options, hasPlan),
  };
}

function publisher({ workerImage, workerCommand, count }: KubernetesJobOptions, hasPlan: boolean): object {
  return {
    name: 'publish',
    image: workerImage,
    command: workerCommand,
    // Kubernetes puts the index in, which says which of the models is this pod's.
    args: [
      ...['publish', '--config', `${CONFIG_FOLDER}/models.yaml`],
      ...(hasPlan ? ['--plan', `${CONFIG_FOLDER}/${PLAN_FILE}`] : []),
      ...['--shard', `$(JOB_COMPLETION_INDEX)/${count}`],
    ],
    env: [
      { name: 'HOME', value: '/tmp' },
      { name: 'CI', value: 'true' },
      { name: 'DOCKER_CONFIG', value: LOGIN_FOLDER },
      secretEnv('HF_TOKEN'),
      secretEnv('DOCKERHUB_USERNAME'),
      secretEnv('DOCKERHUB_TOKEN'),
    ],
    // Weights pass through without touching a disk; memory stays flat whatever a model's size.
    resources: {
      requests: { cpu: '1', memory: '384Mi', 'ephemeral-storage': '256Mi' },
      limits: { memory: '768Mi', 'ephemeral-storage': '1Gi' },
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'models', mountPath: CONFIG_FOLDER, readOnly: true },
      { name: 'logins', mountPath: LOGIN_FOLDER, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
}

function volumes(configMap: string, { configFiles }: KubernetesJobOptions, hasPlan: boolean): object[] {
  const items = [
    ...configFiles.map(({ path }, index) => ({ key: keyOf(index), path })),
    ...(hasPlan ? [{ key: PLAN_FILE, path: PLAN_FILE }] : []),
  ];
  return [
    { name: 'models', configMap: { name: configMap, ...(configFiles.length > 1 && { items }) } },
    {
      name: 'logins',
      secret: {
        secretName: LOGINS,
        optional: true,
        items: [{ key: '.dockerconfigjson', path: 'config.json' }],
      },
    },
    { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
  ];
}

function secretEnv(name: string): object {
  return { name, valueFrom: { secretKeyRef: { name: SECRET, key: name, optional: true } } };
}
