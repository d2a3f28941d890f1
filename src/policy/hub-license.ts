import { compatibilityForm } from '../core/compatibility-form.ts';
import { plainLine } from '../core/safe-text.ts';
import type { LicenseFacts } from '../hub/types.ts';
import { type LicenseExpression, readExpression, spelledOutId } from '../spdx/expression.ts';

/** One of the licenses that a model card names. */
export interface LicenseElement {
  readonly kind: 'spdx' | 'other' | 'unknown' | 'family' | 'hub-only';
  /** As the card says it, fit for a sentence. */
  readonly text: string;
  /** A valid SPDX expression; `LicenseRef-…` for what has no SPDX id. */
  readonly spdx: string;
}

/** Ids of the Hub that stand for several licenses with different terms (repositories-licenses in the Hub's documentation). */
const FAMILIES: ReadonlySet<string> = new Set(['bsd', 'cc', 'gpl', 'lgpl', 'gfdl', 'openrail']);

/** Ids of the Hub that SPDX spells another way. */
const HUB_IDS: ReadonlyMap<string, string> = new Map([
  ['c-uda', 'C-UDA-1.0'],
  ['lgpl-lr', 'LGPLLR'],
  ['odbl', 'ODbL-1.0'],
  ['odc-by', 'ODC-By-1.0'],
  ['openmdw', 'OpenMDW-1.0'],
  ['pddl', 'PDDL-1.0'],
]);

/** Returns the licenses of a card, each once; empty if the card names none. A list means that all of them apply. */
export function licenseElements(facts: LicenseFacts): readonly LicenseElement[] {
  const texts = declaredTexts(facts);
  if (texts.every(text => text.toLowerCase() === 'unknown')) return [];
  return texts.map(text => elementOf(text, facts));
}

/** Returns the license as the card has it: `apache-2.0`, `mit, apache-2.0`, `other (llama3.1)`, or null. */
export function declaredLicense(facts: LicenseFacts): string | null {
  const texts = declaredTexts(facts).map(text => plainLine(text));
  if (texts.length === 0) return null;
  const name = plainLine(facts.licenseName ?? '');
  const isNews = name !== '' && !texts.some(text => text.toLowerCase() === name.toLowerCase());
  return plainLine(texts.join(', ') + (isNews ? ` (${name})` : ''), 300);
}

function declaredTexts({ license }: LicenseFacts): string[] {
  const texts = typeof license === 'string' ? listIn(license) : (license ?? []);
  return [...new Set(texts.map(text => text.trim()).filter(text => text !== ''))];
}

/** `mit, apache-2.0` is the list that it was meant to be, if each part of it is a license. */
function listIn(license: string): readonly string[] {
  const parts = license.split(',').map(part => part.trim());
  return parts.every(part => readExpression(part) !== undefined) ? parts : [license];
}

function elementOf(text: string, facts: LicenseFacts): LicenseElement {
  const expression = readExpression(text) ?? namedExpression(plainLine(text));
  if (expression !== undefined) return { kind: 'spdx', text: expression.spdx, spdx: expression.spdx };
  const kind = kindOf(text.toLowerCase());
  const named = kind === 'other' ? (facts.licenseName ?? text) : text;
  return { kind, text: plainLine(text), spdx: licenseRef(named) };
}

/** `Apache License 2.0` can mean one license alone; `apache` could mean several. */
function namedExpression(name: string): LicenseExpression | undefined {
  const known = HUB_IDS.get(name.toLowerCase()) ?? (hasVersion(name) ? spelledOutId(name) : undefined);
  return known === undefined ? undefined : readExpression(known);
}

/** Whether a name that somebody wrote on a card can mean this license: `mit`, `Apache 2.0`, the family `bsd`. */
export function isNameOf(name: string, id: string): boolean {
  const meant = namedId(name);
  if (meant !== undefined) return meant === id;
  const written = plainLine(name).toLowerCase();
  return (FAMILIES.has(written) || written === 'apache') && id.toLowerCase().startsWith(`${written}-`);
}

/** Returns the SPDX expression that a name is, or spells out; undefined if it is of something else, or of several licenses. */
export function namedId(name: string): string | undefined {
  const written = plainLine(name).toLowerCase();
  return readExpression(written)?.spdx ?? HUB_IDS.get(written) ?? spelledOutId(written);
}

/** A license without versions is named in full without one. */
function hasVersion(name: string): boolean {
  return /\d/.test(name) || /^(?:the )?(?:mit|isc) licen[cs]e$/i.test(name);
}

function kindOf(id: string): LicenseElement['kind'] {
  if (id === 'other' || id === 'unknown') return id;
  return FAMILIES.has(id) ? 'family' : 'hub-only';
}

/** Returns the `LicenseRef-` id of a name: SPDX allows letters, digits, `-` and `.` after the prefix. */
export function licenseRef(name: string): string {
  const id = compatibilityForm(name, 'NFKD')
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .slice(0, 64)
    .replace(/^[-.]+|[-.]+$/g, '');
  return `LicenseRef-${id || 'other'}`;
}
