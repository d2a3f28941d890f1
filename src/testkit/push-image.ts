import { type Digest, digestOf } from '../core/digest.ts';
import type { ReadyImage } from './registry.ts';

/**
 * Pushes an image to a registry that asks for no login and returns its digest; `url` is its origin. Throws the
 * registry's refusal.
 */
export async function pushImage(
  url: string,
  repository: string,
  tag: string,
  image: ReadyImage,
): Promise<Digest> {
  for (const bytes of image.blobs) await pushBlob(url, repository, bytes);
  const last = image.manifests.at(-1);
  for (const manifest of image.manifests) {
    const reference = manifest === last ? tag : digestOf(manifest.bytes);
    const target = `${url}/v2/${repository}/manifests/${reference}`;
    await send(target, 'PUT', manifest.bytes, manifest.mediaType);
  }
  if (last === undefined) throw new RangeError('an image without a manifest');
  return digestOf(last.bytes);
}

async function pushBlob(url: string, repository: string, bytes: Uint8Array): Promise<void> {
  const opened = await send(`${url}/v2/${repository}/blobs/uploads/`, 'POST');
  const location = new URL(opened.headers.get('location') ?? '', url);
  location.searchParams.set('digest', digestOf(bytes));
  await send(location.href, 'PUT', bytes, 'application/octet-stream');
}

async function send(url: string, method: string, body?: Uint8Array, contentType?: string): Promise<Response> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
    ...(contentType === undefined ? {} : { headers: { 'content-type': contentType } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return response;
}
