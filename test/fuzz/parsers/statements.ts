import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { BUNDLE_TYPE } from '../../../src/attest/bundle.ts';
import { signatureDifferences } from '../../../src/attest/check-statement.ts';
import { keySigner } from '../../../src/attest/signers/key-signer.ts';
import { statementAbout } from '../../../src/attest/statement.ts';
import { modelSignature } from '../../../src/attest/statements/model-signature.ts';
import { describeStatements } from '../../../src/attest/stored-statements.ts';
import { parseTrustedRoot, verifyBundle } from '../../../src/attest/verify-bundle.ts';
import type { Digest } from '../../../src/core/digest.ts';
import {
  Label,
  LICENSE_LABELS,
  readLabels,
  readModelLabels,
  ScanAnnotation,
} from '../../../src/image/format/labels.ts';
import type { Descriptor } from '../../../src/oci/types.ts';
import { readScanAnnotations } from '../../../src/scan/scan-referrer.ts';
import { bent, bentJson, orRefused } from '../bent.ts';
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
  const root = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [],
    certificateAuthorities: [{ subject: {}, uri: 'x', certChain: { certificates: [{ rawBytes: 'AAAA' }] } }],
  };
  parser(
    'trusted roots',
    fc.property(bentJson(root), bytes => {
      orRefused(() => parseTrustedRoot(String(bytes), 'x'));
    }),
  );
}
