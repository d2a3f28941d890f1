import { createHash } from 'node:crypto';
import path from 'node:path';
import { WeighbridgeError } from '../../core/errors.ts';
import { hasFlag, withoutFlags } from '../../core/serve-flags.ts';
import { ADAPTERS_SUFFIX } from '../../plan/model-dir.ts';
import type { Resource } from './pod-parts.ts';
import type { ServedImage } from './served-image.ts';

/** Returns an InferenceService. https://github.com/kserve/kserve, v0.20: the weights are a volume of KServe's own server. */
export function kserveResources(served: ServedImage): Resource[] {
  const { name, modelId, reference, serveArgs, gpus, addedArgs = [] } = served;
  const limits = { 'nvidia.com/gpu': String(gpus) };
  const runtimeArgs = [...withoutPlace(serveArgs), ...addedArgs];
  const predictor =
    served.variant === 'weights'
      ? {
          model: {
            modelFormat: { name: 'huggingface' },
            storageUri: `oci+native://${reference}`,
            args: [`--model_name=${modelId}`, ...atMount(runtimeArgs, served.dir, KSERVE_MODELS)],
            resources: { limits },
          },
        }
      : // A fat image is a server of its own.
        {
          containers: [
            {
              name: 'kserve-container',
              image: reference,
              ...(addedArgs.length === 0 ? {} : { args: addedArgs }),
              ports: [{ name: 'http1', containerPort: served.port, protocol: 'TCP' }],
              resources: { limits },
            },
          ],
        };
  return [
    {
      apiVersion: 'serving.kserve.io/v1beta1',
      kind: 'InferenceService',
      metadata: { name },
      spec: { predictor },
    },
  ];
}

/** KServe mounts the image's folder `models`, and with it the adapters beside the model. */
const KSERVE_MODELS = '/mnt/models';

/** `models`: where the folder above the model's own is mounted. */
function atMount(words: readonly string[], dir: string, models: string): string[] {
  const adapters = `${path.posix.basename(dir)}${ADAPTERS_SUFFIX}`;
  const inImage = `${path.posix.join(path.posix.dirname(dir), adapters)}/`;
  const mounted = `${path.posix.join(models, adapters)}/`;
  // `sql=/models/x-adapters/sql`, or JSON with that path in quotes.
  return words.map(word =>
    word.replaceAll(`=${inImage}`, `=${mounted}`).replaceAll(`"${inImage}`, `"${mounted}`),
  );
}

/** KubeAI mounts the whole image. */
const KUBEAI_MOUNT = '/model';
/** What its controller reads, since 0.23.2. */
const KUBEAI_URL = /^([a-z0-9]+):\/\/([a-zA-Z0-9._:/-]+)(\?.*)?$/;
const KUBEAI_MAX_NAME = 40;
const HASH_DIGITS = 6;

/** Of the chart, by memory in GB; a cluster with other GPUs has profiles of its own. */
const KUBEAI_PROFILES: Readonly<Record<number, string>> = {
  8: 'nvidia-gpu-rtx4070-8gb',
  16: 'nvidia-gpu-t4',
  24: 'nvidia-gpu-l4',
  40: 'nvidia-gpu-a100-40gb',
  48: 'nvidia-gpu-l40s',
  80: 'nvidia-gpu-a100-80gb',
};

/** By task, of those that generate no text: KubeAI lists what has `TextGeneration` as models to chat with. */
const KUBEAI_FEATURES: ReadonlyMap<string, readonly string[]> = new Map([
  ['embed', ['TextEmbedding']],
  ['classify', ['Reranking']],
  ['transcribe', ['SpeechToText']],
  ['reward', []],
  ['draft', []],
]);

/** Weights that KubeAI mounts into a server. */
export interface KubeaiVolume {
  readonly url: string;
  /** The image of vLLM. */
  readonly server: string;
}

/**
 * Returns a Model. https://github.com/kubeai-project/kubeai, chart 0.22: it starts vLLM in the image that is named, with the
 * Model's name as `--served-model-name`. A fat image itself sets HF_HUB_OFFLINE: KubeAI would pass it to the container that
 * fetches the Model's `adapters` too. `volume`: for an image of weights alone, which 0.22 cannot mount.
 */
export function kubeaiResources(
  served: ServedImage,
  gpuMemoryGB = 24,
  volume?: KubeaiVolume | undefined,
): Resource[] {
  const { name, modelId, reference, dir, serveArgs, gpus, task = '', addedArgs = [] } = served;
  const args = [...withoutPlace(serveArgs), ...addedArgs];
  return [
    {
      apiVersion: 'kubeai.org/v1',
      kind: 'Model',
      metadata: { name: kubeaiName(name) },
      spec: {
        features: KUBEAI_FEATURES.get(task) ?? ['TextGeneration'],
        engine: 'VLLM',
        ...(volume === undefined
          ? {
              // Required, but not fetched.
              url: `hf://${modelId}`,
              image: reference,
              // The last of two counts: this one, not that of the URL.
              args: [`--model=${dir}`, ...args],
            }
          : {
              url: volume.url,
              image: volume.server,
              // KubeAI itself adds `--model=/model`, where the image's links show the model's files.
              args: atMount(args, dir, path.posix.join(KUBEAI_MOUNT, path.posix.dirname(dir))),
            }),
        resourceProfile: `${KUBEAI_PROFILES[gpuMemoryGB] ?? `nvidia-gpu-${gpuMemoryGB}gb`}:${gpus}`,
        minReplicas: 1,
      },
    },
  ];
}

/**
 * Returns the `url` by which KubeAI mounts an image of weights: by tag, because it refuses the `@` of a digest. Throws
 * WeighbridgeError USAGE if the image has no tag to name it by, or an address that KubeAI refuses.
 */
export function kubeaiUrl({ reference, tagged }: Pick<ServedImage, 'reference' | 'tagged'>): string {
  if (tagged === undefined) {
    throw new WeighbridgeError(`--for kubeai needs a tag of ${reference}, and no immutable tag names it`, {
      code: 'USAGE',
      subject: reference,
      remedy:
        'KubeAI takes no digests. Publish the tag `r{revision}-{variant}` (`tags` in models.yaml), or name the image by one of its tags.',
    });
  }
  const url = `oci://${tagged.reference}`;
  if (isKubeaiUrl(url)) return url;
  throw new WeighbridgeError(
    `--for kubeai cannot use ${tagged.reference}: KubeAI refuses the URL ${url}, which may have letters, digits and . _ : / - only`,
    {
      code: 'USAGE',
      subject: tagged.reference,
      remedy: 'Use a host name for the registry instead of its IPv6 address.',
    },
  );
}

/** Whether KubeAI can mount an image of weights that a catalog shows: see `kubeaiUrl`. */
export function isKubeaiMountable({ tagged }: Pick<ServedImage, 'tagged'>): boolean {
  return tagged !== undefined && isKubeaiUrl(`oci://${tagged.reference}`);
}

function isKubeaiUrl(url: string): boolean {
  return KUBEAI_URL.test(url);
}

/** Returns what people have to know of a Model, in lines; none if there is nothing. */
export function kubeaiComment({
  serveArgs,
  variant,
  tagged,
}: Pick<ServedImage, 'serveArgs' | 'variant' | 'tagged'>): string[] {
  const lines: string[] = [];
  if (variant === 'weights') {
    lines.push(
      'KubeAI 0.23.3 or later, and Kubernetes 1.36 (earlier versions need the feature gate ImageVolume): the weights are an image volume.',
      'KubeAI takes the weights by tag, not by digest.',
    );
    if (tagged?.isImmutable === false) {
      lines.push(
        'This tag may move to another image, and nodes keep the one that they have pulled. `r{revision}-{variant}` in `tags` of models.yaml is a tag that stays.',
      );
    }
  }
  if (hasFlag(serveArgs, '--lora-modules')) {
    lines.push(
      "KubeAI passes no requests to the adapters in the image, only to those of the Model's `adapters`, which it fetches itself.",
    );
  }
  return lines;
}

/** Two long names that begin alike must stay two Models. */
function kubeaiName(name: string): string {
  if (name.length <= KUBEAI_MAX_NAME) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${name.slice(0, KUBEAI_MAX_NAME - HASH_DIGITS - 1).replace(/-+$/, '')}-${hash}`;
}

/** Host and port are the operator's to set. */
function withoutPlace(words: readonly string[]): string[] {
  return withoutFlags(words, '--host', '--port');
}

/** Returns a file for `docker compose`. */
export function composeFile(served: ServedImage, server: string | undefined): Resource {
  const { name, reference, variant, dir, port, gpus, modelId, serveArgs, access, addedArgs = [] } = served;
  const root = dir.slice(0, dir.lastIndexOf('/')) || '/';
  const device = { driver: 'nvidia', count: gpus, capabilities: ['gpu'] };
  const url = `http://127.0.0.1:${port}/v1/models`;
  const common = {
    ports: [`${port}:${port}`],
    ipc: 'host',
    deploy: { resources: { reservations: { devices: [device] } } },
    healthcheck: {
      test: ['CMD', 'python3', '-c', `import urllib.request as r; r.urlopen('${url}')`],
      interval: '10s',
      start_period: variant === 'slim' ? '1h' : '10m',
    },
  };
  if (variant === 'weights') {
    return {
      services: {
        [name]: {
          image: server,
          entrypoint: ['vllm', 'serve', dir],
          command: ['--served-model-name', modelId, ...serveArgs, ...addedArgs],
          environment: { HF_HUB_OFFLINE: '1' },
          volumes: [{ type: 'image', source: reference, target: root, image: { subpath: root.slice(1) } }],
          ...common,
        },
      },
    };
  }
  const added = addedArgs.length === 0 ? {} : { command: addedArgs };
  if (variant !== 'slim') return { services: { [name]: { image: reference, ...added, ...common } } };
  return {
    services: {
      [name]: {
        image: reference,
        ...added,
        ...(access === undefined ? {} : { environment: ['HF_TOKEN'] }),
        volumes: [`models:${root}`],
        ...common,
      },
    },
    volumes: { models: {} },
  };
}
