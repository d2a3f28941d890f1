import { parseReference } from '../oci/reference.ts';
import { findRelease, type Release } from './releases.ts';

/**
 * Repositories whose tags are versions of vLLM, by their paths: the project's own, its CPU builds, and copies of them
 * under another host or namespace.
 */
const REPOSITORIES =
  /(^|\/)(vllm\/vllm-openai|vllm-openai|vllm-cpu(-release-repo)?|vllm-(arm64-)?cpu-env)(-(cpu|rocm|xpu|arm64|nonroot))?$/;
/** `v0.11.2`, `v0.32.0-cu129`, `0.9.0.1-x86_64`: what follows the version names a build of it. */
const TAG = /^v?(\d+\.\d+\.\d+(?:\.\d+)?(?:\.?post\d+)?)(?:-[\w.-]+)?$/;

/**
 * Returns the release of vLLM in a base image, told by its name; undefined if the name does not say, or names one that the
 * data does not have.
 */
export function releaseOfBase(baseImage: string): Release | undefined {
  const { repository, tag } = parseReference(baseImage);
  if (tag === undefined || !REPOSITORIES.test(repository)) return undefined;
  const version = TAG.exec(tag)?.[1];
  if (version === undefined) return undefined;
  const exact = findRelease(version);
  if (exact !== undefined) return exact;
  // A build that was repaired has the release's own parser.
  return findRelease(version.replace(/\.?post\d+$/, ''));
}
