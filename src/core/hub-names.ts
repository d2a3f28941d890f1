import { isGitOid } from './digest.ts';
import { HubError } from './errors.ts';
import { quoted } from './safe-text.ts';

const MODEL_ID = /^(?!\.{1,2}(?:\/|$))[\w.-]{1,96}(?:\/(?!\.{1,2}$)[\w.-]{1,96})?$/;

/** Whether a text is a model's id: `organization/name`, or just a name for a few of the oldest models. */
export function isModelId(id: string): boolean {
  return MODEL_ID.test(id);
}

/** Hosts whose pages are the Hub's, whatever endpoint is asked. */
const HUB_HOST = /^(?:https?:\/\/)?(?:www\.)?(?:huggingface\.co|hf\.co|hf-mirror\.com)\//i;
/** First segments of the Hub's addresses that are not an organization. */
const NOT_A_MODEL = /^(?:datasets|spaces|docs|blog|papers|collections|organizations|settings|new|join)$/i;

/**
 * Returns the id that a card or a config file means: an id as it is, or the address of a model's page on the Hub.
 * Undefined for everything else, such as a folder of the author.
 */
export function modelIdIn(text: string): string | undefined {
  const trimmed = text.trim();
  if (!HUB_HOST.test(trimmed)) return isModelId(trimmed) ? trimmed : undefined;
  const [path = ''] = trimmed.replace(HUB_HOST, '').split(/[?#]/);
  const segments = path.replace(/^(?:api\/)?models\//, '').split('/');
  const [owner = '', name = ''] = segments;
  if (NOT_A_MODEL.test(owner)) return undefined;
  const id = name === '' ? owner : `${owner}/${name}`;
  return isModelId(id) ? id : undefined;
}

/**
 * Refuses what would make another address of the one that is asked for; the Hub has no such names.
 * Throws HubError HUB_NOT_FOUND, HubError HUB_REVISION_NOT_FOUND.
 */
export function checkNames(id: string, revision: string): void {
  if (!isModelId(id)) {
    throw new HubError(`${quoted(id)} is not the id of a model`, {
      code: 'HUB_NOT_FOUND',
      subject: quoted(id),
      remedy: 'An id is `organization/name`, as in the address of the model on the Hub.',
    });
  }
  if (!revision.isWellFormed() || ['', '.', '..'].includes(revision)) {
    throw new HubError(`${id} has no revision ${quoted(revision)}`, {
      code: 'HUB_REVISION_NOT_FOUND',
      subject: id,
      remedy: revisionRemedy(revision),
    });
  }
}

/** Returns what to do about a revision that the Hub does not have. A full commit may be from an image or a lock. */
export function revisionRemedy(revision: string): string {
  return isGitOid(revision)
    ? 'The commit is of another repository, or the history of this one was rewritten.'
    : 'Check `revision` in models.yaml: a branch, a tag, or a full commit.';
}
