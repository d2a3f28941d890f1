import { type ManifestKind, type ManifestOptions, manifestText } from './manifest.ts';
import type { ServedImage } from './served-image.ts';

/** A file of docs/kubernetes. */
export interface KubernetesExample {
  readonly file: string;
  readonly text: string;
}

const SERVER = 'vllm/vllm-openai:v0.11.0';

/** Returns the files of docs/kubernetes: what `weighbridge manifest` prints, under a comment, and by tag. */
export function kubernetesExamples(): KubernetesExample[] {
  return EXAMPLES.map(({ file, comment, kind, image, options }) => {
    const head = comment.map(line => `# ${line}\n`).join('');
    return { file, text: `${head}${manifestText(kind, image, options)}` };
  });
}

function imageOf(variant: string): ServedImage {
  const tag = variant === 'weights' ? variant : `v0.6.0-${variant}`;
  return {
    reference: `ghcr.io/acme/hf-qwen25-05b:${tag}`,
    name: 'qwen25-05b',
    modelId: 'Qwen/Qwen2.5-0.5B-Instruct',
    variant,
    dir: '/models/qwen25-05b',
    port: 8000,
    serveArgs: ['--host', '0.0.0.0', '--port', '8000'],
    gpus: 1,
    modelBytes: 1_000_000_000,
    server: variant === 'weights' ? undefined : SERVER,
  };
}

interface Example {
  readonly file: string;
  readonly comment: readonly string[];
  readonly kind: ManifestKind;
  readonly image: ServedImage;
  readonly options?: ManifestOptions;
}

const EXAMPLES: readonly Example[] = [
  {
    file: 'slim-deployment.yaml',
    comment: [
      'A slim image whose weights are on a persistent volume. The first start downloads them. Later starts, of this pod or of',
      'its successor, find them there and need no access to the Hub.',
    ],
    kind: 'kubernetes',
    image: imageOf('slim'),
  },
  {
    file: 'slim-init-container.yaml',
    comment: [
      'A slim image in two steps: an init container has the token and downloads; the server mounts the volume read-only and',
      'needs no access to the Hub. A failed download shows as `Init:Error`, with its reason in the status of the pod.',
      'As printed for a gated model, which needs a token:',
      '  kubectl create secret generic huggingface --from-literal=token=hf_…',
    ],
    kind: 'kubernetes',
    image: { ...imageOf('slim'), access: 'gated' },
    options: { hasInitContainer: true },
  },
  {
    file: 'slim-restricted.yaml',
    comment: [
      'A slim image in a namespace that enforces the `restricted` Pod Security Standard. The root file system is read-only too:',
      'any user ID, no capabilities, only volumes are writable. fsGroup makes the volume writable for that user.',
    ],
    kind: 'kubernetes',
    image: imageOf('slim'),
    options: { isRestricted: true, namespace: 'models' },
  },
  {
    file: 'fat-deployment.yaml',
    comment: [
      'A fat image includes the weights, so it needs no volume for them, no token and no access to the Hub. It complies with the',
      '`restricted` Pod Security Standard, and a node that has pulled it starts more replicas at once.',
    ],
    kind: 'kubernetes',
    image: imageOf('fat'),
  },
  {
    file: 'fat-image-volume.yaml',
    comment: [
      'The weights of a fat image as a volume of a server image (Kubernetes 1.36; earlier versions need a feature gate). Server',
      'and model are chosen separately, and a new vLLM does not pull the weights again.',
    ],
    kind: 'image-volume',
    image: imageOf('fat'),
  },
  {
    file: 'weights-image-volume.yaml',
    comment: [
      'A weights image as a volume of any vLLM image (Kubernetes 1.36; earlier versions need a feature gate).',
    ],
    kind: 'image-volume',
    image: imageOf('weights'),
    options: { server: SERVER },
  },
];
