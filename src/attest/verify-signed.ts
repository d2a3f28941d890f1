import type { Digest } from '../core/digest.ts';
import { describeError, isAbort, RegistryError, SigningError, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import { MODEL_SIGNATURE } from '../image/format/model-signature.ts';
import { readLayer } from '../image/image-content.ts';
import { readModelFiles, readPlatforms, readTop } from '../image/published-image.ts';
import type { ImageStore } from '../store/image-store.ts';
import { differencesOf, type StatedImage } from './check-statement.ts';
import { kindOf, PredicateType, STATEMENT_NAMES, type StatementKind } from './statement.ts';
import { listStatements, readStoredBundle, type StoredStatement } from './stored-statements.ts';
import { type TrustedSigner, verifyBundle } from './verify-bundle.ts';

/** `present`: the image is signed, and every statement of the signer is right. `strict`: all that Weighbridge states is there too. */
export type SignaturePolicy = 'present' | 'strict';
/** The values of `verify --signed`, weakest first. */
export const SIGNATURE_POLICIES: readonly SignaturePolicy[] = ['present', 'strict'];

const REQUIRED: Readonly<Record<SignaturePolicy, readonly StatementKind[]>> = {
  present: ['image'],
  strict: ['image', 'provenance', 'bom', 'license', 'model'],
};

/** One statement that refers to an image. */
export interface StatementCheck {
  readonly kind: StatementKind | undefined;
  readonly predicateType: string;
  /** `other`: not by the signer that is asked for. `wrong`: by that signer, and not what the image is. */
  readonly status: 'verified' | 'other' | 'wrong';
  /** Who signed it. */
  readonly signer?: string;
  readonly details: readonly string[];
  /** Where the image has it, if it is a file of the image and not attached to it: `/models/x/model.sig`. */
  readonly file?: string;
  /** Of a verified model signature: what `model_signing` reads as model.sig. */
  readonly bundle?: Buffer;
}

/** A manifest or an index with what is stated of it. */
export interface SignedCheck {
  readonly digest: Digest;
  /** `linux/amd64`, or `index`. */
  readonly platform: string;
  readonly statements: readonly StatementCheck[];
  /** Why it does not pass; none if it does. */
  readonly problems: readonly string[];
}

/** Whose signature counts, and which statements are required. */
export interface VerifySignedOptions {
  readonly trusted: TrustedSigner;
  readonly policy: SignaturePolicy;
  readonly signal?: AbortSignal | undefined;
}

const AT_ONCE = 4;

/**
 * Verifies who signed an image and whether what is stated of it is so, on the index and every platform. Returns a check
 * of each, the index first. Throws RegistryError, IMAGE_FOREIGN for an image that Weighbridge has not published.
 */
export async function verifySigned(
  store: ImageStore,
  reference: string,
  options: VerifySignedOptions,
): Promise<SignedCheck[]> {
  const { signal } = options;
  const top = await readTop(store, reference, signal);
  const platforms = await readPlatforms(store, top, signal);
  const [first] = platforms;
  if (first?.model === undefined) {
    throw new RegistryError(`${store.name}@${top.digest} was not published by Weighbridge`, {
      code: 'IMAGE_FOREIGN',
      subject: store.name,
      remedy: 'Verify other images with cosign.',
    });
  }
  const common = { model: first.model, files: await readModelFiles(store, first, { signal }) };
  const subjects = platforms.map(image => ({
    platform: image.platform,
    image: { ...common, digest: image.digest, platforms: [image] },
  }));
  if (first.digest !== top.digest)
    subjects.unshift({
      platform: 'index',
      image: { ...common, digest: top.digest, platforms: [...platforms] },
    });
  return await mapPool(subjects, 1, async ({ platform, image }): Promise<SignedCheck> => {
    const statements = await checkStatements(store, image, options);
    const { digest } = image;
    return { digest, platform, statements, problems: problemsOf(statements, options.policy) };
  });
}

async function checkStatements(
  store: ImageStore,
  image: StatedImage,
  options: VerifySignedOptions,
): Promise<StatementCheck[]> {
  const { signal } = options;
  const stored = await listStatements(store, image.digest, signal);
  const attached = await mapPool(stored, AT_ONCE, one =>
    checkStatement(image, options, {
      kind: one.kind,
      predicateType: one.predicateType,
      name: nameOf(one),
      read: () => readStoredBundle(store, one, { signal }),
    }),
  );
  return [...attached, ...(await checkFile(store, image, options))];
}

/** The model signature that an image has as a file. An index has none: its images do. */
async function checkFile(
  store: ImageStore,
  image: StatedImage,
  options: VerifySignedOptions,
): Promise<StatementCheck[]> {
  const own = image.platforms.find(({ digest }) => digest === image.digest);
  const index = own?.layers.findIndex(({ kind }) => kind === 'signature') ?? -1;
  const descriptor = own?.manifest.layers[index];
  const path = own?.layers[index]?.files.find(file => file.path.endsWith(`/${MODEL_SIGNATURE}`))?.path;
  if (descriptor === undefined || path === undefined) return [];
  const read = async (): Promise<Buffer> => {
    if (descriptor.size > MAX_FILE_BYTES) throw tooLarge(path);
    const { kept } = await readLayer(store, descriptor, {
      signal: options.signal,
      keep: one => one === path,
    });
    return kept.get(path) ?? Buffer.alloc(0);
  };
  const predicateType = PredicateType.model;
  const check = await checkStatement(image, options, {
    kind: 'model',
    predicateType,
    name: `/${path}`,
    read,
  });
  return [{ ...check, file: `/${path}` }];
}

/** Thousands of files come to less. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

function tooLarge(path: string): SigningError {
  return new SigningError(`/${path} is too large for a signature`, {
    code: 'SIGNATURE_INVALID',
    subject: path,
  });
}

interface StatedBundle {
  readonly kind: StatementKind | undefined;
  readonly predicateType: string | undefined;
  /** For errors. */
  readonly name: string;
  readonly read: () => Promise<Buffer>;
}

async function checkStatement(
  image: StatedImage,
  { trusted, signal }: VerifySignedOptions,
  { read, name, ...claimed }: StatedBundle,
): Promise<StatementCheck> {
  try {
    const bytes = await read();
    const { statement, signer } = verifyBundle(bytes, trusted, name);
    const { predicateType } = statement;
    const details = differencesOf(statement, image);
    const status = details.length === 0 ? 'verified' : 'wrong';
    const kind = kindOf(predicateType);
    const bundle = kind === 'model' && status === 'verified' && { bundle: bytes };
    return { kind, predicateType, status, signer, details, ...bundle };
  } catch (error) {
    if (isAbort(error) || signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
    const { kind, predicateType = 'unknown' } = claimed;
    return { kind, predicateType, status: 'other', details: [describeError(error)] };
  }
}

function nameOf({ kind, predicateType }: StoredStatement): string {
  return `the ${kind === undefined ? `statement ${predicateType ?? 'of unknown type'}` : STATEMENT_NAMES[kind]}`;
}

/** Others may sign an image as well: what counts is that the signer that is asked for has. */
function problemsOf(statements: readonly StatementCheck[], policy: SignaturePolicy): string[] {
  const verified = new Set(statements.filter(one => one.status === 'verified').map(one => one.kind));
  const missing = REQUIRED[policy].filter(kind => !verified.has(kind));
  return [
    ...statements.flatMap(({ status, kind, predicateType, details }) =>
      status === 'wrong'
        ? details.map(detail => `${kind === undefined ? predicateType : STATEMENT_NAMES[kind]}: ${detail}`)
        : [],
    ),
    ...missing.map(kind => missingText(kind, statements)),
  ];
}

function missingText(kind: StatementKind, statements: readonly StatementCheck[]): string {
  const name = STATEMENT_NAMES[kind];
  const other = statements.find(one => one.kind === kind && one.status === 'other');
  if (other === undefined) return `there is no ${name}`;
  return other.details[0] ?? `the ${name} is by somebody else`;
}
