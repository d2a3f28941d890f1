import type { Digest } from '../../core/digest.ts';
import { RegistryError } from '../../core/errors.ts';
import { immutableTags } from '../../plan/tags.ts';
import type { RefusedTag, SurveyContext } from '../types.ts';
import type { ImageJob } from './target-state.ts';

type TagContext = Pick<SurveyContext, 'isForced' | 'movesTags' | 'signal'>;

/** Returns the immutable tags that named another image than `digest` when the target was looked at. */
export function refusedTags(job: ImageJob, digest: Digest | undefined, context: TagContext): RefusedTag[] {
  return immutableTagsOf(job, context).flatMap(tag => {
    const named = job.target.inventory.tag(tag)?.digest;
    return named === undefined || named === digest ? [] : [refusal(job, tag, named)];
  });
}

/**
 * Returns the immutable tags that name another image than `digest`. Those that named none are looked up again: weights may
 * have been under way for hours, and another run has published meanwhile. Throws RegistryError.
 */
export async function refusedTagsNow(
  job: ImageJob,
  digest: Digest,
  context: TagContext,
): Promise<RefusedTag[]> {
  const { store, inventory } = job.target;
  const refused = refusedTags(job, digest, context);
  for (const tag of immutableTagsOf(job, context)) {
    if (inventory.tag(tag) !== undefined) continue;
    const named = await store.resolveTag(tag, context.signal);
    if (named !== undefined && named !== digest) refused.push(refusal(job, tag, named));
  }
  return refused;
}

/** Returns the tags that are not refused. */
export function tagsWithout(tags: readonly string[], refused: readonly RefusedTag[]): string[] {
  return tags.filter(tag => !refused.some(one => one.tag === tag));
}

function immutableTagsOf({ planned, draft }: ImageJob, { isForced, movesTags }: TagContext): string[] {
  if (isForced || movesTags === true) return [];
  const immutable = immutableTags(planned, draft.variant);
  return draft.tags.filter(tag => immutable.has(tag));
}

function refusal({ target }: ImageJob, tag: string, digest: Digest): RefusedTag {
  const reference = `${target.store.name}:${tag}`;
  const error = new RegistryError(`${reference} is immutable and names another image, ${digest}`, {
    code: 'TAG_IMMUTABLE',
    subject: reference,
    remedy:
      'The tag stays. A change in models.yaml, or a newer Weighbridge, makes another image of the same revision and base: ' +
      'move the tag with `--move-tags`, or leave it out of `tags`.',
  });
  return { tag, reference, digest, error };
}
