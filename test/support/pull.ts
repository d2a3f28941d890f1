import { createHash } from 'node:crypto';
import { isDigest } from '../../src/core/digest.ts';
import { MediaType } from '../../src/oci/types.ts';

const ACCEPT = [MediaType.ociManifest, MediaType.ociIndex, MediaType.dockerManifest].join(', ');

/** The tags of a repository, in order; none where it does not exist. */
export async function tagsOf(host: string, repository: string): Promise<string[]> {
  const response = await fetch(`http://${host}/v2/${repository}/tags/list`);
  if (response.status === 404) return [];
  const { tags } = (await response.json()) as { tags: string[] | null };
  return (tags ?? []).sort();
}

/**
 * Pulls what a tag names, with nothing of Weighbridge: the manifest, the config and every layer, each held against its
 * digest. Gives the manifest's digest; throws where anything is missing or wrong.
 */
export async function pull(host: string, repository: string, tag: string): Promise<string> {
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    headers: { accept: ACCEPT },
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200) throw new Error(`${tag}: status ${response.status}`);
  const { config, layers } = JSON.parse(bytes.toString('utf8'));
  for (const { digest, size } of [config, ...layers]) {
    const { hex, length } = await hashOf(`http://${host}/v2/${repository}/blobs/${digest}`);
    if (!isDigest(digest) || digest !== `sha256:${hex}` || length !== size)
      throw new Error(`${repository}:${tag} names ${digest} of ${size} bytes and has ${hex} of ${length}`);
  }
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function hashOf(url: string): Promise<{ hex: string; length: number }> {
  const response = await fetch(url);
  if (response.status !== 200) throw new Error(`${url}: status ${response.status}`);
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of response.body ?? []) {
    hash.update(chunk);
    length += chunk.length;
  }
  return { hex: hash.digest('hex'), length };
}
