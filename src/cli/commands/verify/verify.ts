import { type Command, Option } from 'commander';
import { SIGNATURE_POLICIES } from '../../../attest/verify-signed.ts';
import { loadConfig } from '../../../config/load-config.ts';
import { ConfigError } from '../../../core/errors.ts';
import { isVerified, verifyToJson } from '../../../report/json/verify-json.ts';
import { verifyTable } from '../../../report/text/verify-report.ts';
import { withJson } from '../../options.ts';
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
      'read and hash every byte of the image, base layers too; otherwise digests are compared',
    )
    .option(
      '-c, --config <file>',
      'the models.yaml that it was published from: its settings (env, labels, files, permissive) then count',
    )
    .option('--signed', 'check who signed it, and what is stated of it, instead: needs no Hub')
    .option('--key <file>', 'with --signed: the public key, a PEM file or env://NAME')
    .option(
      '--identity <name>',
      'with --signed: who signed, as in the certificate; * stands for any characters',
    )
    .option('--issuer <url>', 'with --signed: the OIDC issuer in the certificate')
    .option('--trusted-root <file>', "with --signed: sigstore's trusted root in JSON")
    .addOption(
      new Option('--policy <policy>', 'with --signed: what has to be there').choices([...SIGNATURE_POLICIES]),
    )
    .option('--save-model-signature <file>', 'with --signed: write model.sig for `model_signing verify`')
    .addHelpText(
      'after',
      `
Without --deep nothing but the manifest, the config and a slim image's file list is read: each file's hash, as the
publish found it, has to be the one that the Hub gives at the image's commit, and the registry has to have every blob.

With --signed the index and every platform need an image signature, and what the signer states (digest, model, revision,
base image, license, files) has to be what the image is. --policy strict also wants provenance, ML-BOM, license decision
and model signature; the default is present.

Examples:
  weighbridge verify ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge verify --deep ghcr.io/acme/hf-x@sha256:…
  weighbridge verify --signed --key signing.pub --policy strict ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge verify oci:out:v0.6.0-fat                 what \`build --output oci:out\` has written

Of several images each is checked, also if another is not found. Exit status: 0 all is as the Hub has it, 1 something is
not or could not be asked, 2 the call is wrong.`,
    )
    .action((references: readonly string[], options: VerifyOptions) =>
      runSession(options, async session => {
        const isDeep = options.deep === true;
        const config = options.config === undefined ? undefined : await loadConfig(options.config);
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
