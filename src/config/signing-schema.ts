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
  .meta({ description: 'Who vouches for the identity: the OIDC issuer in the certificate.' });
const trustedRoot = text(checkOneLine, { pattern: ONE_LINE }).optional().meta({
  description: "A file with sigstore's trusted root in JSON, relative to this one.",
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
            'Who signs, as in the certificates of this job; * stands for any characters. With it, issuer and trusted_root, what a registry says of a layer counts only if this identity has signed it.',
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
    description: 'The models it is about, by id; * stands for any characters but /.',
  }),
  key: keyReference.optional().meta({ description: "The public key of the model's makers, in PEM." }),
  identity: identity.meta({
    description: 'Who signed it, as in the certificate: an address of mail or of a workflow.',
  }),
  issuer,
  trusted_root: trustedRoot,
  require: z.boolean().default(false).meta({
    description: 'Whether a model without model.sig is refused; a wrong signature always is.',
  }),
});

export const signing = z.strictObject({
  mode: z.enum(['off', 'sign', 'required'], { error: 'must be off, sign or required' }).default('off').meta({
    description:
      'off: publish signs only with --sign. sign: every publish signs, and an image whose signing fails is reported. required: no tag ever names an image that is not signed.',
  }),
  key: keyReference.optional().meta({
    description:
      'The private key: a PEM file (PKCS#8) relative to this one, or env://NAME. Its password is in COSIGN_PASSWORD.',
  }),
  keyless: keyless.optional(),
  upstream: z.array(upstream).default([]).meta({
    description: "Signatures of models (model.sig) that are verified before publishing, by the models' ids.",
  }),
});

const justification = z.enum(VEX_JUSTIFICATIONS, {
  error: `must be one of ${VEX_JUSTIFICATIONS.join(', ')}`,
});

export const vex = unique(
  z.array(
    z.strictObject({
      vulnerability: text(checkCveId, { examples: ['CVE-2026-12345'] }).meta({
        description: 'The id that scanners report.',
      }),
      status: z
        .enum(VEX_STATUSES, { error: `must be one of ${VEX_STATUSES.join(', ')}` })
        .meta({ description: 'What it means for the images.' }),
      date: text(checkTimestamp, { examples: ['2026-11-20'] }).meta({
        description: 'The day of this statement: 2026-11-20.',
      }),
      justification: justification
        .optional()
        .meta({ description: 'Why images are not affected; it or "impact" is needed for not_affected.' }),
      impact: text(checkOneLine, { pattern: ONE_LINE })
        .optional()
        .meta({ description: 'The same in words.' }),
      action: text(checkOneLine, { pattern: ONE_LINE })
        .optional()
        .meta({ description: 'What users should do; needed for affected.' }),
      models: listOf(text(checkOneLine, { pattern: ONE_LINE }))
        .optional()
        .meta({ description: 'Only the images of these models, by short or id; all if absent.' }),
      packages: listOf(text(checkPackageUrl, { examples: ['pkg:pypi/torch'] }))
        .optional()
        .meta({ description: 'Only these packages in the images, as package URLs; all if absent.' }),
    }),
  ),
);
