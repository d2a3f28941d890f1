import { type Command, Option } from 'commander';
import { SIGNATURE_POLICIES } from '../../../attest/verify-signed.ts';
import { loadConfig } from '../../../config/load-config.ts';
import { ConfigError } from '../../../core/errors.ts';
import { isVerified, verifyToJson } from '../../../report/json/verify-json.ts';
import { verifyTable } from '../../../report/text/verify-report.ts';
import { expandShorts, listedImages, type NamedReferences } from '../../listed-images.ts';
import {
  type CommonOptions,
  connectAsConfigured,
  DEFAULT_CONFIG,
  readConfig,
  withJson,
  withModels,
  withRegistries,
} from '../../options.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { checkEachImage } from './each-image.ts';
import { type SignatureOptions, verifySignatures } from './signatures.ts';
import { verifyWithProgress } from './verifying.ts';

interface VerifyOptions extends SignatureOptions, Omit<CommonOptions, 'config'> {
  readonly deep?: boolean;
  readonly signed?: boolean;
  readonly config?: string;
}

/** Adds `weighbridge verify` to the program. */
export function addVerify(program: Command): void {
  withJson(withRegistries(withModels(program.command('verify [image...]')), 'verify only here'))
    .description('compare published images with the Hub, file by file')
    .option(
      '--deep',
      'read and hash every byte of the image, including base layers (default: compare digests)',
    )
    .option(
      '-c, --config <file>',
      'the models.yaml that the image was published from, for settings such as env, labels, files and permissive (default without an image, or with a short: models.yaml)',
    )
    .option('--signed', 'check signatures and attestations instead; does not use the Hub')
    .option('--key <file>', 'with --signed: the public key, a PEM file or env://NAME')
    .option('--identity <name>', 'with --signed: the signer in the certificate; * matches any characters')
    .option('--issuer <url>', 'with --signed: the OIDC issuer in the certificate')
    .option('--trusted-root <file>', "with --signed: sigstore's trusted root in JSON")
    .addOption(
      new Option('--policy <policy>', 'with --signed: which attestations are required').choices([
        ...SIGNATURE_POLICIES,
      ]),
    )
    .option('--save-model-signature <file>', 'with --signed: write model.sig for `model_signing verify`')
    .addHelpText(
      'after',
      `
Without an image, verify checks every image that models.yaml publishes; --config, --model and --registry select them. The short
of a model stands for all images of that model.

Without --deep, verify reads only the manifest, the config and a slim image's file list. It compares the recorded hash of
each file with the Hub's at the image's commit, and checks that the registry has every blob.

With --signed, the index and every platform need an image signature, and what the signer states (digest, model, revision,
base image, license, files) must match the image. --policy strict also requires provenance, ML-BOM, license decision and
model signature; the default is present.

Examples:
  weighbridge verify                                    all images of models.yaml
  weighbridge verify qwen25-05b                         all images of one model
  weighbridge verify ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge verify --deep ghcr.io/acme/hf-x@sha256:…
  weighbridge verify --signed --key signing.pub --policy strict ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge verify oci:out:v0.6.0-fat                 an image from \`build --output oci:out\`
  weighbridge verify docker-archive:fat.tar             an image from \`build --output docker-archive:fat.tar\`

Each image is checked, even if another one is not found. Exit status: 0 all verified, 1 an image does not match or could
not be verified, 2 wrong usage.`,
    )
    .action((references: readonly string[], options: VerifyOptions) =>
      runSession(options, session => verify(session, references, options)),
    );
}

async function verify(
  session: Session,
  references: readonly string[],
  options: VerifyOptions,
): Promise<number> {
  const isDeep = options.deep === true;
  await connectAsConfigured(session, options.config);
  checkOptions(options, references);
  const {
    config,
    references: images,
    isWhole,
  } = references.length === 0
    ? await imagesOfFile(session, options)
    : await imagesOfCall(session, references, options);
  if (options.signed === true) {
    const status = await verifySignatures(session, images, options);
    return isWhole ? status : ExitStatus.failed;
  }
  const verified = await checkEachImage(session, images, image =>
    verifyWithProgress(session, { ...image, title: image.name }, { isDeep, config }),
  );
  session.progress.stop();
  if (session.isJson) session.print(JSON.stringify(verifyToJson(verified, { isDeep, isWhole }), null, 2));
  else if (verified.length > 0) session.print(verifyTable(verified, isDeep, session.stdout));
  return isWhole && verified.every(isVerified) ? ExitStatus.done : ExitStatus.failed;
}

async function imagesOfFile(session: Session, options: VerifyOptions): Promise<NamedReferences> {
  const { config: file = DEFAULT_CONFIG } = options;
  const config = await readConfig({ ...options, config: file }, session);
  const { images, isWhole } = await listedImages(session, config, { ...options, config: file });
  // Their questions to the Hub are done; each image gets a line of its own.
  session.progress.renew();
  return { config, references: images.map(({ reference }) => reference), isWhole };
}

async function imagesOfCall(
  session: Session,
  names: readonly string[],
  options: VerifyOptions,
): Promise<NamedReferences> {
  const { config: file = DEFAULT_CONFIG } = options;
  const named = await expandShorts(session, names, { ...options, config: file });
  if (named.config !== undefined) session.progress.renew();
  if (named.config !== undefined || options.config === undefined) return named;
  return { ...named, config: await loadConfig(options.config) };
}

function checkOptions(options: VerifyOptions, references: readonly string[]): void {
  const { signed, deep, key, identity, issuer, trustedRoot, policy, saveModelSignature } = options;
  const { model, registry } = options;
  if (references.length > 0 && (model !== undefined || registry !== undefined))
    throw new ConfigError('--model and --registry select images of models.yaml, and images were named', {
      code: 'USAGE',
      remedy: 'Leave out the images, or --model and --registry.',
    });
  if (signed === true && deep === true)
    throw new ConfigError('--deep and --signed are two checks', {
      code: 'USAGE',
      remedy: 'Run one after the other.',
    });
  const isLost = [key, identity, issuer, trustedRoot, policy, saveModelSignature].some(
    value => value !== undefined,
  );
  if (isLost && signed !== true)
    throw new ConfigError(
      '--key, --identity, --issuer, --trusted-root, --policy and --save-model-signature need --signed',
      { code: 'USAGE', remedy: 'Add --signed.' },
    );
}
