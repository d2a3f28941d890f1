import { RegistryError } from '../../core/errors.ts';

/** The tags of a page of `GET /v2/<name>/tags/list`; https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags */
export function parseTagList(bytes: Buffer, subject: string): string[] {
  let tags: unknown;
  try {
    tags = (JSON.parse(bytes.toString('utf8')) as { tags?: unknown } | null)?.tags ?? [];
  } catch (cause) {
    throw notAList(subject, cause);
  }
  if (!Array.isArray(tags)) throw notAList(subject);
  return tags.filter(tag => typeof tag === 'string');
}

function notAList(subject: string, cause?: unknown): RegistryError {
  return new RegistryError(`${subject} gave a list of tags that is none`, {
    code: 'REGISTRY_BAD_ANSWER',
    subject,
    cause,
  });
}
