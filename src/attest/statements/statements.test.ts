import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import type { VexEntry } from '../../config/types.ts';
import { digestOf, hexOf } from '../../core/digest.ts';
import { makeStatements } from '../make-statements.ts';
import { kindOf, PredicateType, type Statement, statementBytes } from '../statement.ts';
import { fixtureSubject, REVISION } from '../subject.fixtures.ts';
import { mlBom } from './ml-bom.ts';
import { modelSignature, rootDigest } from './model-signature.ts';
import { vulnerabilityStatement } from './vulnerabilities.ts';

const VEX: VexEntry = {
  vulnerability: 'CVE-2026-1',
  status: 'not_affected',
  date: '2026-11-20T00:00:00Z',
  justification: 'component_not_present',
  impact: null,
  action: null,
  models: null,
  packages: ['pkg:pypi/torch'],
};

test('everything that is stated of an image is about its digest, and says the same each time', () => {
  const statements = makeStatements(fixtureSubject(), { vex: [VEX] });
  assert.deepEqual(
    statements.map(({ predicateType }) => kindOf(predicateType)),
    ['image', 'provenance', 'bom', 'license', 'model', 'vex'],
  );
  const digest = hexOf(digestOf('image'));
  for (const { subject, predicateType } of statements) {
    assert.equal(subject.length, 1);
    if (predicateType !== PredicateType.model) assert.equal(subject[0]?.digest.sha256, digest);
  }
  const again = makeStatements(fixtureSubject(), { vex: [VEX] });
  assert.deepEqual(again.map(statementBytes), statements.map(statementBytes));
});

test('provenance names the model and adapters at their commits, every file, the base image and the builder', () => {
  const { buildDefinition, runDetails } = predicateOf('provenance');
  assert.deepEqual(
    buildDefinition.resolvedDependencies.map(({ uri, digest }: { uri: string; digest: object }) => [
      uri,
      Object.keys(digest),
    ]),
    [
      [`pkg:huggingface/acme/x@${REVISION}`, ['gitCommit']],
      [`pkg:huggingface/acme/sql-lora@${'e'.repeat(40)}`, ['gitCommit']],
      [
        `pkg:oci/vllm-openai@sha256%3A${'b'.repeat(64)}?repository_url=docker.io/vllm/vllm-openai`,
        ['sha256'],
      ],
      [`pkg:huggingface/acme/x@${REVISION}#config.json`, ['sha256', 'gitBlob']],
      [`pkg:huggingface/acme/x@${REVISION}#model.safetensors`, ['sha256']],
    ],
  );
  assert.equal(buildDefinition.externalParameters.model.short, 'x');
  assert.equal(buildDefinition.externalParameters.model.lock.revision, REVISION);
  assert.equal(runDetails.builder.version.weighbridge, '0.1.0');
});

test('the license decision has its rule, evidence, texts and lineage, and needs a plan', () => {
  const decision = predicateOf('license');
  assert.equal(decision.decision.rule, 'license-permitted');
  assert.equal(decision.files[0].content, `sha256:${'a'.repeat(64)}`);
  assert.equal(decision.lineage[0].id, 'acme/base');
  assert.ok(decision.whitelist.includes('apache-2.0'));
  const without = makeStatements({ ...fixtureSubject(), planned: undefined }, { vex: [] });
  assert.ok(!without.some(({ predicateType }) => predicateType === PredicateType.license));
});

test("the bill of materials is valid by CycloneDX's schema", () => {
  const validate = bomValidator();
  for (const planned of [fixtureSubject().planned, undefined]) {
    const bom = mlBom({ ...fixtureSubject(), planned });
    assert.ok(validate(bom), JSON.stringify(validate.errors, null, 1));
  }
  const [model, adapter] = mlBom(fixtureSubject()).components;
  assert.equal(adapter?.purl, `pkg:huggingface/acme/sql-lora@${'e'.repeat(40)}`);
  assert.deepEqual(model?.licenses, [{ expression: 'Apache-2.0' }]);
  assert.deepEqual(model?.modelCard, { modelParameters: { task: 'text-generation' } });
  assert.match(JSON.stringify(model?.pedigree), /"name":"base"/);
  assert.ok(!validate({ ...mlBom(fixtureSubject()), components: [{ type: 'model' }] }));
});

test('the model signature lists files in the order of their names, and its subject stands for all', () => {
  const files = [
    { path: 'b', sizeBytes: 1, sha256: '11'.repeat(32), isUpstream: true },
    { path: 'a/é', sizeBytes: 1, sha256: '22'.repeat(32), isUpstream: true },
  ];
  const { subject, predicate } = modelSignature('x', files);
  const { resources } = predicate as { resources: { name: string; algorithm: string; digest: string }[] };
  assert.deepEqual(
    resources.map(({ name }) => name),
    ['a/é', 'b'],
  );
  assert.deepEqual(subject, [{ name: 'x', digest: { sha256: rootDigest(resources) } }]);
});

test('vex is about the image and its platforms, for the models that it names', () => {
  const vex = predicateOf('vex');
  assert.equal(vex.timestamp, VEX.date);
  assert.equal(vex.statements[0].products[0]['@id'], `pkg:oci/hf-x@sha256%3A${hexOf(digestOf('image'))}`);
  assert.deepEqual(vex.statements[0].products[0].subcomponents, [{ '@id': 'pkg:pypi/torch' }]);
  const others = makeStatements(fixtureSubject(), { vex: [{ ...VEX, models: ['y'] }] });
  assert.ok(!others.some(({ predicateType }) => predicateType === PredicateType.vex));
});

test("a scan becomes cosign's predicate", () => {
  const scan = {
    digest: digestOf('image'),
    scanner: 'trivy 0.74.0',
    databaseDate: '2026-11-25T00:00:00Z',
    scannedAt: '2026-11-26T00:00:00Z',
    report: {
      Results: [
        {
          Target: 'x',
          Vulnerabilities: [
            {
              VulnerabilityID: 'CVE-2026-1',
              Description: 'long',
              PkgIdentifier: { PURL: 'pkg:pypi/torch@2.0' },
            },
            {
              VulnerabilityID: 'CVE-2026-1',
              Description: 'long',
              PkgIdentifier: { PURL: 'pkg:pypi/torchx@2.0' },
            },
          ],
        },
      ],
    },
  };
  const { predicate } = vulnerabilityStatement(scan, [VEX]);
  const { scanner, metadata } = predicate as Record<string, Record<string, unknown>>;
  assert.equal(scanner?.uri, 'pkg:github/aquasecurity/trivy@v0.74.0');
  assert.equal(metadata?.scanFinishedOn, '2026-11-26T00:00:00Z');
  const result = scanner?.result as { readonly Results: readonly { readonly Vulnerabilities: object[] }[] };
  const [first, second] = (result.Results[0]?.Vulnerabilities ?? []) as Record<string, unknown>[];
  assert.equal(first?.VexStatus, 'not_affected');
  assert.equal(second?.VexStatus, undefined);
  assert.equal(first?.Description, undefined);
});

// biome-ignore lint/suspicious/noExplicitAny: JSON of several shapes, looked into by the tests
function predicateOf(kind: keyof typeof PredicateType): any {
  const statements = makeStatements(fixtureSubject(), { vex: [VEX] });
  const found = statements.find(({ predicateType }: Statement) => predicateType === PredicateType[kind]);
  return JSON.parse(String(statementBytes(found as Statement))).predicate;
}

function bomValidator() {
  const entry = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library');
  const root = entry.slice(0, entry.lastIndexOf('cyclonedx-library') + 'cyclonedx-library'.length);
  const schema = (name: string) =>
    JSON.parse(readFileSync(path.join(root, 'res', 'schema', `${name}.SNAPSHOT.schema.json`), 'utf8'));
  const ajv = new Ajv({ strict: false, logger: false });
  addFormats.default(ajv);
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return ajv.compile(schema('bom-1.6'));
}
