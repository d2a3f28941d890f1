import { holdsWeights } from '../../config/variants.ts';
import { type RunnableImage, rootOf } from './run-commands.ts';

/** A Deployment with its Service and, for slim, the volume claim that the model is kept in. */
export function kubernetesManifest(image: RunnableImage): string {
  const { name, variant, dir } = image;
  if (holdsWeights(variant)) return `${deployment(image, {})}---\n${service(name)}`;
  const parts: PodParts = {
    // A slim image has the weights to fetch before it serves.
    startSeconds: 3600,
    env: `          env:
            - name: HF_TOKEN
              valueFrom: { secretKeyRef: { name: huggingface, key: token, optional: true } }
`,
    mount: `            - { name: weights, mountPath: ${rootOf(dir)} }\n`,
    volume: `        - name: weights\n          persistentVolumeClaim: { claimName: ${name} }\n`,
  };
  return `${volumeClaim(image)}---\n${deployment(image, parts)}---\n${service(name)}`;
}

/**
 * The model of a fat image as a read-only volume of another vLLM image (Kubernetes 1.36; a feature gate before), so that
 * a new vLLM pulls no weights again.
 */
export function imageVolumeManifest(image: RunnableImage, serverImage: string, modelId: string): string {
  const { reference, dir, port } = image;
  const root = rootOf(dir);
  return deployment(
    { ...image, reference: serverImage },
    {
      command: `          command: [vllm, serve, ${dir}]
          args: [--served-model-name, "${modelId}", --port, "${port}"]
`,
      env: `          env: [{ name: HF_HUB_OFFLINE, value: "1" }]\n`,
      mount: `            - { name: model, mountPath: ${root}, subPath: ${root.slice(1)}, readOnly: true }\n`,
      volume: `        - name: model\n          image: { reference: "${reference}", pullPolicy: IfNotPresent }\n`,
    },
  );
}

/** Lines that only some pods have. */
interface PodParts {
  readonly startSeconds?: number;
  readonly command?: string;
  readonly env?: string;
  readonly mount?: string;
  readonly volume?: string;
}

const PROBE_SECONDS = 10;

function deployment({ name, reference, port }: RunnableImage, parts: PodParts): string {
  const { startSeconds = 600, command = '', env = '', mount = '', volume = '' } = parts;
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  strategy: { type: Recreate }
  selector: { matchLabels: { app.kubernetes.io/name: ${name} } }
  template:
    metadata: { labels: { app.kubernetes.io/name: ${name} } }
    spec:
      containers:
        - name: vllm
          image: "${reference}"
${command}${env}          ports: [{ name: http, containerPort: ${port} }]
          terminationMessagePolicy: FallbackToLogsOnError
          startupProbe:
            httpGet: { path: /v1/models, port: http }
            periodSeconds: ${PROBE_SECONDS}
            failureThreshold: ${startSeconds / PROBE_SECONDS}
          readinessProbe:
            httpGet: { path: /v1/models, port: http }
          resources: { limits: { nvidia.com/gpu: "1" } }
          volumeMounts:
${mount}            - { name: shared-memory, mountPath: /dev/shm }
      volumes:
${volume}        - name: shared-memory
          emptyDir: { medium: Memory, sizeLimit: 2Gi }
`;
}

function service(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: { app.kubernetes.io/name: ${name} }
  ports: [{ name: http, port: 80, targetPort: http }]
`;
}

const GIB = 1024 ** 3;

/** The model once, and room for the next revision's changed files. */
function volumeClaim({ name, modelBytes }: RunnableImage): string {
  const gib = modelBytes === undefined ? 50 : Math.max(1, Math.ceil((modelBytes * 1.5) / GIB));
  return `apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: ${name} }
spec:
  accessModes: [ReadWriteOnce]
  resources: { requests: { storage: ${gib}Gi } }
`;
}
