import type { ModelConfig } from '../config/types.ts';
import { plainLine } from '../core/safe-text.ts';
import type { ModelSnapshot } from '../hub/types.ts';
import {
  type LicenseExpression,
  missingParts,
  permittedKeys,
  readExpression,
  spelledOutId,
} from '../spdx/expression.ts';
import {
  type Contradiction,
  contradictionOf,
  type Declared,
  furtherLicenses,
  licenseIds,
} from './contradiction.ts';
import type { LegalText } from './facts.ts';
import {
  declaredLicense,
  isNameOf,
  type LicenseElement,
  licenseElements,
  licenseRef,
  namedId,
} from './hub-license.ts';
import { isLinkToOtherTerms } from './license-link.ts';
import { fileHint, textEvidence, textFinding } from './text-findings.ts';
import type { Evidence, PolicyFinding, PolicyOutcome } from './types.ts';

/** What a model's license means for its images. */
export interface LicenseJudgement {
  readonly license: PolicyOutcome['license'];
  readonly rule: string;
  readonly reason: string;
  readonly evidence: readonly Evidence[];
  readonly findings: readonly PolicyFinding[];
  readonly contradiction: Contradiction | undefined;
}

/** Whether the weights may be redistributed, as far as the license goes. */
export function judgeLicense(
  model: ModelConfig,
  snapshot: ModelSnapshot,
  texts: readonly LegalText[],
): LicenseJudgement {
  const effective = effectiveLicense(model, snapshot, texts);
  const { rule, reason, isPermissive } = ruling(model, effective);
  const from =
    model.overrideSpdx === null
      ? `the Hub, ${snapshot.license.isFromTags ? 'tags' : 'cardData.license'}`
      : 'models.yaml, override_spdx';
  return {
    license: { spdx: labelOf(effective), declared: effective.declared, isPermissive },
    rule,
    reason,
    evidence: [...evidenceFor(model, snapshot), ...texts.map(textEvidence)],
    findings: [
      { check: 'license', says: `${capital(effective.words)}.`, from, verdict: 'note' },
      ...texts.map(textFinding),
      {
        check: 'rule',
        says: reason,
        from:
          model.permissive === 'auto' ? 'models.yaml, spdx_permissive_whitelist' : 'models.yaml, permissive',
        verdict: isPermissive ? 'pass' : 'stop',
      },
    ],
    contradiction: effective.contradiction,
  };
}

/** Whether the license that is declared is permitted, or is left for the repository's texts to tell. */
export function mayBePermitted(model: ModelConfig, snapshot: ModelSnapshot): boolean {
  const { expression, problem } = licenseAsDeclared(model, snapshot);
  if (expression === undefined) return problem?.rule !== 'override-invalid' && isLeftToTexts(snapshot);
  return missingParts(expression.tree, permittedKeys(model.permissiveWhitelist)).length === 0;
}

/** Whether the card has no license, or one whose name can be that of several. */
function isLeftToTexts({ license }: ModelSnapshot): boolean {
  const [element, ...more] = licenseElements(license);
  if (element === undefined) return true;
  return (
    more.length === 0 &&
    (['other', 'unknown', 'family'].includes(element.kind) || isNameOf(element.text, 'Apache-2.0'))
  );
}

/** Where card and files say different things, the label names all of them: the reading that promises less. */
function labelOf({ spdx, contradiction, further = [] }: EffectiveLicense): string | null {
  const others = contradiction === undefined ? further : [contradiction.spdx];
  if (spdx === null || others.length === 0) return spdx;
  return readExpression(`(${spdx}) AND ${others.join(' AND ')}`)?.spdx ?? spdx;
}

/** What the model is taken to be licensed under, before any judgement. */
interface EffectiveLicense {
  readonly spdx: string | null;
  readonly declared: string | null;
  /** Undefined if what was declared is not an SPDX expression. */
  readonly expression: LicenseExpression | undefined;
  /** `the Hub says apache-2.0`, to be used in a sentence. */
  readonly words: string;
  /** Why it cannot be read as SPDX, and which line in models.yaml would help. */
  readonly problem: Problem | undefined;
  /** A text of the repository that says otherwise. */
  readonly contradiction?: Contradiction | undefined;
  /** Licenses of the repository's own texts that the card does not name. */
  readonly further?: readonly string[];
  /** The SPDX license that the repository's file is, where the card says nothing that can be read. */
  readonly hint?: string;
}

interface Problem {
  readonly rule: string;
  readonly reason: string;
}

interface Ruling {
  readonly rule: string;
  readonly reason: string;
  readonly isPermissive: boolean;
}

function ruling(model: ModelConfig, effective: EffectiveLicense): Ruling {
  if (model.permissive === true) {
    return {
      rule: 'permissive-by-file',
      reason: `models.yaml vouches that the weights may be redistributed (\`permissive: true\`); ${effective.words}.${effective.contradiction === undefined ? '' : ` Beware: ${effective.contradiction.words}.`}`,
      isPermissive: true,
    };
  }
  if (model.permissive === false) {
    return {
      rule: 'not-permissive-by-file',
      reason: `models.yaml says that the weights may not be redistributed (\`permissive: false\`); ${effective.words}. Without that line the license decides.`,
      isPermissive: false,
    };
  }
  if (effective.expression === undefined) {
    const problem = effective.problem ?? unknownLicense(effective.words);
    const reason = effective.hint === undefined ? problem.reason : `${problem.reason} ${effective.hint}`;
    return { ...problem, reason, isPermissive: false };
  }
  const missing = missingParts(effective.expression.tree, permittedKeys(model.permissiveWhitelist));
  if (missing.length === 0 && effective.contradiction !== undefined) {
    const { words, override } = effective.contradiction;
    const correct =
      override === undefined ? '' : `write \`override_spdx: ${override}\` if the file is right, or `;
    return {
      rule: 'license-contradicted',
      reason: `${capital(effective.words)}, but ${words}. Somebody has to read it: ${correct}${VOUCH} if the weights may be redistributed.`,
      isPermissive: false,
    };
  }
  if (missing.length === 0) {
    const further = effective.further ?? [];
    const also =
      further.length === 0
        ? ''
        : ` Its texts are of ${further.join(' and ')} too, which the whitelist permits as well.`;
    return {
      rule: 'license-permitted',
      reason: `The license ${effective.expression.spdx} is permitted by the whitelist: ${effective.words}.${also}`,
      isPermissive: true,
    };
  }
  // A whitelist holds ids only, so an exception cannot be put on it.
  const isListable = !missing.some(part => part.includes(' WITH '));
  const [are, them] = missing.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const add = isListable ? `add ${them} to \`spdx_permissive_whitelist\`, or ` : '';
  return {
    rule: 'license-not-permitted',
    reason: `${missing.join(', ')} ${are} not on the whitelist of permissive licenses; ${effective.words}. If the license allows redistributing the weights, ${add}${VOUCH}.`,
    isPermissive: false,
  };
}

const VOUCH = 'set `permissive: true` for this model';

function effectiveLicense(
  model: ModelConfig,
  snapshot: ModelSnapshot,
  texts: readonly LegalText[],
): EffectiveLicense {
  const declared = licenseAsDeclared(model, snapshot);
  const effective =
    declared.expression === undefined ? licenseFromTexts(model, snapshot, texts, declared) : declared;
  if (effective?.expression === undefined) {
    const hint = fileHint(texts);
    return hint === undefined ? declared : { ...declared, hint };
  }
  const { tree } = effective.expression;
  const own = model.overrideSpdx === null ? [...cardTexts(snapshot, tree), ...texts] : texts;
  const contradiction = contradictionOf(declaredBy(model, tree), own);
  return { ...effective, contradiction, further: furtherLicenses(tree, texts) };
}

function declaredBy({ permissiveWhitelist, overrideSpdx }: ModelConfig, tree: Declared['tree']): Declared {
  return { tree, permitted: permittedKeys(permissiveWhitelist), isOverridden: overrideSpdx !== null };
}

/**
 * `license_name` and `license_link` as texts: they may forbid, and never permit. A name that no license of the card has
 * is that of other terms, whatever it is.
 */
function cardTexts(
  { license: { licenseName, licenseLink } }: ModelSnapshot,
  tree: Declared['tree'],
): LegalText[] {
  const name = licenseName?.trim() ?? '';
  const identity =
    name === '' || licenseIds(tree).some(id => isNameOf(name, id)) ? undefined : nameIdentity(name);
  const texts: LegalText[] =
    identity === undefined ? [] : [{ path: 'license_name', about: 'link', identity }];
  if (licenseLink !== null && isLinkToOtherTerms(licenseLink)) {
    const words = plainLine(licenseLink);
    texts.push({ path: 'license_link', about: 'link', identity: { kind: 'restricted', words } });
  }
  return texts;
}

function nameIdentity(name: string): LegalText['identity'] {
  const spdx = namedId(name);
  return spdx === undefined ? { kind: 'restricted', words: plainLine(name) } : { kind: 'declaration', spdx };
}

/**
 * The license of the repository's own texts, if the card names none, or none that has an id: the word-by-word text of a
 * permitted license is its author's word. A name on the card that is not that license's keeps it from counting.
 */
function licenseFromTexts(
  model: ModelConfig,
  snapshot: ModelSnapshot,
  texts: readonly LegalText[],
  { declared, words }: EffectiveLicense,
): EffectiveLicense | undefined {
  const elements = licenseElements(snapshot.license);
  const [element] = elements;
  if (model.overrideSpdx !== null || elements.length > 1 || element?.kind === 'spdx') return undefined;
  const own = texts.filter(({ about, identity }) => about === 'model' && identity.kind !== 'harmless');
  const found = own.map(({ path, identity }) => ({
    path,
    ids: identity.kind === 'spdx' ? identity.ids : [],
  }));
  const isNamed = element?.kind === 'family' || element?.kind === 'hub-only';
  const name = isNamed ? element.text : snapshot.license.licenseName;
  if (found.length === 0 || found.some(({ ids }) => !ids.some(id => name === null || isNameOf(name, id))))
    return undefined;
  const ids = [...new Set(found.map(text => text.ids[0] ?? ''))];
  const expression = readExpression(ids.join(' AND '));
  if (
    expression === undefined ||
    missingParts(expression.tree, permittedKeys(model.permissiveWhitelist)).length > 0
  )
    return undefined;
  const all = [...cardTexts(snapshot, expression.tree), ...texts];
  if (contradictionOf(declaredBy(model, expression.tree), all) !== undefined) return undefined;
  const read = found.map(({ path, ids: [id = ''] }) => `${plainLine(path)} is the text of ${id}`).join(', ');
  return {
    spdx: expression.spdx,
    declared: declared ?? expression.spdx,
    expression,
    words: `${words}, and ${read}`,
    problem: undefined,
  };
}

function licenseAsDeclared(model: ModelConfig, snapshot: ModelSnapshot): EffectiveLicense {
  const hubDeclared = declaredLicense(snapshot.license);
  const hubWords = hubDeclared === null ? 'the Hub names no license' : `the Hub says ${hubDeclared}`;
  if (model.overrideSpdx === null) return fromHub(snapshot, hubDeclared, hubWords);

  const override = plainLine(model.overrideSpdx);
  const words = `models.yaml says \`override_spdx: ${override}\`, ${hubWords}`;
  const expression = readExpression(model.overrideSpdx);
  if (expression !== undefined) {
    return { spdx: expression.spdx, declared: override, expression, words, problem: undefined };
  }
  const reason = `\`override_spdx: ${override}\` in models.yaml is not a valid SPDX expression.${hint(override)} ${capital(hubWords)}.`;
  const problem = { rule: 'override-invalid', reason };
  return { spdx: licenseRef(override), declared: override, expression: undefined, words, problem };
}

function fromHub(snapshot: ModelSnapshot, declared: string | null, words: string): EffectiveLicense {
  const elements = licenseElements(snapshot.license);
  if (elements.length === 0)
    return { spdx: null, declared, expression: undefined, words, problem: undefined };
  const spdx = elements
    .map(element => (elements.length > 1 ? `(${element.spdx})` : element.spdx))
    .join(' AND ');
  const combined = readExpression(spdx);
  const odd = elements.find(element => element.kind !== 'spdx');
  if (odd === undefined && combined !== undefined) {
    return { spdx: combined.spdx, declared, expression: combined, words, problem: undefined };
  }
  // Too long a list for one expression is as good as none.
  const problem: Problem =
    odd === undefined
      ? {
          rule: 'license-not-spdx',
          reason: `The Hub lists more licenses than can be judged. To decide, ${VOUCH}.`,
        }
      : problemOf(odd, snapshot, words);
  return { spdx: combined?.spdx ?? null, declared, expression: undefined, words, problem };
}

function unknownLicense(words: string): Problem {
  return {
    rule: 'license-unknown',
    reason: `${capital(words)}, so no permission to redistribute the weights is known. If you know the license, name it with \`override_spdx\`, or ${VOUCH}.`,
  };
}

function problemOf(element: LicenseElement, snapshot: ModelSnapshot, words: string): Problem {
  const { text } = element;
  const lookAt =
    snapshot.license.licenseLink === null ? '' : ` (${plainLine(snapshot.license.licenseLink, 300)})`;
  const name =
    snapshot.license.licenseName === null ? '' : `, named ${plainLine(snapshot.license.licenseName)}`;
  switch (element.kind) {
    case 'unknown':
      return unknownLicense(words);
    case 'other':
      return {
        rule: 'license-other',
        reason: `The Hub says that the license is not one of the usual ones: ${text}${name}${lookAt}. Someone has to read it; if it allows redistributing the weights, ${VOUCH}.`,
      };
    case 'family':
      return {
        rule: 'license-not-spdx',
        reason: `The Hub says ${text}, which names a family of licenses and not one of them. If you know which one it is, name it with \`override_spdx\`, or ${VOUCH}.`,
      };
    default:
      return {
        rule: 'license-not-spdx',
        reason: `The Hub says ${text}${name}${lookAt}, which is not an SPDX license.${hint(text)} If its terms allow redistributing the weights, ${VOUCH}.`,
      };
  }
}

function hint(text: string): string {
  const id = spelledOutId(text);
  return id === undefined ? '' : ` If ${id} is meant, write \`override_spdx: ${id}\`.`;
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function evidenceFor(model: ModelConfig, snapshot: ModelSnapshot): Evidence[] {
  const { license, licenseName, licenseLink } = snapshot.license;
  const evidence: Evidence[] = [{ field: 'permissive', value: model.permissive, source: 'models.yaml' }];
  if (model.overrideSpdx !== null) {
    evidence.push({ field: 'override_spdx', value: model.overrideSpdx, source: 'models.yaml' });
  }
  evidence.push({ field: 'cardData.license', value: license, source: 'hub' });
  if (licenseName !== null)
    evidence.push({ field: 'cardData.license_name', value: licenseName, source: 'hub' });
  if (licenseLink !== null)
    evidence.push({ field: 'cardData.license_link', value: licenseLink, source: 'hub' });
  if (model.permissive === 'auto') {
    const value = model.permissiveWhitelist;
    evidence.push({ field: 'spdx_permissive_whitelist', value, source: 'models.yaml' });
  }
  return evidence;
}
