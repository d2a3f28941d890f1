import { stringify } from 'yaml';
import { holdsWeights } from '../../config/variants.ts';
import { WeighbridgeError } from '../../core/errors.ts';
import { gpuRequest } from './gpu-request.ts';
import {
  type DeploymentOptions,
  imageVolumeResources,
  inNamespace,
  kubernetesResources,
  prepullResources,
} from './kubernetes.ts';
import { composeFile, kserveResources, kubeaiComment, kubeaiResources, kubeaiUrl } from './other-servers.ts';
import type { Resource } from './pod-parts.ts';
import type { ServedImage } from './served-image.ts';

/** What a manifest is for. */
export const MANIFEST_KINDS = [
  'kubernetes',
  'image-volume',
  'kserve',
  'kubeai',
  'compose',
  'prepull',
] as const;
/** The kinds of Kubernetes files that `manifest` writes. */
export type ManifestKind = (typeof MANIFEST_KINDS)[number];

/** What `manifest` writes. */
export interface ManifestOptions extends DeploymentOptions {
  /** The image of vLLM that mounts the weights. Default: the base of the image. */
  readonly server?: string | undefined;
  /** Of each GPU, in 10⁹ bytes. Default: as many GPUs as the flags divide the model by, of whatever size. */
  readonly gpuMemoryGB?: number | undefined;
}

/** Returns YAML that runs an image. Throws WeighbridgeError USAGE if the image cannot be run that way. */
export function manifestText(kind: ManifestKind, served: ServedImage, options: ManifestOptions = {}): string {
  const { gpus, addedArgs, comment } = gpuRequest(served, options.gpuMemoryGB);
  const lines = kind === 'kubeai' ? [...comment, ...kubeaiComment(served)] : comment;
  const head = kind === 'prepull' ? '' : lines.map(line => `# ${line}\n`).join('');
  return (
    head +
    yamlOf(inNamespace(resourcesOf(kind, literal(kind, { ...served, gpus, addedArgs }), options), options))
  );
}

/**
 * What the image says is an argument as it stands: Compose puts variables of its user's shell in for `${NAME}`, Kubernetes
 * those of the container for `$(NAME)`. For both, two dollars are one. KServe executes the arguments of its own servers, not
 * those of a custom container, as a template of Go:
 * https://github.com/kserve/kserve/blob/master/pkg/controller/v1beta1/inferenceservice/utils/placeholder.go
 */
function literal(kind: ManifestKind, served: ServedImage): ServedImage {
  const isTemplate = kind === 'kserve' && served.variant === 'weights';
  const escaped = (word: string): string => {
    const expanded = word.replace(kind === 'compose' ? /\$/g : /\$(?=[$(])/g, '$$$$');
    // As a string in backquotes, which older versions of KServe, whose template is JSON, read too.
    return isTemplate ? expanded.replaceAll('{{', '{{`{{`}}') : expanded;
  };
  const { modelId, serveArgs, addedArgs = [] } = served;
  return {
    ...served,
    modelId: escaped(modelId),
    serveArgs: serveArgs.map(escaped),
    addedArgs: addedArgs.map(escaped),
  };
}

/** Returns resources as YAML documents. */
export function yamlOf(resources: readonly Resource[]): string {
  return resources.map(one => stringify(one, YAML)).join('---\n');
}

/** Not everything that reads these files reads anchors; some read YAML 1.1, in which `no` is false. */
const YAML = { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' } as const;

function resourcesOf(kind: ManifestKind, served: ServedImage, options: ManifestOptions): Resource[] {
  if (served.variant === 'modelpack') {
    throw refused(
      served,
      kind,
      'a ModelPack artifact is not an image that a runtime starts or mounts',
      'weights',
    );
  }
  switch (kind) {
    case 'kubernetes':
      if (served.variant === 'weights') return imageVolumeResources(served, serverFor(served, kind, options));
      return kubernetesResources(served, options);
    case 'image-volume':
      return imageVolumeResources(mustHoldWeights(served, kind), serverFor(served, kind, options));
    case 'kserve':
      return kserveResources(mustHoldWeights(served, kind));
    case 'kubeai':
      if (served.variant === 'weights') {
        return kubeaiResources(served, options.gpuMemoryGB, {
          url: kubeaiUrl(served),
          server: serverFor(served, kind, options),
        });
      }
      return kubeaiResources(mustHoldWeights(served, kind), options.gpuMemoryGB);
    case 'compose':
      return [
        composeFile(served, served.variant === 'weights' ? serverFor(served, kind, options) : undefined),
      ];
    case 'prepull':
      return prepullResources(served);
  }
}

function mustHoldWeights(served: ServedImage, kind: ManifestKind): ServedImage {
  if (holdsWeights(served.variant)) return served;
  throw refused(served, kind, 'a slim image has no weights that could be mounted', 'weights` or `fat');
}

function serverFor(
  served: ServedImage,
  kind: ManifestKind,
  { server = served.server }: ManifestOptions,
): string {
  if (server !== undefined) return server;
  throw new WeighbridgeError(`${served.reference} has weights alone: --for ${kind} needs an image of vLLM`, {
    code: 'USAGE',
    subject: served.reference,
    remedy: 'Name one with --server, by digest: vllm/vllm-openai:v0.11.0@sha256:….',
  });
}

function refused(served: ServedImage, kind: ManifestKind, why: string, others: string): WeighbridgeError {
  return new WeighbridgeError(`--for ${kind} cannot use ${served.reference}: ${why}`, {
    code: 'USAGE',
    subject: served.reference,
    remedy: `Publish the variant \`${others}\` of the model and name that image.`,
  });
}
