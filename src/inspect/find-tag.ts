import { type Digest, isDigest } from '../core/digest.ts';
import type { PublishedModel } from '../image/published-image.ts';
import { commitTags } from '../plan/tags.ts';
import type { ImageStore } from '../store/image-store.ts';

/** A tag that names an image now. */
export interface FoundTag {
  readonly tag: string;
  /** Whether it names the model's commit: `publish` moves no such tag of an image without vLLM. */
  readonly isImmutable: boolean;
}

const MAX_TAGS = 1000;

/**
 * Returns the tag by which to name an image without vLLM to what takes no digest: an immutable one, else the one that the
 * user named; undefined if there is neither. `reference`: what the user named, a tag or a digest. Throws RegistryError.
 */
export async function findTag(
  store: ImageStore,
  image: {
    readonly reference: string;
    readonly digest: Digest;
    readonly model: Pick<PublishedModel, 'revision' | 'variant'>;
  },
  signal?: AbortSignal,
): Promise<FoundTag | undefined> {
  const { reference, digest } = image;
  const { revision, variant } = image.model;
  const given = isDigest(reference) ? [] : [reference];
  const [named] = commitTags(given, revision);
  if (named !== undefined) return { tag: named, isImmutable: true };
  // Some registries let only those list tags who may do more than pull: the usual tag needs no list.
  const usual = async (): Promise<string[]> => [`r${revision}-${variant}`];
  const listed = async (): Promise<string[]> => await store.listTags(MAX_TAGS, signal);
  for (const candidates of [usual, listed]) {
    for (const tag of commitTags(await candidates(), revision)) {
      if ((await store.resolveTag(tag, signal)) === digest) return { tag, isImmutable: true };
    }
  }
  const [tag] = given;
  return tag === undefined ? undefined : { tag, isImmutable: false };
}
