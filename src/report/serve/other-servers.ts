import path from 'node:path';
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
            args: [`--model_name=${modelId}`, ...atMount(runtimeArgs, served.dir)],
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

function atMount(words: readonly string[], dir: string): string[] {
  const adapters = `${path.posix.basename(dir)}${ADAPTERS_SUFFIX}`;
  const inImage = `=${path.posix.dirname(dir)}/${adapters}/`;
  return words.map(word => word.replace(inImage, `=${KSERVE_MODELS}/${adapters}/`));
}

const KUBEAI_MAX_NAME = 40;
/** Of the chart, by memory in GB; a cluster with other GPUs has profiles of its own. */
const KUBEAI_PROFILES: Readonly<Record<number, string>> = {
  24: 'nvidia-gpu-l4',
  40: 'nvidia-gpu-a100-40gb',
  80: 'nvidia-gpu-a100-80gb',
};

/**
 * Returns a Model. https://github.com/kubeai-project/kubeai, chart 0.22: it starts vLLM in the image that is named, and has no
 * way to mount one.
 */
export function kubeaiResources(served: ServedImage, gpuMemoryGB = 24): Resource[] {
  const { name, modelId, reference, dir, serveArgs, gpus, addedArgs = [] } = served;
  return [
    {
      apiVersion: 'kubeai.org/v1',
      kind: 'Model',
      metadata: { name: name.slice(0, KUBEAI_MAX_NAME).replace(/-+$/, '') },
      spec: {
        features: ['TextGeneration'],
        engine: 'VLLM',
        url: `hf://${modelId}`,
        image: reference,
        // The last of two counts: this one, not that of the URL.
        args: [`--model=${dir}`, ...withoutPlace(serveArgs), ...addedArgs],
        env: { HF_HUB_OFFLINE: '1' },
        resourceProfile: `${KUBEAI_PROFILES[gpuMemoryGB] ?? `nvidia-gpu-${gpuMemoryGB}gb`}:${gpus}`,
        minReplicas: 1,
      },
    },
  ];
}

/** Host and port are the operator's to set. */
function withoutPlace(words: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (/^--(host|port)=/.test(word)) continue;
    if (word === '--host' || word === '--port') index += 1;
    else kept.push(word);
  }
  return kept;
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
