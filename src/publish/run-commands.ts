import { isLoopbackHost } from '../http/client.ts';
import { parseReference } from '../oci/reference.ts';

/** What it takes to run an image by hand. */
export interface RunnableImage {
  /** Full reference, with a tag or digest. */
  readonly reference: string;
  /** `hf-x`, for names. */
  readonly name: string;
  readonly variant: string;
  readonly port: number;
  /** `/models/x`: where the model stands in the image, or in the volume. */
  readonly dir: string;
  /** Bytes of the model, for the size of a volume; undefined where nobody knows. */
  readonly modelBytes: number | undefined;
}

export function pullCommand(engine: 'docker' | 'podman', reference: string): string {
  return [engine, 'pull', ...plainHttp(engine, reference), reference].join(' ');
}

/** A command to paste into a shell. A slim image keeps its model in the volume `models`. */
export function runCommand(engine: 'docker' | 'podman', image: RunnableImage): string {
  const { reference, variant, port, dir } = image;
  const gpu = engine === 'docker' ? '--gpus all' : '--device nvidia.com/gpu=all';
  const lines = [
    [`${engine} run --rm`, gpu, '--ipc=host', `-p ${port}:${port}`, ...plainHttp(engine, reference)].join(
      ' ',
    ),
    ...(variant === 'slim' ? [`-v models:${rootOf(dir)} -e HF_TOKEN`] : []),
    reference,
  ];
  return lines.join(' \\\n  ');
}

/** A Deployment with its Service and, for slim, the volume claim that the model is kept in. */
export function kubernetesManifest(image: RunnableImage): string {
  const { name, variant } = image;
  const isSlim = variant === 'slim';
  const claim = isSlim ? `${volumeClaim(image)}---\n` : '';
  const env = isSlim
    ? `          env:
            - name: HF_TOKEN
              valueFrom: { secretKeyRef: { name: hf-token, key: token, optional: true } }
`
    : '';
  const mount = isSlim ? `            - { name: models, mountPath: ${rootOf(image.dir)} }\n` : '';
  const volume = isSlim
    ? `        - name: models\n          persistentVolumeClaim: { claimName: ${name} }\n`
    : '';
  return `${claim}${deployment(image, { name, container: env, mount, volume })}---
${service(name, image.port)}`;
}

/**
 * The model of a fat image as a read-only volume of another vLLM image (Kubernetes 1.36, or 1.33 with the feature gate
 * ImageVolume), so that a new vLLM pulls no weights again.
 */
export function imageVolumeManifest(image: RunnableImage, serverImage: string): string {
  const { name, reference, dir } = image;
  return deployment(
    { ...image, reference: serverImage },
    {
      name,
      container: `          command: [vllm, serve, ${dir}]
`,
      mount: `            - { name: model, mountPath: ${dir}, subPath: ${dir.slice(1)}, readOnly: true }\n`,
      volume: `        - name: model\n          image: { reference: "${reference}", pullPolicy: IfNotPresent }\n`,
    },
  );
}

interface PodParts {
  readonly name: string;
  readonly container: string;
  readonly mount: string;
  readonly volume: string;
}

function deployment(
  { reference, port }: RunnableImage,
  { name, container, mount, volume }: PodParts,
): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      containers:
        - name: vllm
          image: "${reference}"
${container}          ports: [{ containerPort: ${port} }]
          readinessProbe: { httpGet: { path: /v1/models, port: ${port} }, periodSeconds: 5 }
          resources: { limits: { nvidia.com/gpu: 1 } }
          volumeMounts:
            - { name: shm, mountPath: /dev/shm }
${mount}      volumes:
        - name: shm
          emptyDir: { medium: Memory, sizeLimit: 2Gi }
${volume}`;
}

function service(name: string, port: number): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app: ${name} }
  ports: [{ port: ${port} }]
`;
}

const GIB = 1024 ** 3;

/** Room for the model and for a download that is started again beside it. */
function volumeClaim({ name, modelBytes }: RunnableImage): string {
  const gib = modelBytes === undefined ? 50 : Math.max(1, Math.ceil((modelBytes * 1.2) / GIB));
  return `apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name} }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: ${gib}Gi } }
`;
}

function rootOf(dir: string): string {
  return dir.slice(0, dir.lastIndexOf('/')) || '/';
}

/** Docker knows by itself that a registry on this machine has no TLS; podman has to be told. */
function plainHttp(engine: 'docker' | 'podman', reference: string): string[] {
  const host = new URL(`http://${parseReference(reference).registry}`).hostname;
  return engine === 'podman' && isLoopbackHost(host) ? ['--tls-verify=false'] : [];
}
