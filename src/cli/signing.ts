import { attachStatements } from '../attest/attach-statements.ts';
import { builderId } from '../attest/builder-id.ts';
import { createSigner } from '../attest/create-signer.ts';
import { type SigningContext, signImage } from '../attest/sign-image.ts';
import { vulnerabilityStatement } from '../attest/statements/vulnerabilities.ts';
import { verifyUpstream } from '../attest/verify-upstream.ts';
import type { Config, SigningConfig } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import { packageVersion } from '../engine/package-info.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ImageSigning } from '../publish/types.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { Session } from './session.ts';
import { readStoredScan } from './stored-scan.ts';

export interface SigningChoice {
  readonly config: Pick<Config, 'file' | 'vex'>;
  readonly signing: Pick<SigningConfig, 'key' | 'keyless'>;
  readonly isForced?: boolean;
}

/** Returns what signing needs from the session: keys are read now, so that a wrong one is known before any work. */
export async function signingContext(
  session: Session,
  { config, signing, isForced = false }: SigningChoice,
): Promise<SigningContext> {
  const { env, services, signal } = session;
  const signer = await createSigner(signing, {
    configFile: config.file,
    env,
    http: services.http,
    signal,
  });
  return {
    signer,
    tool: { version: packageVersion(), builderId: builderId(env) },
    vex: config.vex,
    hub: services.hub,
    hashes: new Map(),
    scanOf: (store, image) => readStoredScan(store, image, signal),
    isForced,
    signal,
  };
}

/** Returns how a publish signs, or undefined if neither the file nor the call asks for it. */
export async function publishSigning(
  session: Session,
  config: Config,
  { sign }: { readonly sign?: boolean },
): Promise<ImageSigning | undefined> {
  const { signing } = config;
  if (signing.mode === 'off' && sign !== true) return undefined;
  const context = await signingContext(session, { config, signing });
  return {
    isRequired: signing.mode === 'required',
    async sign(store, image, planned) {
      await signImage(store, image, planned, context);
    },
  };
}

/** Returns how the scan that is attached to an image is signed; undefined if `signing.mode` is off. */
export async function scanSigning(
  session: Session,
  config: Config,
): Promise<((store: ImageStore, image: Digest) => Promise<void>) | undefined> {
  const { signing } = config;
  const { signal } = session;
  if (signing.mode === 'off') return undefined;
  const { signer } = await signingContext(session, { config, signing });
  return async (store, image) => {
    const scan = await readStoredScan(store, image, signal);
    const stored = await store.getManifest(image, signal);
    if (scan === undefined || stored === undefined) return;
    const subject = { mediaType: stored.mediaType, digest: image, size: stored.bytes.length };
    await attachStatements(store, subject, [vulnerabilityStatement(scan)], { signer, signal });
  };
}

/** Returns what looks at the signatures of models' makers before publishing; undefined if the file names none to trust. */
export function upstreamCheck(
  session: Session,
  { file, signing }: Config,
): ((planned: PlannedModel) => Promise<void>) | undefined {
  const { upstream } = signing;
  if (upstream.length === 0) return undefined;
  const { env, services, signal } = session;
  const options = { upstream, configFile: file, env, hub: services.hub, hashes: new Map(), signal };
  return async planned => {
    const signer = await verifyUpstream(planned, options);
    if (signer === undefined) return;
    session.progress.onEvent({ type: 'phase', model: planned.model.short, text: `signed by ${signer}` });
  };
}
