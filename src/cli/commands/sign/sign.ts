import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { type SignedSubject, type SigningContext, signImage } from '../../../attest/sign-image.ts';
import type { Config, SigningConfig } from '../../../config/types.ts';
import {
  describeError,
  errorToJson,
  IntegrityError,
  isAbort,
  WeighbridgeError,
} from '../../../core/errors.ts';
import { signingContext } from '../../../engine/signing.ts';
import { readImages } from '../../../image/published-image.ts';
import { isRight, verifyImage } from '../../../inspect/verify-image.ts';
import { type SignedImage, signTable, signToJson } from '../../../report/text/sign-report.ts';
import { type NamedImage, openNamedImage } from '../../image-argument.ts';
import { readConfig, withJson } from '../../options.ts';
import { createRunCache } from '../../run-cache.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { surroundingsOf } from '../../signing-session.ts';
import { planOfImage } from './image-plan.ts';

interface SignOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly key?: string;
  readonly keyless?: boolean;
  readonly force?: boolean;
}

const DEFAULT_CONFIG = 'models.yaml';
const NO_KEYS: SigningConfig = {
  mode: 'off',
  key: null,
  keyless: null,
  githubAttestations: false,
  upstream: [],
};
const PUBLIC_SIGSTORE = { fulcio: null, rekor: null, timestampAuthority: null, trust: null };

/** Adds `weighbridge sign` to the program. */
export function addSign(program: Command): void {
  withJson(program.command('sign <image...>'))
    .description('sign published images and attest what they are made of')
    .option(
      '-c, --config <file>',
      `the file with the models and \`signing:\` (default: ${DEFAULT_CONFIG}, if there)`,
    )
    .option('--key <file>', 'the private key: a PEM file, or env://NAME (default: `signing.key`)')
    .option('--keyless', 'sign with the identity of this CI job (OIDC)')
    .option('--force', 'sign again if already signed')
    .addHelpText(
      'after',
      `
Each image is first compared with the Hub, as \`weighbridge verify\` does; images that differ are not signed. The index and
every platform get an image signature, SLSA provenance, an ML-BOM, the model's signature, the license decision (if
models.yaml lists the model), the last scan, and the statements of \`vex:\`.

Set COSIGN_PASSWORD to the key's password. \`weighbridge publish --sign\` signs before it sets a tag.

Examples:
  weighbridge sign --key signing.pem ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge sign --keyless ghcr.io/acme/hf-x@sha256:…

Exit status: 0 all images signed, 1 an image was not signed, 2 wrong usage or configuration.`,
    )
    .action((references: readonly string[], options: SignOptions) =>
      runSession(options, async session => {
        const config = await configOf(session, options);
        if (config !== undefined) session.services.connect(config.connections);
        const context = await signingContext(surroundingsOf(session), {
          config: config ?? { file: DEFAULT_CONFIG, vex: [] },
          signing: signerOf(options, config),
          isForced: options.force === true,
        });
        const images = await Promise.all(references.map(text => openNamedImage(session, text, 'push')));
        const signed: SignedImage[] = [];
        for (const image of images) signed.push(await signOne(session, image, config, context));
        session.progress.stop();
        if (session.isJson) session.print(JSON.stringify(signToJson(signed), null, 2));
        else session.print(signTable(signed, context.signer.name, session.stdout));
        return signed.some(one => one.error !== undefined) ? ExitStatus.failed : ExitStatus.done;
      }),
    );
}

/** A file that was named has to be there; the default need not be. */
async function configOf(session: Session, { config: file }: SignOptions): Promise<Config | undefined> {
  if (file === undefined && !existsSync(DEFAULT_CONFIG)) return undefined;
  return await readConfig({ config: file ?? DEFAULT_CONFIG }, session);
}

function signerOf({ key, keyless }: SignOptions, config: Config | undefined): SigningConfig {
  const signing = config?.signing ?? NO_KEYS;
  if (key !== undefined) return { ...signing, key, keyless: null };
  if (keyless === true) return { ...signing, key: null, keyless: signing.keyless ?? PUBLIC_SIGSTORE };
  return signing;
}

async function signOne(
  session: Session,
  image: NamedImage,
  config: Config | undefined,
  context: SigningContext,
): Promise<SignedImage> {
  const { name } = image;
  session.progress.onEvent({ type: 'model-start', model: name, phase: 'sign' });
  try {
    const subjects = await verifyAndSign(session, image, config, context);
    session.progress.onEvent({ type: 'model-end', model: name, status: 'done' });
    return { reference: name, subjects };
  } catch (error) {
    if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
    session.progress.onEvent({
      type: 'model-end',
      model: name,
      status: 'failed',
      detail: describeError(error),
    });
    return { reference: name, subjects: [], error: errorToJson(error) };
  }
}

/** What is signed is what was looked at: the digest, whatever the tag names by then. */
async function verifyAndSign(
  session: Session,
  { store, reference, name }: NamedImage,
  config: Config | undefined,
  context: SigningContext,
): Promise<readonly SignedSubject[]> {
  const { signal, services } = session;
  const digest = reference.startsWith('sha256:') ? reference : await store.resolveTag(reference, signal);
  const checked = digest ?? reference;
  const images = await readImages(store, checked, signal);
  const checks = await verifyImage(store, checked, { hub: services.hub, isDeep: false, signal });
  if (!checks.every(isRight)) {
    throw new IntegrityError(`${name} differs from the Hub, so it is not signed`, {
      code: 'INTEGRITY_HASH',
      subject: name,
      remedy: '`weighbridge verify` shows the differences.',
    });
  }
  const planned = images[0] && (await planOfImage(session, config, images[0], name));
  const isMadeOf =
    planned !== undefined && (await isWhatFileMakes(session, { store, reference: checked, name }, config));
  return await signImage(store, checked, isMadeOf ? planned : undefined, context);
}

/** A plan is stated only if it makes this very image: `serve_args` or a text may be another one by now. */
async function isWhatFileMakes(
  session: Session,
  { store, reference, name }: NamedImage,
  config: Config | undefined,
): Promise<boolean> {
  const { signal, services } = session;
  const checks = await verifyImage(store, reference, {
    ...{ hub: services.hub, isDeep: false, signal },
    rebuild: { bootstrap: services.bootstrap, readBase: createRunCache(session).baseImage, config },
  });
  const difference = checks.flatMap(({ problems }) => problems)[0];
  if (difference === undefined) return true;
  session.note(
    `${name}: ${config?.file} makes another image now (${difference}); signing without a license decision`,
  );
  return false;
}
