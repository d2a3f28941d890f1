import { plainLine } from '../core/safe-text.ts';
import { changedText } from './contradiction.ts';
import type { LegalText } from './facts.ts';
import type { Evidence, Finding } from './types.ts';

/** What a legal text adds to the evidence. */
export function textEvidence({ path, identity }: LegalText): Evidence {
  return { field: path, value: identityWords(identity), source: 'hub' };
}

export function textFinding({ path, about, identity }: LegalText): Finding {
  const whose = { model: '', use: ', about use', part: ', not about the model itself', notice: ', a notice' }[
    about
  ];
  return {
    check: 'text',
    says: `${plainLine(path)}${whose}: ${identityWords(identity)}.`,
    from: 'the Hub, the file itself',
    verdict: 'note',
  };
}

/** What a text turned out to be, to be read after `is` or a colon. */
export function identityWords(identity: LegalText['identity']): string {
  switch (identity.kind) {
    case 'spdx':
      return `the text of ${identity.ids[0]}`;
    case 'community':
      return `the text of ${plainLine(identity.name)} (${plainLine(identity.id)})`;
    case 'modified':
      return changedText(identity);
    case 'unread':
      return `not read: ${plainLine(identity.why)}`;
    default:
      return 'not the text of any licence that is known';
  }
}

/** What the file says where the card does not: it is shown, and the user says whether it is meant. */
export function fileHint(texts: readonly LegalText[]): string | undefined {
  const text = texts.find(({ about, identity }) => about === 'model' && identity.kind !== 'unread');
  if (text === undefined) return undefined;
  const says = `Its ${plainLine(text.path)} is ${identityWords(text.identity)}`;
  return text.identity.kind === 'spdx'
    ? `${says}: write \`override_spdx: ${text.identity.ids[0]}\` if that is its licence.`
    : `${says}.`;
}
