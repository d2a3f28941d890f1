import type { VexEntry } from '../config/types.ts';
import type { Digest } from '../core/digest.ts';
import { RegistryError } from '../core/errors.ts';
import type { Hub } from '../hub/types.ts';
import { type PublishedImage, readModelFiles, readPlatforms, readTop } from '../image/published-image.ts';
import type { Descriptor } from '../oci/types.ts';
import type { PlannedModel } from '../plan/types.ts';
import type { ImageStore, StoredManifest } from '../store/image-store.ts';
import { type AttachedStatement, attachStatements } from './attach-statements.ts';
import { hashedFiles, type SmallFileHashes } from './hashed-files.ts';
import { makeStatements } from './make-statements.ts';
import type { StatementSigner } from './signers/signer.ts';
import type { ImageSubject, SigningTool } from './types.ts';

/** What signing needs from outside, the same for all images of a run. */
export interface SigningContext {
  readonly signer: StatementSigner;
  readonly tool: SigningTool;
  readonly vex: readonly VexEntry[];
  readonly hub: Hub;
  readonly hashes: SmallFileHashes;
  /** Signs anew what is signed already. */
  readonly isForced?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** One manifest or index with what was attached to it. */
export interface SignedSubject {
  readonly digest: Digest;
  /** `linux/amd64`, or `index`. */
  readonly platform: string;
  readonly statements: readonly AttachedStatement[];
}

/**
 * Signs an image that a store has: the index, if it is one, and every platform under it. `planned` is the plan that
 * made it; without it, no license decision is attached. Returns what was signed: each subject with its statements.
 * Throws SigningError, RegistryError, HubError.
 */
export async function signImage(
  store: ImageStore,
  reference: string,
  planned: PlannedModel | undefined,
  context: SigningContext,
): Promise<SignedSubject[]> {
  const { signal, signer, vex, isForced = false } = context;
  const top = await readTop(store, reference, signal);
  const signed: SignedSubject[] = [];
  for (const { subject, platform } of await subjectsOf(store, top, planned, context)) {
    const { digest } = subject.descriptor;
    const statements = makeStatements(subject, { vex });
    const attached = await attachStatements(store, subject.descriptor, statements, {
      signer,
      isForced,
      signal,
    });
    signed.push({ digest, platform, statements: attached });
  }
  return signed;
}

interface NamedSubject {
  readonly subject: ImageSubject;
  readonly platform: string;
}

async function subjectsOf(
  store: ImageStore,
  top: StoredManifest,
  planned: PlannedModel | undefined,
  context: SigningContext,
): Promise<NamedSubject[]> {
  const platforms = await readPlatforms(store, top, context.signal);
  const [first] = platforms;
  const model = first?.model;
  if (first === undefined || model === undefined) {
    throw new RegistryError(`${store.name}@${top.digest} was not published by Weighbridge`, {
      code: 'IMAGE_FOREIGN',
      subject: store.name,
      remedy: 'Only images with io.weighbridge labels can be described; sign others with cosign.',
    });
  }
  const listed = await readModelFiles(store, first, { signal: context.signal });
  const files = await hashedFiles(listed, model, {
    hub: context.hub,
    known: context.hashes,
    signal: context.signal,
  });
  const common = { repository: store.name, model, files, planned, tool: context.tool };
  const ofPlatforms = platforms.map((image): NamedSubject => {
    const descriptor = descriptorOf(image, top);
    return { subject: { ...common, descriptor, platforms: [image] }, platform: image.platform };
  });
  if (first.digest === top.digest) return ofPlatforms;
  const { mediaType, digest, bytes } = top;
  const descriptor = { mediaType, digest, size: bytes.length };
  return [...ofPlatforms, { subject: { ...common, descriptor, platforms }, platform: 'index' }];
}

/** Of an image under an index, the index tells the size. */
function descriptorOf({ digest, manifest }: PublishedImage, top: StoredManifest): Descriptor {
  if (digest === top.digest) return { mediaType: top.mediaType, digest, size: top.bytes.length };
  const { manifests = [] } = JSON.parse(top.bytes.toString('utf8')) as { manifests?: Descriptor[] };
  const listed = manifests.find(one => one.digest === digest);
  return { mediaType: listed?.mediaType ?? manifest.mediaType, digest, size: listed?.size ?? 0 };
}
