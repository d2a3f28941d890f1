import { BUILT_IN_TAGS, BUILT_IN_TAGS_WITHOUT_SERVER } from './schema.ts';
import type { Variant } from './types.ts';
import { hasServer } from './variants.ts';

/** `tags` as it is written: one list for all variants, or lists of their own. */
export type TagTemplates =
  | readonly string[]
  | Readonly<Partial<Record<Variant, readonly string[] | undefined>>>;

/** Returns the templates of a variant: of the first of `written` that says something of it, else the built-in ones. */
export function templatesFor(
  variant: Variant,
  ...written: readonly (TagTemplates | undefined)[]
): readonly string[] {
  for (const tags of written) {
    const list = isList(tags) ? tags : tags?.[variant];
    // A list for all variants may have what only some can.
    const own = hasServer(variant) ? list : list?.filter(template => !template.includes('{version}'));
    if (own !== undefined && own.length > 0) return own;
  }
  return hasServer(variant) ? BUILT_IN_TAGS : BUILT_IN_TAGS_WITHOUT_SERVER;
}

function isList(tags: TagTemplates | undefined): tags is readonly string[] {
  return Array.isArray(tags);
}
