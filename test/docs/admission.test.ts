import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { PredicateType } from '../../src/attest/statement.ts';
import { ROOT } from '../support/command.ts';

const page = readFileSync(path.join(ROOT, 'docs/admission.md'), 'utf8');
const samples = [...page.matchAll(/```yaml\n([^`]*)```/g)].map(([, text = '']) => parse(text));

test('the samples are policies of Kyverno and policy-controller about what Weighbridge states', () => {
  assert.deepEqual(
    samples.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
    ['kyverno.io/v1 ClusterPolicy', 'policy.sigstore.dev/v1beta1 ClusterImagePolicy'],
  );
  const [kyverno, controller] = samples;
  const types = [
    ...kyverno.spec.rules.flatMap((rule: Rule) =>
      rule.verifyImages.flatMap(one => one.attestations.map(({ type }) => type)),
    ),
    ...controller.spec.authorities.flatMap((one: Authority) =>
      one.attestations.map(({ predicateType }) => predicateType),
    ),
  ];
  const known: readonly string[] = Object.values(PredicateType);
  assert.deepEqual(
    types.filter(type => !known.includes(type)),
    [],
  );
  for (const type of [PredicateType.image, PredicateType.license, PredicateType.vulnerabilities])
    assert.ok(types.includes(type), type);
});

test('policy-controller verifies bundles by identities alone, and the samples have no others', () => {
  const { authorities } = samples[1].spec;
  // "when using the new bundle format, the authority must be keyless": its checkOptsFromAuthority, up to 0.13.1.
  for (const { signatureFormat, key, keyless } of authorities) {
    assert.equal(signatureFormat, 'bundle');
    assert.equal(key, undefined);
    assert.ok(keyless.identities.every((one: object) => 'issuer' in one && 'subjectRegExp' in one));
  }
});

interface Rule {
  readonly verifyImages: readonly { readonly attestations: readonly { readonly type: string }[] }[];
}

interface Authority {
  readonly attestations: readonly { readonly predicateType: string }[];
}
