import * as z from 'zod';
import {
  checkCveId,
  checkGlob,
  checkHttpsUrl,
  checkKeyReference,
  checkOneLine,
  checkPackageUrl,
  checkTimestamp,
  ONE_LINE,
} from './field-checks.ts';
import { listOf, text, unique } from './field-schema.ts';
import { VEX_JUSTIFICATIONS, VEX_STATUSES } from './types.ts';

const keyReference = text(checkKeyReference, {
  pattern: ONE_LINE,
  examples: ['keys/signing.pem', 'env://SIGNING_KEY'],
});
const service = (text_: string) =>
  text(checkHttpsUrl, { format: 'uri' }).optional().meta({ description: text_ });

const identity = text(checkOneLine, { pattern: ONE_LINE }).optional();
const issuer = text(checkHttpsUrl, { format: 'uri' })
  .optional()
  .meta({ description: 'The OIDC issuer in the certificate.' });
const trustedRoot = text(checkOneLine, { pattern: ONE_LINE }).optional().meta({
  description: "JSON file with sigstore's trusted root, relative to this one.",
});

const keyless = z
  .union(
    [
      z.boolean(),
      z.strictObject({
        fulcio: service('The certificate authority; https://fulcio.sigstore.dev if absent.'),
        rekor: service('The transparency log; https://rekor.sigstore.dev if absent.'),
        timestamp_authority: service('A timestamp authority to use as well.'),
        identity: identity.meta({
          description:
            'The signer in the certificates of this job; * matches any characters. With issuer and trusted_root: trust only manifests that this identity has signed.',
        }),
        issuer,
        trusted_root: trustedRoot,
      }),
    ],
    { error: 'must be true, false or a map' },
  )
  .meta({
    description:
      "Sign with the identity of the CI job (OIDC): true uses sigstore's public services, a map names others.",
  });

const upstream = z.strictObject({
  models: listOf(text(checkGlob, { pattern: ONE_LINE, examples: ['ibm-granite/*'] })).meta({
    description: 'Ids of the models; * matches any characters except /.',
  }),
  key: keyReference.optional().meta({
    description: "The public key of the model's authors: a PEM file relative to this one, or env://NAME.",
  }),
  identity: identity.meta({
    description: 'The identity in the certificate: an email address or the URL of a workflow.',
  }),
  issuer,
  trusted_root: trustedRoot,
  require: z.boolean().default(false).meta({
    description: 'Refuse models without model.sig. Invalid signatures are always refused.',
  }),
});

/** The schema of `signing:`. */
export const signing = z.strictObject({
  mode: z.enum(['off', 'sign', 'required'], { error: 'must be off, sign or required' }).default('off').meta({
    description:
      'off: sign only with publish --sign. sign: sign at every publish, and report images whose signing failed. required: never tag an image that is not signed.',
  }),
  key: keyReference.optional().meta({
    description:
      'The private key: a PEM file (PKCS#8) relative to this one, or env://NAME. Its password is in COSIGN_PASSWORD.',
  }),
  keyless: keyless.optional(),
  github_attestations: z.boolean().default(false).meta({
    description:
      "Also send provenance, ML-BOM and license decision of images on GHCR to GitHub's attestation store. Needs keyless, and attestations: write in the job.",
  }),
  model_signature_file: z.boolean().default(false).meta({
    description:
      'Also put the model signature into images as a file: model.sig in the folder of the model, /opt/weighbridge/model.sig in slim images. Needs an ECDSA P-256 key, and mode sign or required.',
  }),
  upstream: z.array(upstream).default([]).meta({
    description: 'Signatures of models (model.sig) to verify before publishing.',
  }),
});

const justification = z.enum(VEX_JUSTIFICATIONS, {
  error: `must be one of ${VEX_JUSTIFICATIONS.join(', ')}`,
});

/** The schema of `vex:`. */
export const vex = unique(
  z.array(
    z.strictObject({
      vulnerability: text(checkCveId, { examples: ['CVE-2026-12345'] }).meta({
        description: 'The id of the vulnerability, as in scanner reports.',
      }),
      status: z
        .enum(VEX_STATUSES, { error: `must be one of ${VEX_STATUSES.join(', ')}` })
        .meta({ description: 'Whether the images are affected.' }),
      date: text(checkTimestamp, { examples: ['2026-11-20'] }).meta({
        description: 'The date of this statement.',
      }),
      justification: justification
        .optional()
        .meta({ description: 'Why the images are not affected. not_affected requires this or "impact".' }),
      impact: text(checkOneLine, { pattern: ONE_LINE })
        .optional()
        .meta({ description: 'Why the images are not affected, in words.' }),
      action: text(checkOneLine, { pattern: ONE_LINE })
        .optional()
        .meta({ description: 'What users should do; required for affected.' }),
      models: listOf(text(checkOneLine, { pattern: ONE_LINE }))
        .optional()
        .meta({ description: 'Limit the statement to these models, by short or id. Default: all.' }),
      packages: listOf(text(checkPackageUrl, { examples: ['pkg:pypi/torch'] }))
        .optional()
        .meta({ description: 'Limit the statement to these packages, as package URLs. Default: all.' }),
    }),
  ),
);
