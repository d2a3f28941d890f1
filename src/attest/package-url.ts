import type { Digest } from '../core/digest.ts';

// https://github.com/package-url/purl-spec/blob/main/PURL-SPECIFICATION.rst

/** Returns the package URL of a model, or of one file of it. */
export function modelUrl(id: string, revision: string, path?: string): string {
  const subpath = path === undefined ? '' : `#${encodePath(path)}`;
  return `pkg:huggingface/${encodePath(id)}@${revision.toLowerCase()}${subpath}`;
}

/** Returns the package URL of an image; `repository` is its full name: `ghcr.io/acme/hf-x`. */
export function imageUrl(repository: string, digest: Digest): string {
  return `${imageDigestUrl(repository, digest)}?repository_url=${encodePath(repository)}`;
}

/** Returns the package URL of an image wherever it is: without the registry, which a digest does not need. */
export function imageDigestUrl(repository: string, digest: Digest): string {
  const name = repository.slice(repository.lastIndexOf('/') + 1).toLowerCase();
  return `pkg:oci/${encodeURIComponent(name)}@${encodeURIComponent(digest)}`;
}

function encodePath(text: string): string {
  return text
    .split('/')
    .map(part => encodeURIComponent(part).replaceAll('%3A', ':'))
    .join('/');
}
