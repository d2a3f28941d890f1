import { HubError } from './errors.ts';
import { quoted } from './safe-text.ts';

const MODEL_ID = /^(?!\.{1,2}(?:\/|$))[\w.-]{1,96}(?:\/(?!\.{1,2}$)[\w.-]{1,96})?$/;

/** `organisation/name`, or just a name for a few of the oldest models. */
export function isModelId(id: string): boolean {
  return MODEL_ID.test(id);
}

/** Refuses what would make another address of the one that is asked for; the Hub has no such names. */
export function checkNames(id: string, revision: string): void {
  if (!isModelId(id)) {
    throw new HubError(`${quoted(id)} is not the id of a model`, {
      code: 'HUB_NOT_FOUND',
      subject: quoted(id),
      remedy: 'An id is `organisation/name`, as in the address of the model on the Hub.',
    });
  }
  if (!revision.isWellFormed() || ['', '.', '..'].includes(revision)) {
    throw new HubError(`${id} has no revision ${quoted(revision)}`, {
      code: 'HUB_REVISION_NOT_FOUND',
      subject: id,
      remedy: 'Check `revision` in models.yaml: a branch, a tag, or a full commit.',
    });
  }
}
