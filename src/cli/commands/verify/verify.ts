import type { Command } from 'commander';
import { mapPool } from '../../../core/pool.ts';
import { isRight } from '../../../inspect/verify-image.ts';
import { type VerifiedImage, verifyTable, verifyToJson } from '../../../report/text/verify-report.ts';
import { openNamedImage } from '../../image-argument.ts';
import { withJson } from '../../options.ts';
import { ExitStatus, runSession } from '../../session.ts';
import { verifyWithProgress } from './verifying.ts';

interface VerifyOptions {
  readonly json?: boolean;
  readonly deep?: boolean;
}

const IMAGES_AT_ONCE = 2;

export function addVerify(program: Command): void {
  withJson(program.command('verify <image...>'))
    .description('hold a published image against the Hub, file by file')
    .option(
      '--deep',
      'read and hash every byte of the image, base layers too; otherwise digests are compared',
    )
    .addHelpText(
      'after',
      `
Without --deep nothing but the manifest, the config and a slim image's file list is read: each file's hash, as the
publish found it, has to be the one that the Hub gives at the image's commit, and the registry has to have every blob.

Examples:
  weighbridge verify ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge verify --deep ghcr.io/acme/hf-x@sha256:…
  weighbridge verify oci:out:v0.6.0-fat                 what \`build --output oci:out\` has written

Exit status: 0 all is as the Hub has it, 1 something is not or could not be asked, 2 the call is wrong.`,
    )
    .action((references: readonly string[], options: VerifyOptions) =>
      runSession(options, async session => {
        const isDeep = options.deep === true;
        const images = await Promise.all(references.map(text => openNamedImage(session, text)));
        const verified = await mapPool(images, IMAGES_AT_ONCE, async (image): Promise<VerifiedImage> => {
          const checks = await verifyWithProgress(session, { ...image, title: image.name }, isDeep);
          return { reference: image.name, checks };
        });
        session.progress.stop();
        if (session.isJson) session.print(JSON.stringify(verifyToJson(verified, isDeep), null, 2));
        else session.print(verifyTable(verified, isDeep, session.stdout));
        const isAllRight = verified.every(({ checks }) => checks.length > 0 && checks.every(isRight));
        return isAllRight ? ExitStatus.done : ExitStatus.failed;
      }),
    );
}
