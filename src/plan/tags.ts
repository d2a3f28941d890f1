import { type ModelConfig, VARIANTS, type Variant } from '../config/types.ts';
import { hasServer } from '../config/variants.ts';
import { isGitOid } from '../core/digest.ts';
import { ConfigError } from '../core/errors.ts';
import { table } from '../core/table.ts';
import { isTag, parseReference } from '../oci/reference.ts';
import type { PlannedModel } from './types.ts';

/** Returns the tags of a variant, from the templates: `v0.6.0-slim`, `r<commit>-slim`. Throws ConfigError CONFIG_INVALID. */
export function tagsFor(model: ModelConfig, variant: Variant, revision: string): string[] {
  const tags = model.tags[variant].map(template => expand(template, model, variant, revision));
  const wrong = tags.find(tag => !isTag(tag));
  if (wrong !== undefined) {
    throw new ConfigError(`${model.short}: ${JSON.stringify(wrong)} is not a tag that a registry takes`, {
      code: 'CONFIG_INVALID',
      subject: model.id,
      remedy: 'Check `tags` in models.yaml: letters, digits, `_`, `.` and `-`, at most 128.',
    });
  }
  return [...new Set(tags)];
}

/**
 * Returns the tags of a variant that stay with their image: those whose template names the commit and, of a variant with
 * a base image, its version, if a digest pins that base image in models.yaml or in the lock.
 */
export function immutableTags(
  { model, snapshot, pin, tags }: Pick<PlannedModel, 'model' | 'snapshot' | 'pin' | 'tags'>,
  variant: Variant,
): ReadonlySet<string> {
  const isBasePinned = pin?.baseDigest !== undefined || parseReference(model.baseImage).digest !== undefined;
  if (hasServer(variant) && !isBasePinned) return new Set();
  const templates = model.tags[variant].filter(
    template => template.includes('{revision') && (!hasServer(variant) || template.includes('{version}')),
  );
  const expanded = templates.map(template => expand(template, model, variant, snapshot.revision));
  return new Set(expanded.filter(tag => tags[variant].includes(tag)));
}

/**
 * Returns the tags that name a commit, those with all of it first. They are immutable for a variant without vLLM: what
 * `immutableTags` says of a model in models.yaml, this says of tags that are published.
 */
export function commitTags(tags: readonly string[], revision: string): string[] {
  if (!isGitOid(revision)) return [];
  const named = tags.filter(tag => tag.includes(revision.slice(0, 8))).toSorted();
  return named.toSorted((a, b) => Number(b.includes(revision)) - Number(a.includes(revision)));
}

/** Returns the first tag that needs no answer of the Hub: of a template without the commit, if there is one. */
export function firstFixedTag(model: ModelConfig, variant: Variant): string | undefined {
  const template = model.tags[variant].find(one => !one.includes('{revision'));
  return template === undefined ? undefined : expand(template, model, variant, '');
}

const PLACEHOLDERS = table<string>({
  variant: `(?:${VARIANTS.join('|')})`,
  version: '[\\w][\\w.-]*',
  revision: '[0-9a-f]{40}',
  revision8: '[0-9a-f]{8}',
});

/** Returns a test of whether a tag is one of the model's, of whatever version and revision. */
export function ownTagTest({ tags }: Pick<ModelConfig, 'tags'>): (tag: string) => boolean {
  const templates = new Set(Object.values(tags).flat());
  const patterns = [...templates].map(template => {
    const pattern = template
      .split(/(\{\w+\})/)
      .map(part => PLACEHOLDERS[part.slice(1, -1)] ?? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('');
    return new RegExp(`^${pattern}$`);
  });
  return tag => patterns.some(pattern => pattern.test(tag));
}

/** Returns what `{version}` becomes: the tag of the base image, which for vLLM's own images is the vLLM version. */
export function versionOf(model: ModelConfig): string | undefined {
  return parseReference(model.baseImage).tag;
}

function expand(template: string, model: ModelConfig, variant: Variant, revision: string): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name === 'variant') return variant;
    if (name === 'revision') return revision;
    if (name === 'revision8') return revision.slice(0, 8);
    const version = versionOf(model);
    if (version !== undefined) return version;
    throw new ConfigError(`${model.short}: base_image ${model.baseImage} has no tag to take {version} from`, {
      code: 'CONFIG_INVALID',
      subject: model.id,
      remedy: 'Write it as name:tag, or name:tag@sha256:… to pin it.',
    });
  });
}
