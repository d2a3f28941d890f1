import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { signatureDifferences } from '../../../attest/check-statement.ts';
import { type SignedSubject, type SigningContext, signImage } from '../../../attest/sign-image.ts';
import { type Config, NO_SIGNING, type SigningConfig } from '../../../config/types.ts';
import {
  describeError,
  errorToJson,
  IntegrityError,
  isAbort,
  WeighbridgeError,
} from '../../../core/errors.ts';
import { signingContext } from '../../../engine/signing.ts';
import { type PublishedImage, readImages } from '../../../image/published-image.ts';
import { differsFromEntry } from '../../../inspect/rebuild-image.ts';
import { differencesOf, type ImageCheck, isRight, verifyImage } from '../../../inspect/verify-image.ts';
import { type SignedImage, signTable, signToJson } from '../../../report/text/sign-report.ts';
import { type NamedImage, openNamedImage } from '../../image-argument.ts';
import { layerProgress } from '../../layer-progress.ts';
import { expandShorts } from '../../listed-images.ts';
import { DEFAULT_CONFIG, readConfig, withJson } from '../../options.ts';
import { createRunCache } from '../../run-cache.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { surroundingsOf } from '../../signing-session.ts';
import { type ImagePlan, planOfImage } from './image-plan.ts';

interface SignOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly key?: string;
  readonly keyless?: boolean;
  readonly force?: boolean;
  /** False with --no-deep. */
  readonly deep: boolean;
}

/** How images of one call are signed. */
interface Signing {
  readonly context: SigningContext;
  readonly isDeep: boolean;
}

const PUBLIC_SIGSTORE = { fulcio: null, rekor: null, timestampAuthority: null, trust: null };

/** Adds `weighbridge sign` to the program. */
export function addSign(program: Command): void {
  withJson(program.command('sign <image...>'))
    .description('sign published images and attest what they are made of')
    .option(
      '-c, --config <file>',
      `the file with the models and \`signing:\` (default: ${DEFAULT_CONFIG}, if it exists)`,
    )
    .option('--key <file>', 'the private key: a PEM file, or env://NAME (default: `signing.key`)')
    .option('--keyless', 'sign with the identity of this CI job (OIDC)')
    .option('--force', 'sign again if already signed')
    .option('--no-deep', 'do not read the layers of the image; trust its manifest')
    .addHelpText(
      'after',
      `
The short of a model in models.yaml stands for all images of that model.

Each image is first compared with the Hub, as \`weighbridge verify --deep\` does: every layer that Weighbridge added is read and
hashed, base layers are compared by digest. Images that differ are not signed. --no-deep signs in seconds, but does not check what
is in the layers: use it only for a repository that you alone can write to, or after \`weighbridge verify --deep\`.

The index and every platform get an image signature, SLSA provenance, an ML-BOM, a model signature, the license decision (if
models.yaml lists the model), and the statements of \`vex:\`. \`weighbridge scan\` signs what it finds, if \`signing.mode\` is set.

Set COSIGN_PASSWORD to the key's password. \`weighbridge publish --sign\` signs before it sets a tag.

Examples:
  weighbridge sign --key signing.pem ghcr.io/acme/hf-x:v0.6.0-fat
  weighbridge sign --key signing.pem qwen25-05b         all images of a model of models.yaml
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
        await context.signer.assertReady?.();
        if (!options.deep) session.note('--no-deep: layers are not read, so their content is not checked');
        const named = await expandShorts(session, references, { config: options.config ?? DEFAULT_CONFIG });
        const images = await Promise.all(named.references.map(text => openNamedImage(session, text, 'push')));
        const signed: SignedImage[] = [];
        for (const image of images)
          signed.push(await signOne(session, image, config, { context, isDeep: options.deep }));
        session.progress.stop();
        if (session.isJson) session.print(JSON.stringify(signToJson(signed), null, 2));
        else session.print(signTable(signed, context.signer.name, session.stdout));
        const isDone = named.isWhole && signed.every(one => one.error === undefined);
        return isDone ? ExitStatus.done : ExitStatus.failed;
      }),
    );
}

/** A file that was named has to be there; the default need not be. */
async function configOf(session: Session, { config: file }: SignOptions): Promise<Config | undefined> {
  if (file === undefined && !existsSync(DEFAULT_CONFIG)) return undefined;
  return await readConfig({ config: file ?? DEFAULT_CONFIG }, session);
}

function signerOf({ key, keyless }: SignOptions, config: Config | undefined): SigningConfig {
  const signing = config?.signing ?? NO_SIGNING;
  if (key !== undefined) return { ...signing, key, keyless: null };
  if (keyless === true) return { ...signing, key: null, keyless: signing.keyless ?? PUBLIC_SIGSTORE };
  return signing;
}

async function signOne(
  session: Session,
  image: NamedImage,
  config: Config | undefined,
  signing: Signing,
): Promise<SignedImage> {
  const { name } = image;
  session.progress.onEvent({ type: 'model-start', model: name, phase: 'sign' });
  try {
    const subjects = await verifyAndSign(session, image, config, signing);
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
  { context, isDeep }: Signing,
): Promise<readonly SignedSubject[]> {
  const { signal, services } = session;
  const digest = reference.startsWith('sha256:') ? reference : await store.resolveTag(reference, signal);
  const checked = digest ?? reference;
  const images = await readImages(store, checked, signal);
  const [image] = images;
  if (config !== undefined) {
    const [foreign] = images.flatMap(one => differsFromEntry(one, store.name, config));
    if (foreign !== undefined) throw differs(name, config.file, foreign);
  }
  const common = { hub: services.hub, signal };
  const rebuild = {
    bootstrap: services.bootstrap,
    readBase: createRunCache(session).baseImage,
    checkSignature: signatureDifferences,
  };
  // `serve_args` or a text of the file may be another one by now, and then the image's own record says how it was made.
  const asFileMakes =
    config &&
    (await verifyImage(store, checked, { ...common, isDeep: false, rebuild: { ...rebuild, config } }));
  const isWhatFileMakes = asFileMakes?.every(isRight) === true;
  const checks = await verifyImage(store, checked, {
    ...common,
    isDeep,
    readsBase: false,
    ...(isWhatFileMakes ? {} : { rebuild }),
    ...layerProgress(session, store, name),
  });
  if (!checks.every(isRight)) throw differs(name, 'the Hub', differencesOf(checks)[0] ?? 'no files');
  const plan = image && (await licensePlan(session, config, image, asFileMakes));
  if (plan?.why !== undefined) session.note(`${name}: ${plan.why}; signing without a license decision`);
  return await signImage(store, checked, plan?.planned, context);
}

/** A license decision is stated only if models.yaml makes this very image. */
async function licensePlan(
  session: Session,
  config: Config | undefined,
  image: PublishedImage,
  asFileMakes: readonly ImageCheck[] | undefined,
): Promise<ImagePlan | undefined> {
  if (config === undefined) return undefined;
  const difference = asFileMakes && differencesOf(asFileMakes)[0];
  const plan = await planOfImage(session, config, image);
  if (plan.planned === undefined || difference === undefined) return plan;
  return { why: `${config.file} makes another image now (${difference})` };
}

function differs(name: string, from: string, difference: string): IntegrityError {
  return new IntegrityError(`it does not match ${from}, so it is not signed: ${difference}`, {
    code: 'INTEGRITY_HASH',
    subject: name,
    remedy:
      '`weighbridge verify --deep` lists all differences. If a models.yaml sets env, labels or files, name the one that it was published from with --config.',
  });
}
