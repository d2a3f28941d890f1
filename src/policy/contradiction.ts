import type parse from 'spdx-expression-parse';
import { plainLine } from '../core/safe-text.ts';
import { missingParts, readExpression } from '../spdx/expression.ts';
import type { LegalText, TextIdentity } from './facts.ts';
import { licenseRef } from './hub-license.ts';

/** A text of the repository that is not the license which the model is said to be under. */
export interface Contradiction {
  /** `LICENSE is the text of the Llama 2 Community License`, for a sentence. */
  readonly words: string;
  /** What the text is, as an SPDX id or a LicenseRef. */
  readonly spdx: string;
  /** The id to write into `override_spdx` where the text is right and the card is wrong. */
  readonly override: string | undefined;
}

/** What the texts of a repository are compared with. */
export interface Declared {
  readonly tree: parse.Info;
  /** Keys as of `permittedKeys`. */
  readonly permitted: ReadonlySet<string>;
  /** Whether `override_spdx` names it: then somebody has read what is not known. */
  readonly isOverridden: boolean;
}

/**
 * Returns the first of the texts that contradicts what was declared: a license that is neither declared nor permitted,
 * a text that restricts, one that no one knows. What is not known for any license contradicts too, since a license's
 * name on a card means its text; only `override_spdx` says that somebody has read it.
 */
export function contradictionOf(declared: Declared, texts: readonly LegalText[]): Contradiction | undefined {
  for (const text of texts) {
    const found = contradictionIn(text, declared);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns the licenses of the model's own texts that its card does not name: they apply as well. */
export function furtherLicenses(tree: parse.Info, texts: readonly LegalText[]): readonly string[] {
  const declared = familyKeys(tree);
  const own = texts.filter(({ about }) => about === 'model' || about === 'link');
  const ids = own.flatMap(({ identity }) => {
    const parts = identity.kind === 'several' ? identity.parts : [identity];
    return parts.flatMap(part => (part.kind === 'spdx' ? [part.ids] : []));
  });
  const missing = ids.filter(same => !same.some(id => declared.has(familyKey(id))));
  return [...new Set(missing.map(([id = '']) => id))];
}

function contradictionIn(text: LegalText, declared: Declared): Contradiction | undefined {
  const { about, identity } = text;
  const path = plainLine(text.path);
  switch (identity.kind) {
    case 'several':
      return firstOf(identity.parts, part => contradictionIn({ ...text, identity: part }, declared));
    case 'community':
      // A model's own license is meant wherever it is: among others' code too.
      return {
        words: `${path} is the text of ${plainLine(identity.name)}`,
        spdx: licenseRef(identity.id),
        override: undefined,
      };
    case 'harmless':
      return undefined;
    default:
      return about === 'part' ? undefined : ownContradiction(text, declared);
  }
}

function ownContradiction(
  { path: wholePath, about, identity }: LegalText,
  declared: Declared,
): Contradiction | undefined {
  const path = plainLine(wholePath);
  const contradiction = (words: string, spdx = licenseRef(path), override?: string): Contradiction => ({
    words: `${path} ${words}`,
    spdx,
    override,
  });
  switch (identity.kind) {
    case 'spdx': {
      if (identity.ids.some(id => agrees(id, declared))) return undefined;
      const [id = ''] = identity.ids;
      // A notice has the licenses of others' work, which are theirs; what keeps users away would be the model's.
      if (about === 'notice' && !/-N[CD]\b/.test(id)) return undefined;
      return contradiction(`is the text of ${id}`, id, id);
    }
    case 'declaration': {
      if (about === 'notice' && !/-N[CD]\b/.test(identity.spdx)) return undefined;
      if (agrees(identity.spdx, declared)) return undefined;
      return contradiction(
        `says ${plainLine(identity.spdx)}`,
        readExpression(identity.spdx)?.spdx,
        identity.spdx,
      );
    }
    case 'restricted':
      return contradiction(`says "${plainLine(identity.words, 200)}"`);
    case 'modified':
      return about === 'notice' ? undefined : contradiction(`is ${changedText(identity)}`);
    case 'unread':
      if (declared.isOverridden || identity.isHidden) return undefined;
      return contradiction(`could not be read (${plainLine(identity.why)})`);
    case 'unknown':
      if (declared.isOverridden) return undefined;
      if (about === 'use') return contradiction('may restrict what the model is used for');
      return about === 'model' || about === 'link'
        ? contradiction('is not the text of any license that is known')
        : undefined;
    default:
      return undefined;
  }
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether an SPDX expression is what was declared, or is permitted just as well. */
function agrees(spdx: string, { tree, permitted }: Declared): boolean {
  const expression = readExpression(spdx);
  if (expression === undefined) return false;
  const declared = familyKeys(tree);
  return (
    leaves(expression.tree).every(
      leaf => leaf.exception === undefined && declared.has(familyKey(leaf.license)),
    ) || missingParts(expression.tree, permitted).length === 0
  );
}

/** Returns a description of a text that is nearly a license, for a sentence. */
export function changedText(identity: Extract<TextIdentity, { kind: 'modified' }>): string {
  const changes = [
    ...(identity.added === null ? [] : [`adds "${plainLine(identity.added)}"`]),
    ...(identity.removed === null ? [] : [`lacks "${plainLine(identity.removed)}"`]),
  ];
  return `a changed copy of ${identity.id}${changes.length === 0 ? '' : ` that ${changes.join(' and ')}`}`;
}

function familyKeys(tree: parse.Info): ReadonlySet<string> {
  return new Set(licenseIds(tree).map(familyKey));
}

/** Returns the ids in an expression. */
export function licenseIds(tree: parse.Info): readonly string[] {
  return leaves(tree).map(({ license }) => license);
}

function leaves(tree: parse.Info): parse.LicenseInfo[] {
  return 'conjunction' in tree ? [...leaves(tree.left), ...leaves(tree.right)] : [tree];
}

/** A text does not tell `-only` from `-or-later`. */
function familyKey(id: string): string {
  return id.toLowerCase().replace(/(?:\+|-only|-or-later)$/, '');
}
