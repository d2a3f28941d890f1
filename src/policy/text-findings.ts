import { plainLine } from '../core/safe-text.ts';
import type { LicenseIdentity } from '../spdx/identify-license.ts';
import { changedText } from './contradiction.ts';
import type { LegalText, TextSubject } from './facts.ts';
import type { Evidence, PolicyFinding } from './types.ts';

/** Returns what a legal text adds to the evidence. */
export function textEvidence({ path, identity }: LegalText): Evidence {
  return { field: path, value: identityWords(identity), source: 'hub' };
}

const SUBJECTS: Readonly<Record<TextSubject, string>> = {
  model: '',
  use: ', about use',
  statement: '',
  notice: ', a notice',
  text: '',
  card: ', the model card',
  link: ', which the model card leads to',
  part: ', not about the model itself',
};

/** Returns what a legal text of the repository says, as a finding. */
export function textFinding({ path, about, identity }: LegalText): PolicyFinding {
  return {
    check: 'text',
    says: `${plainLine(path)}${SUBJECTS[about]}: ${identityWords(identity)}.`,
    from: 'the Hub, the file itself',
    verdict: 'note',
  };
}

/** Returns what a text turned out to be, to be read after `is` or a colon. */
export function identityWords(identity: LegalText['identity']): string {
  switch (identity.kind) {
    case 'spdx':
      return `the text of ${identity.ids[0]}`;
    case 'community':
      return `the text of ${plainLine(identity.name)} (${plainLine(identity.id)})`;
    case 'several':
      return severalWords(identity.parts);
    case 'declaration':
      return `a statement that it is under ${plainLine(identity.spdx)}`;
    case 'restricted':
      return `a text that restricts: "${plainLine(identity.words, 200)}"`;
    case 'harmless':
      return `a text that restricts nothing: ${plainLine(identity.why)}`;
    case 'modified':
      return changedText(identity);
    case 'unread':
      return `not read: ${plainLine(identity.why)}`;
    default:
      return 'not the text of any license that is known';
  }
}

function severalWords(parts: readonly LicenseIdentity[]): string {
  const words = parts.slice(0, MAX_PARTS).map(identityWords).join(', ');
  return parts.length > MAX_PARTS ? `${words} and ${parts.length - MAX_PARTS} more` : words;
}

const MAX_PARTS = 5;

/** Returns what the file says where the card does not: it is shown, and the user says whether it is meant. */
export function fileHint(texts: readonly LegalText[]): string | undefined {
  const text = texts.find(({ about, identity }) => about === 'model' && identity.kind !== 'unread');
  if (text === undefined) return undefined;
  const says = `Its ${plainLine(text.path)} is ${identityWords(text.identity)}`;
  return text.identity.kind === 'spdx'
    ? `${says}: write \`override_spdx: ${text.identity.ids[0]}\` if that is its license.`
    : `${says}.`;
}
