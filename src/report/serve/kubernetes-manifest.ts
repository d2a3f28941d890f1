import { imageVolumeResources, kubernetesResources } from './kubernetes.ts';
import { yamlOf } from './manifest.ts';
import type { RunnableImage } from './run-commands.ts';
import type { ServedImage } from './served-image.ts';

/** Returns a Deployment with its Service and, for slim, the volume claim that the model is kept in. */
export function kubernetesManifest(image: RunnableImage): string {
  return yamlOf(kubernetesResources(servedOf(image, '')));
}

/**
 * Returns the model of a fat or weights image as a read-only volume of another vLLM image (Kubernetes 1.36; a feature gate
 * before), so that a new vLLM pulls no weights again.
 */
export function imageVolumeManifest(image: RunnableImage, serverImage: string, modelId: string): string {
  return yamlOf(imageVolumeResources(servedOf(image, modelId), serverImage));
}

/** As much of it as is known without asking the image. */
function servedOf(image: RunnableImage, modelId: string): ServedImage {
  const serveArgs = ['--port', String(image.port)];
  return { ...image, modelId, serveArgs, gpus: 1, server: undefined };
}
