import { type Digest, isDigest } from '../core/digest.ts';
import { baseOf } from '../image/image-facts.ts';
import { imageUrl } from './package-url.ts';
import type { ImageSubject } from './types.ts';

/** A base image as its labels name it. */
export interface StatedBase {
  readonly name: string;
  readonly digest: Digest;
  /** Its package URL. */
  readonly purl: string;
}

/** Returns the base images of all platforms, each once; those that no digest is known of are left out. */
export function basesOf({ platforms }: Pick<ImageSubject, 'platforms'>): StatedBase[] {
  const found = new Map<Digest, StatedBase>();
  for (const image of platforms) {
    const base = baseOf(image);
    if (base === undefined || !isDigest(base.digest)) continue;
    const { name, digest } = base;
    found.set(digest, { name, digest, purl: imageUrl(name.replace(/(?:@.*|:[^/]*)$/, ''), digest) });
  }
  return [...found.values()];
}
