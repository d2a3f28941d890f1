import { modelIdIn } from '../core/hub-names.ts';
import { isKnownAddress } from '../spdx/markup.ts';
import { restrictionIn } from '../spdx/restrictions.ts';
import { familyOfName } from './families.ts';

/**
 * Whether `license_link` leads to terms that are not permissive, as far as its words tell. It is opened only if it is a
 * file of the repository; a document cannot be read at all, and a family's own page has that family's terms.
 */
export function isLinkToOtherTerms(link: string): boolean {
  const address = link.trim().slice(0, MAX_LINK_CHARACTERS);
  if (restrictionIn(address) !== undefined) return true;
  if (isKnownAddress(address)) return false;
  const segments = address.replace(/^https?:\/\//i, '').split(/[/?#&=]+/);
  if (OTHER_TERMS.test(segments.join(' ').replace(/[_.-]+/g, ' '))) return true;
  if (!/^https?:/i.test(address)) return false;
  if (segments.some(segment => DOCUMENT.test(segment))) return true;
  // The page of a model is judged as a base.
  return (
    modelIdIn(address) === undefined &&
    segments.some(segment => segment === 'spaces' || familyOfName(segment, 'license_link') !== undefined)
  );
}

const MAX_LINK_CHARACTERS = 1000;
const DOCUMENT = /\.(?:pdf|docx?|odt|rtf)$/i;
const OTHER_TERMS =
  /\b(?:terms|tos|tou|eula|agreements?|polic(?:y|ies)|community|commercial|research|evaluation|proprietary|mrl|mnpl|non production|nc|nd)\b/i;
