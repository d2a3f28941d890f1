import { type Digest, hexOf } from '../core/digest.ts';

// The in-toto wire types; https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md

/** The `_type` of an in-toto statement, version 1. */
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
/** The `payloadType` of a DSSE envelope that holds an in-toto statement. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** An in-toto statement, https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md. */
export interface Statement {
  readonly _type: typeof STATEMENT_TYPE;
  readonly subject: readonly StatementSubject[];
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** What a statement is about, by name and digest. */
export interface StatementSubject {
  readonly name?: string;
  readonly digest: DigestSet;
}

/** By algorithm, as hex: `sha256`, `gitCommit`, `gitBlob`. */
export type DigestSet = Readonly<Record<string, string>>;

/** What a statement says, by the type of its predicate. */
export const PredicateType = {
  image: 'https://sigstore.dev/cosign/sign/v1',
  provenance: 'https://slsa.dev/provenance/v1',
  bom: 'https://cyclonedx.org/bom',
  license: 'https://github.com/13fragments/vllm-models/license-decision/v1',
  vulnerabilities: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  vex: 'https://openvex.dev/ns',
  model: 'https://model_signing/signature/v1.0',
} as const;

/** The short names of the statements that Weighbridge makes and checks. */
export type StatementKind = keyof typeof PredicateType;

/** For people. */
export const STATEMENT_NAMES: Readonly<Record<StatementKind, string>> = {
  image: 'image signature',
  provenance: 'SLSA provenance',
  bom: 'ML-BOM',
  license: 'license decision',
  vulnerabilities: 'vulnerability scan',
  vex: 'OpenVEX',
  model: 'model signature',
};

/** Returns the kind of statement that a predicate type names, or undefined for one that Weighbridge does not write. */
export function kindOf(predicateType: string | undefined): StatementKind | undefined {
  const found = Object.entries(PredicateType).find(([, type]) => type === predicateType);
  // Later versions of OpenVEX and CycloneDX append theirs: https://openvex.dev/ns/v0.2.0
  if (found === undefined && predicateType?.startsWith(`${PredicateType.vex}/`)) return 'vex';
  return found?.[0] as StatementKind | undefined;
}

/** Returns a statement about an image, identified by its digest alone: an image has one digest and many names. */
export function statementAbout(digest: Digest, kind: StatementKind, predicate: unknown): Statement {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ digest: { sha256: hexOf(digest) } }],
    predicateType: PredicateType[kind],
    predicate,
  };
}

/** Returns the bytes that are signed: the same statement always has the same bytes. */
export function statementBytes(statement: Statement): Buffer {
  return Buffer.from(JSON.stringify(statement), 'utf8');
}
