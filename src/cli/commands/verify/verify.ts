import { type Command, Option } from 'commander';
import { SIGNATURE_POLICIES } from '../../../attest/verify-signed.ts';
import { loadConfig } from '../../../config/load-config.ts';
import { ConfigError } from '../../../core/errors.ts';
import { isVerified, verifyToJson } from '../../../report/json/verify-json.ts';
import { verifyTable } from '../../../report/text/verify-report.ts';
import { connectAsConfigured, withJson } from '../../options.ts';
import { ExitStatus, runSession } from '../../session.ts';
import { checkEachImage } from './each-image.ts';
import { type SignatureOptions, verifySignatures } from './signatures.ts';
import { verifyWithProgress } from './verifying.ts';

interface VerifyOptions extends SignatureOptions {
  readonly json?: boolean;
  readonly deep?: boolean;
  readonly signed?: boolean;
  readonly config?: string;
}

export function addVerify(program: Command): void {
  withJson(program.command('verify <image...>'))
    .description('compare a published image with the Hub, file by file')
    .option(
      '--deep',
      'read and hash every byte of the image, including base layers (default: compare digests)',
    )
    .option(
      '-c, --config <file>',
      'the models.yaml it was published from, to apply its settings (env, labels, files, permissive)',
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
Without --deep, verify reads only the manifest, the config and a slim image's file list. It compares the recorded hash of
each file with the Hub's at the image's commit, and checks that the registry has every blob.

With --signed, the index and every platform need an image signature, and what the signer states (digest, model, revision,
base image, license, files) must match the image. --policy strict also requires provenance, ML-BOM, license decision and
model signature; the default is present.

Examples:
  weighbridge verify ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge verify --deep ghcr.io/acme/hf-x@sha256:…
  weighbridge verify --signed --key signing.pub --policy strict ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge verify oci:out:v0.6.0-fat                 an image from \`build --output oci:out\`

Each image is checked, even if another one is not found. Exit status: 0 all verified, 1 an image does not match or could
not be verified, 2 wrong usage.`,
    )
    .action((references: readonly string[], options: VerifyOptions) =>
      runSession(options, async session => {
        const isDeep = options.deep === true;
        const config = options.config === undefined ? undefined : await loadConfig(options.config);
        await connectAsConfigured(session, options.config);
        checkOptions(options);
        if (options.signed === true) return await verifySignatures(session, references, options);
        const verified = await checkEachImage(session, references, image =>
          verifyWithProgress(session, { ...image, title: image.name }, { isDeep, config }),
        );
        session.progress.stop();
        if (session.isJson) session.print(JSON.stringify(verifyToJson(verified, isDeep), null, 2));
        else session.print(verifyTable(verified, isDeep, session.stdout));
        return verified.every(isVerified) ? ExitStatus.done : ExitStatus.failed;
      }),
    );
}

function checkOptions({ signed, deep, key, identity, issuer, trustedRoot, policy }: VerifyOptions): void {
  if (signed === true && deep === true)
    throw new ConfigError('--deep and --signed are two checks', {
      code: 'USAGE',
      remedy: 'Run one after the other.',
    });
  const isLost = [key, identity, issuer, trustedRoot, policy].some(value => value !== undefined);
  if (isLost && signed !== true)
    throw new ConfigError('--key, --identity, --issuer, --trusted-root and --policy need --signed', {
      code: 'USAGE',
      remedy: 'Add --signed.',
    });
}
