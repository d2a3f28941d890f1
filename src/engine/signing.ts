import { attachStatements } from '../attest/attach-statements.ts';
import { builderId } from '../attest/builder-id.ts';
import { createSigner } from '../attest/create-signer.ts';
import { vexOf } from '../attest/make-statements.ts';
import { modelSigner } from '../attest/model-signer.ts';
import { type SigningContext, signImage } from '../attest/sign-image.ts';
import { vulnerabilityStatement } from '../attest/statements/vulnerabilities.ts';
import { readUpstream, verifyUpstream } from '../attest/verify-upstream.ts';
import { isSignedBy } from '../attest/vouches.ts';
import type { Config, SigningConfig } from '../config/types.ts';
import type { OnEvent } from '../core/events.ts';
import type { ModelSigner } from '../image/types.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ImageSigning } from '../publish/types.ts';
import type { ScannedImage, ScanResult } from '../scan/scan-image.ts';
import type { ImageStore } from '../store/image-store.ts';
import { packageVersion } from './package-info.ts';
import type { Services } from './services.ts';

/** What signing takes from the publisher. */
export interface SigningSurroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly services: Services;
  readonly onEvent: OnEvent;
  readonly signal?: AbortSignal | undefined;
}

/** The options that choose whether images are signed. */
export interface SigningChoice {
  readonly config: Pick<Config, 'file' | 'vex'>;
  readonly signing: Pick<SigningConfig, 'key' | 'keyless' | 'githubAttestations'>;
  readonly isForced?: boolean;
}

/** Returns what signing needs from its surroundings: keys are read now, so that a wrong one is known before any work. */
export async function signingContext(
  surroundings: SigningSurroundings,
  { config, signing, isForced = false }: SigningChoice,
): Promise<SigningContext> {
  const { env, services, signal } = surroundings;
  const signer = await createSigner(signing, {
    configFile: config.file,
    env,
    http: services.http,
    ...(signal && { signal }),
  });
  return {
    signer,
    tool: { version: packageVersion(), builderId: builderId(env) },
    vex: config.vex,
    hub: services.hub,
    hashes: new Map(),
    isForced,
    signal,
  };
}

/** How a publish signs. */
export interface PublishSigning extends ImageSigning {
  /** Absent if images do not have their model signature as a file. */
  readonly modelSigner?: ModelSigner;
}

/**
 * Returns how a publish signs, or undefined if neither the file nor the call asks for it. Throws SigningError if a
 * signature is required and cannot be made: uploads may take hours, and none of their images would get a tag.
 */
export async function publishSigning(
  surroundings: SigningSurroundings,
  config: Config,
  { sign }: { readonly sign?: boolean },
): Promise<PublishSigning | undefined> {
  const { signing } = config;
  if (signing.mode === 'off' && sign !== true) return undefined;
  const context = await signingContext(surroundings, { config, signing });
  const isRequired = signing.mode === 'required';
  if (isRequired) await context.signer.assertReady?.();
  return {
    ...imageSigning(context, isRequired),
    ...(signing.hasModelSignatureFile && { modelSigner: modelSigner(context) }),
  };
}

/** Returns what makes the model signatures that are files of images; undefined if the file asks for none. */
export async function fileSigner(
  surroundings: SigningSurroundings,
  config: Config,
): Promise<ModelSigner | undefined> {
  const { signing } = config;
  if (!signing.hasModelSignatureFile) return undefined;
  return modelSigner(await signingContext(surroundings, { config, signing }));
}

/** Returns how images are signed, and whose signature lets a manifest be believed. */
export function imageSigning(context: SigningContext, isRequired: boolean): ImageSigning {
  const { signer, signal } = context;
  const { trusted } = signer;
  return {
    isRequired,
    ...(trusted && { vouches: (store, manifest) => isSignedBy(trusted, store, manifest, signal) }),
    async sign(store, image, planned) {
      await signImage(store, image, planned, context);
    },
  };
}

/** Signs the result of a scan as a statement about its image. */
export type ScanSigner = (store: ImageStore, image: ScannedImage, result: ScanResult) => Promise<void>;

/** Returns how the result of a scan is signed, as this run has it and no registry; undefined if `signing.mode` is off. */
export async function scanSigning(
  surroundings: SigningSurroundings,
  config: Config,
): Promise<ScanSigner | undefined> {
  const { signing } = config;
  const { signal } = surroundings;
  if (signing.mode === 'off') return undefined;
  const { signer } = await signingContext(surroundings, { config, signing });
  return async (store, image, { scan: { summary }, report }) => {
    const { digest } = image;
    const stored = await store.getManifest(digest, signal);
    if (stored === undefined) return;
    const subject = { mediaType: stored.mediaType, digest, size: stored.bytes.length };
    const { scanner, databaseDate, scannedAt } = summary;
    const made = { digest, scanner, databaseDate, scannedAt, report };
    const statement = vulnerabilityStatement(made, vexOf(config.vex, image));
    await attachStatements(store, subject, [statement], { signer, signal });
  };
}

/**
 * Returns what looks at the signatures of models' makers before publishing; undefined if the file names none to trust.
 * Keys are read now, so that a wrong one is known before any work.
 */
export async function upstreamCheck(
  surroundings: SigningSurroundings,
  { file, signing }: Config,
): Promise<((planned: PlannedModel) => Promise<void>) | undefined> {
  if (signing.upstream.length === 0) return undefined;
  const { env, services, signal, onEvent } = surroundings;
  const upstream = await readUpstream(signing.upstream, { configFile: file, env });
  const options = { upstream, hub: services.hub, hashes: new Map(), signal };
  return async planned => {
    const signer = await verifyUpstream(planned, options);
    if (signer === undefined) return;
    onEvent({ type: 'phase', model: planned.model.short, text: `signed by ${signer}` });
  };
}
