import type parse from 'spdx-expression-parse';
import { plainLine } from '../core/safe-text.ts';
import type { LegalText } from './facts.ts';
import { licenseRef } from './hub-license.ts';

/** A text of the repository that is not the licence which the model is said to be under. */
export interface Contradiction {
  /** `LICENSE is the text of the Llama 2 Community License`, for a sentence. */
  readonly words: string;
  /** What the text is, as an SPDX id or a LicenseRef. */
  readonly spdx: string;
  /** The id to write into `override_spdx` where the text is right and the card is wrong. */
  readonly override: string | undefined;
}

/**
 * The first of the texts that contradicts what was declared. What is not known for any licence contradicts too, since
 * a licence's name on a card means its text; only `override_spdx` says that somebody has read it.
 */
export function contradictionOf(
  declared: parse.Info,
  texts: readonly LegalText[],
  isOverridden: boolean,
): Contradiction | undefined {
  const ids = new Set(leaves(declared).map(({ license }) => familyKey(license)));
  for (const text of texts) {
    const found = contradictionIn(text, ids, isOverridden);
    if (found !== undefined) return found;
  }
  return undefined;
}

function contradictionIn(
  { path: wholePath, about, identity }: LegalText,
  declared: ReadonlySet<string>,
  isOverridden: boolean,
): Contradiction | undefined {
  if (about === 'part' || about === 'notice') return undefined;
  const path = plainLine(wholePath);
  if (about === 'use') {
    if (isOverridden) return undefined;
    const words = `${path} restricts what the model may be used for`;
    return { words, spdx: licenseRef(path), override: undefined };
  }
  switch (identity.kind) {
    case 'spdx': {
      if (identity.ids.some(id => declared.has(familyKey(id)))) return undefined;
      const [id = ''] = identity.ids;
      return { words: `${path} is the text of ${id}`, spdx: id, override: id };
    }
    case 'community':
      return {
        words: `${path} is the text of ${plainLine(identity.name)}`,
        spdx: licenseRef(identity.id),
        override: undefined,
      };
    case 'modified':
      return { words: `${path} is ${changedText(identity)}`, spdx: licenseRef(path), override: undefined };
    default: {
      if (isOverridden || (identity.kind === 'unread' && identity.isHidden)) return undefined;
      const why =
        identity.kind === 'unread'
          ? `could not be read (${plainLine(identity.why)})`
          : 'is not the text of any licence that is known';
      return { words: `${path} ${why}`, spdx: licenseRef(path), override: undefined };
    }
  }
}

/** What a text is that is nearly a licence, for a sentence. */
export function changedText(identity: {
  readonly id: string;
  readonly added: string | null;
  readonly removed: string | null;
}): string {
  const changes = [
    ...(identity.added === null ? [] : [`adds "${plainLine(identity.added)}"`]),
    ...(identity.removed === null ? [] : [`lacks "${plainLine(identity.removed)}"`]),
  ];
  return `a changed copy of ${identity.id}${changes.length === 0 ? '' : ` that ${changes.join(' and ')}`}`;
}

function leaves(tree: parse.Info): parse.LicenseInfo[] {
  return 'conjunction' in tree ? [...leaves(tree.left), ...leaves(tree.right)] : [tree];
}

/** A text does not tell `-only` from `-or-later`. */
function familyKey(id: string): string {
  return id.toLowerCase().replace(/(?:\+|-only|-or-later)$/, '');
}
