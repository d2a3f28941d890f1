import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { BUNDLE_TYPE, readBundle } from '../../../src/attest/bundle.ts';
import {
  differencesOf,
  type StatedImage,
  signatureDifferences,
} from '../../../src/attest/check-statement.ts';
import { modelUrl } from '../../../src/attest/package-url.ts';
import { keySigner } from '../../../src/attest/signers/key-signer.ts';
import { type StatementKind, statementAbout, statementBytes } from '../../../src/attest/statement.ts';
import { modelSignature } from '../../../src/attest/statements/model-signature.ts';
import { vulnerabilityStatement } from '../../../src/attest/statements/vulnerabilities.ts';
import { describeStatements } from '../../../src/attest/stored-statements.ts';
import { fixtureSubject } from '../../../src/attest/subject.fixtures.ts';
import { parseTrustedRoot, readStatement, verifyBundle } from '../../../src/attest/verify-bundle.ts';
import { verifyUpstream } from '../../../src/attest/verify-upstream.ts';
import type { VexEntry } from '../../../src/config/types.ts';
import { bytesSource } from '../../../src/core/byte-source.ts';
import type { Digest } from '../../../src/core/digest.ts';
import type { Hub } from '../../../src/hub/types.ts';
import {
  Label,
  LICENSE_LABELS,
  readLabels,
  readModelLabels,
  ScanAnnotation,
} from '../../../src/image/format/labels.ts';
import type { Descriptor } from '../../../src/oci/types.ts';
import type { PlannedModel } from '../../../src/plan/types.ts';
import { readScanAnnotations } from '../../../src/scan/scan-referrer.ts';
import { parseTrivyReport } from '../../../src/scan/trivy-report.ts';
import { assertPlain, bent, bentJson, orRefused, orRefusedLater } from '../bent.ts';
import { DESCRIPTOR, DIGEST, OID, parser } from './table.ts';

// Labels and annotations of images, scans and statements: facts of the right type, whatever is written there.
{
  const files = JSON.stringify([['a', 1, 'b']]);
  const labels = fc.dictionary(
    fc.constantFrom(...Object.values(Label), ...LICENSE_LABELS, 'x'),
    bent('linux/amd64', 'mit', '1', 'true', '/models/x', '{"a":[1]}', '[["a","b"]]', DIGEST, OID, files),
  );
  parser(
    'labels',
    fc.property(labels, given => {
      const { lineage, access } = orRefused(() => readLabels(given)) ?? {};
      assert.ok(lineage === undefined || lineage.every(({ id }) => typeof id === 'string'));
      assert.ok(access === undefined || ['gated', 'private'].includes(access));
      orRefused(() => readModelLabels(given));
    }),
  );
  const scan = fc.dictionary(
    fc.constantFrom(...Object.values(ScanAnnotation), 'org.opencontainers.image.created'),
    bent('{"CRITICAL":1,"HIGH":2}', '2026-11-20T00:00:00Z', 'trivy 0.70', '3'),
  );
  parser(
    'scan annotations',
    fc.property(scan, annotations => {
      orRefused(() => readScanAnnotations(annotations));
    }),
  );
  parser(
    'statement annotations',
    fc.property(
      fc.array(
        fc.record({
          artifactType: bent(BUNDLE_TYPE),
          annotations: fc.dictionary(
            bent('dev.sigstore.bundle.content', 'io.weighbridge.statement'),
            bent('x'),
          ),
        }),
        { maxLength: 4 },
      ),
      listed => {
        const described = describeStatements(listed.map(one => ({ ...DESCRIPTOR, ...one }) as Descriptor));
        assert.ok(described.length <= listed.length);
      },
    ),
  );
}

// The model signature that an image has as a file: anybody's, read before anything is verified.
{
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { signModel } = keySigner(privateKey);
  const files = [{ path: 'config.json', sizeBytes: 2, sha256: 'a'.repeat(64) }];
  const statement = modelSignature('x', files);
  parser(
    'model signature of an image',
    fc.property(bentJson(statement), given => {
      const bundle = signModel?.(given) ?? assert.fail();
      const problems = orRefused(() => signatureDifferences(bundle, files));
      assert.ok(problems === undefined || problems.every(problem => typeof problem === 'string'));
    }),
  );
}

// Signatures: nothing that was bent is verified.
{
  const { publicKey } = generateKeyPairSync('ed25519');
  const payload = Buffer.from(JSON.stringify(statementAbout(DIGEST as Digest, 'image', {}))).toString(
    'base64',
  );
  const bundle = {
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: 'x' }, tlogEntries: [], timestampVerificationData: {} },
    dsseEnvelope: {
      payload,
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: 'AAAA', keyid: '' }],
    },
  };
  parser(
    'signature bundles',
    fc.property(bentJson(bundle), bytes => {
      const trusted = { kind: 'key', key: publicKey, name: 'k' } as const;
      assert.equal(
        orRefused(() => verifyBundle(bytes, trusted, 'x')),
        undefined,
      );
    }),
  );
  const certificate = { rawBytes: 'AAAA' };
  const certified = { ...bundle, verificationMaterial: { ...bundle.verificationMaterial, certificate } };
  Reflect.deleteProperty(certified.verificationMaterial, 'publicKey');
  const root = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [],
    certificateAuthorities: [{ subject: {}, uri: 'x', certChain: { certificates: [{ rawBytes: 'AAAA' }] } }],
  };
  parser(
    'trusted roots',
    fc.property(bentJson(root), bentJson(certified), (bytes, signed) => {
      const parsed = orRefused(() => parseTrustedRoot(String(bytes), 'x'));
      if (parsed === undefined) return;
      const trusted = { kind: 'identity', identity: 'a@b', issuer: 'https://c', root: parsed } as const;
      assert.equal(
        orRefused(() => verifyBundle(signed, trusted, 'x')),
        undefined,
      );
    }),
  );
}

// What a statement says of an image, whose signature may be anybody's.
{
  const { descriptor, model, platforms, files } = fixtureSubject();
  const image = { digest: descriptor.digest, model, platforms, files } as unknown as StatedImage;
  const provenance = {
    buildDefinition: {
      resolvedDependencies: [
        { uri: modelUrl(model.id, model.revision), digest: { gitCommit: model.revision } },
        { uri: 'x', digest: { sha256: 'b'.repeat(64) } },
      ],
    },
  };
  const components = [{ purl: modelUrl(model.id, model.revision) }];
  const bom = { components, metadata: { component: { licenses: [{ expression: 'MIT' }] } } };
  const license = {
    model: { id: model.id, revision: model.revision },
    image: { license: 'Apache-2.0' },
    ...{ variant: 'fat', decision: { build: true } },
  };
  const signed = { resources: [{ name: 'a', algorithm: 'sha256', digest: 'a'.repeat(64) }] };
  const about = (kind: StatementKind, predicate: object) =>
    statementAbout(descriptor.digest, kind, predicate);
  const all = [
    about('provenance', provenance),
    about('bom', bom),
    about('license', license),
    about('model', signed),
  ];
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { signModel } = keySigner(privateKey);
  parser(
    'statements about images',
    fc.property(bentJson(...all), payload => {
      const bundle = signModel?.(payload) ?? assert.fail();
      const statement = orRefused(() => readStatement(readBundle(bundle, 'x'), 'x'));
      if (statement === undefined) return;
      const found = orRefused(() => differencesOf(statement, image)) ?? [];
      for (const difference of found) assertPlain(difference);
    }),
  );

  // A signature of the makers, with a key that is trusted: it may say anything all the same.
  const key = createPublicKey(privateKey);
  const trust = { models: ['acme/*'], isRequired: true, signer: { kind: 'key', key: 'k' } } as const;
  const upstream = [{ trust, signer: { kind: 'key', key, name: 'k' } }] as const;
  const old = { ...about('model', {}), predicateType: 'https://model_signing/Digests/v0.1' };
  const whole = { ...signed, serialization: { method: 'files' } };
  parser(
    'signatures of models',
    fc.asyncProperty(bentJson(about('model', whole), old), async payload => {
      const bytes = signModel?.(payload) ?? assert.fail();
      const file = { path: 'model.sig', sizeBytes: bytes.length };
      const weights = { path: 'a', sizeBytes: 1, sha256: 'a'.repeat(64) };
      const snapshot = { id: 'acme/x', revision: OID, files: [file, weights] };
      const planned = { snapshot, files: [weights] } as unknown as PlannedModel;
      const hub = { openFile: () => bytesSource('x', bytes) } as unknown as Hub;
      await orRefusedLater(() => verifyUpstream(planned, { upstream, hub, hashes: new Map() as never }));
    }),
  );
}

// What is stated of a scan: of a report what policies look at.
{
  const vex = [{ vulnerability: 'CVE-1', packages: ['pkg:deb/a'], status: 'fixed' }] as unknown as VexEntry[];
  const report = {
    ...{ SchemaVersion: 2, ArtifactName: 'x', ArtifactType: 'container_image' },
    Results: [
      {
        Target: 'x',
        Vulnerabilities: [
          { VulnerabilityID: 'CVE-1', PkgName: 'a', PkgIdentifier: { PURL: 'pkg:deb/a@1?x=y' } },
        ],
      },
    ],
  };
  parser(
    'statements of scans',
    fc.property(bentJson(report), bytes => {
      const parsed = parseTrivyReport(bytes.toString('utf8'));
      if (parsed === undefined) return;
      const scan = { digest: DIGEST as Digest, scanner: 'trivy 0.74', databaseDate: null, scannedAt: 'x' };
      const statement = statementBytes(vulnerabilityStatement({ ...scan, report: parsed }, vex));
      assert.ok(statement.length < 2 * bytes.length + 2000);
    }),
  );
}
