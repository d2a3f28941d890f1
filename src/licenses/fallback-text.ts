import { plainLine } from '../core/safe-text.ts';
import type { LicenseFacts } from '../hub/types.ts';
import { type LicensePart, licenseParts, type SpdxTexts } from '../spdx/spdx-texts.ts';
import { fillIn } from './fill-in.ts';
import type { LicenseOutcome } from './types.ts';

/** A text in place of the license file that a repository lacks. */
export interface FallbackText {
  readonly text: string;
  /** The licenses whose full text it has. */
  readonly ids: readonly string[];
}

/** Returns what takes the place of a license file where the repository has none: SPDX's full texts, or a plain statement. */
export function fallbackText(
  facts: LicenseFacts,
  license: LicenseOutcome['license'],
  spdxTexts: SpdxTexts,
  repository: string,
): FallbackText {
  const texts: SpdxTexts = id => {
    const text = spdxTexts(id);
    return text && fillIn(id, text, `the authors of ${plainLine(repository)}`);
  };
  const parts = licenseParts(license.spdx);
  const ids = [...new Set(parts.map(({ id }) => id).filter(id => texts(id) !== undefined))];
  const [only] = parts;
  const text = only && texts(only.id);
  // One license: its text and nothing else, so that tools know it when they see it.
  if (parts.length === 1 && text !== undefined && only?.exception === undefined) return { text, ids };
  if (ids.length === 0) return { text: statement(facts, license), ids };
  return {
    text: [
      `SPDX-License-Identifier: ${license.spdx}\n`,
      ...parts.map(part => section(part, facts, license, texts)),
    ].join('\n'),
    ids,
  };
}

function section(
  part: LicensePart,
  facts: LicenseFacts,
  license: LicenseOutcome['license'],
  texts: SpdxTexts,
): string {
  const title = part.exception === undefined ? part.id : `${part.id} WITH ${part.exception}`;
  const rule = '='.repeat(Math.max(title.length, 40));
  const exception = part.exception === undefined ? '' : `\n${exceptionText(part.exception, texts)}`;
  return `${rule}\n${title}\n${rule}\n\n${texts(part.id) ?? statement(facts, license)}${exception}`;
}

function exceptionText(id: string, texts: SpdxTexts): string {
  return texts(id) ?? `(The text of the exception ${id} is not part of this file.)\n`;
}

function statement(facts: LicenseFacts, license: LicenseOutcome['license']): string {
  const lines = [
    'This is not the text of a licence. The repository of the model has no licence file that',
    'can be read, and there is no SPDX text for what the model is declared to be under:',
    '',
    `  licence: ${license.declared ?? 'nothing'}`,
  ];
  if (facts.licenseName !== null) lines.push(`  name:    ${plainLine(facts.licenseName)}`);
  if (facts.licenseLink !== null) lines.push(`  link:    ${plainLine(facts.licenseLink, 500)}`);
  lines.push(
    '',
    'An image that holds the weights is built only where its publisher vouches that they may be',
    'handed on (`permissive: true` in models.yaml).',
  );
  return `${lines.join('\n')}\n`;
}
