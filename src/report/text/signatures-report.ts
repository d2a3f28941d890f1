import { STATEMENT_NAMES } from '../../attest/statement.ts';
import type { SignaturePolicy, SignedCheck, StatementCheck } from '../../attest/verify-signed.ts';
import type { ErrorJson } from '../../core/errors.ts';
import { clean, paragraph } from '../layout/text-layout.ts';
import { type Style, styleFor } from '../progress/style.ts';
import type { TextOptions } from './plan-table.ts';
import { errorSection } from './verify-report.ts';

/** An image whose signatures were checked. */
export interface CheckedImage {
  /** In full: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly reference: string;
  readonly checks?: readonly SignedCheck[] | undefined;
  /** Why there are no checks. */
  readonly error?: ErrorJson | undefined;
}

/** Returns the document of `verify --signed --json`. */
export function signaturesToJson(images: readonly CheckedImage[], policy: SignaturePolicy) {
  return {
    schemaVersion: 1,
    policy,
    images: images.map(({ reference, checks = [], error }) => ({
      reference,
      signed: error === undefined && checks.every(({ problems }) => problems.length === 0),
      ...(error && { error }),
      subjects: checks.map(({ digest, platform, statements, problems }) => ({
        digest,
        platform,
        statements: statements.map(({ kind, predicateType, file, status, signer, details }) => ({
          kind: kind ?? null,
          predicateType,
          ...(file === undefined ? {} : { file }),
          status,
          ...(signer === undefined ? {} : { signer }),
          details,
        })),
        problems,
      })),
    })),
  };
}

/** Returns the text of `verify --signed` for people. No line break at its end. */
export function signaturesTable(images: readonly CheckedImage[], { columns, isColor }: TextOptions): string {
  const style = styleFor(isColor);
  const say = (text: string): string[] => paragraph(clean(text), { columns, indent: 2 });
  return images
    .map(({ reference, checks = [], error }) => {
      if (error !== undefined) return errorSection(reference, error, { columns, style }).join('\n');
      return [
        style.strong(clean(reference)),
        ...checks.flatMap(({ platform, digest, statements, problems }) => [
          ...say(`${platform} ${digest}`).map(style.quiet),
          ...statements.flatMap(one => say(`  ${STATUS_WORDS[one.status]}  ${statementName(one)}`)),
          ...verdict(statements, problems, style, say),
        ]),
      ].join('\n');
    })
    .join('\n\n');
}

const STATUS_WORDS: Readonly<Record<StatementCheck['status'], string>> = {
  verified: 'verified    ',
  other: 'other signer',
  wrong: 'WRONG       ',
};

function verdict(
  statements: readonly StatementCheck[],
  problems: readonly string[],
  style: Style,
  say: (text: string) => string[],
): string[] {
  if (problems.length > 0) return problems.flatMap(problem => say(`✗ ${problem}.`).map(style.bad));
  const signers = [...new Set(statements.flatMap(({ signer }) => (signer === undefined ? [] : [signer])))];
  return say(`✓ Signed by ${signers.join(', ')}.`).map(style.good);
}

function statementName({ kind, predicateType, file }: StatementCheck): string {
  const name = kind === undefined ? predicateType : STATEMENT_NAMES[kind];
  return file === undefined ? name : `${name} (${file})`;
}
