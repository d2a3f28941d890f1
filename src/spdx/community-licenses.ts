import { COMMUNITY_LICENSES } from './community-list.ts';

/** Where a title may be: licenses that name others do so further down. */
const HEAD_WORDS = 60;

/**
 * Returns the license of models that words are of, are a notice of, or put their readers under; undefined if none is
 * known.
 */
export function communityLicense(words: string): { id: string; name: string } | undefined {
  const head = words.split(' ', HEAD_WORDS).join(' ');
  const inHead = COMMUNITY_LICENSES.find(
    ({ hint, title, anywhere }) =>
      head.includes(hint) && ((title?.test(head) ?? false) || (anywhere?.test(head) ?? false)),
  );
  const found =
    inHead ??
    COMMUNITY_LICENSES.find(({ hint, anywhere }) => words.includes(hint) && (anywhere?.test(words) ?? false));
  return found && { id: found.id, name: found.name };
}
