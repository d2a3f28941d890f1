import { readAll } from '../core/byte-source.ts';
import { type Digest, digestOf } from '../core/digest.ts';
import { describeError, isAbort, RegistryError, WeighbridgeError } from '../core/errors.ts';
import { mapPool } from '../core/pool.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import { parseImageConfig, parseManifest } from '../oci/parse.ts';
import { formatPlatform } from '../oci/reference.ts';
import type { Descriptor, ImageConfig, Manifest } from '../oci/types.ts';
import { BOOTSTRAP_FOLDER } from '../plan/layers.ts';
import type { ImageStore } from '../store/image-store.ts';
import { readForDigest, readLayer } from './image-content.ts';
import { readLayerDescriptor } from './layer-annotations.ts';

export interface VerifyOptions {
  readonly hub: Hub;
  /** Reads and hashes every byte of the image; otherwise what the manifest says is held against the Hub. */
  readonly isDeep: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (count: number) => void;
}

export interface FileCheck {
  /** As in the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  /** `unlisted`: in the image's model folder, but not in the repository at this commit. */
  readonly status: 'same' | 'different' | 'unlisted';
  readonly detail?: string;
}

/** One platform's image, held against the Hub. */
export interface ImageCheck {
  readonly platform: string;
  readonly digest: Digest;
  readonly id: string;
  readonly revision: string;
  readonly variant: string;
  /** The model's files that are in the image (fat) or in the list that it fetches (slim). */
  readonly files: readonly FileCheck[];
  /** What is wrong with blobs, apart from the model's files. */
  readonly problems: readonly string[];
  readonly bytesRead: number;
}

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const CONCURRENCY = 4;

/** Whether an image that was published is what the Hub has at the commit that it names. Throws where that cannot be told. */
export async function verifyImage(
  store: ImageStore,
  reference: string,
  options: VerifyOptions,
): Promise<ImageCheck[]> {
  const checks: ImageCheck[] = [];
  for (const digest of await manifestsOf(store, reference, options.signal)) {
    checks.push(await verifyManifest(store, digest, options));
  }
  return checks;
}

export function isRight({ files, problems }: ImageCheck): boolean {
  return problems.length === 0 && files.length > 0 && files.every(file => file.status === 'same');
}

async function manifestsOf(store: ImageStore, reference: string, signal?: AbortSignal): Promise<Digest[]> {
  const top = await store.getManifest(reference, signal);
  if (top === undefined) {
    throw new RegistryError(`${store.name} has no image ${reference}`, {
      code: 'REGISTRY_NOT_FOUND',
      subject: store.name,
      remedy: 'Check the tag, and the login where the repository is private.',
    });
  }
  const parsed = parseManifest(top.bytes, top.mediaType, store.name);
  return parsed.kind === 'manifest' ? [top.digest] : parsed.index.manifests.map(child => child.digest);
}

async function verifyManifest(
  store: ImageStore,
  digest: Digest,
  options: VerifyOptions,
): Promise<ImageCheck> {
  const { manifest, config } = await readImage(store, digest, options.signal);
  const labels = config.config?.Labels ?? {};
  const id = labels['io.weighbridge.model.id'];
  const revision = labels['io.weighbridge.model.revision'];
  const variant = labels['io.weighbridge.variant'];
  if (id === undefined || revision === undefined || variant === undefined) {
    throw new RegistryError(
      `${store.name}@${digest} was not published by Weighbridge: it does not name a model`,
      {
        code: 'REGISTRY_BAD_ANSWER',
        subject: store.name,
        remedy: 'Only images with io.weighbridge labels can be held against the Hub.',
      },
    );
  }
  const snapshot = await options.hub.getModel(id, revision, options.signal);
  let bytesRead = 0;
  const content = await readContent(store, manifest, {
    ...options,
    onBytes: count => {
      bytesRead += count;
      options.onBytes?.(count);
    },
  });
  const dir = config.config?.Env?.find(entry => entry.startsWith('MODEL_DIR='))?.slice('MODEL_DIR=/'.length);
  const listed = variant === 'slim' ? content.slimList : relativeTo(`${dir}/`, content.files);
  return {
    platform: formatPlatform({ os: config.os, architecture: config.architecture }),
    digest,
    id,
    revision,
    variant,
    files: compare(listed, snapshot),
    problems: [...content.problems, ...diffIdProblems(manifest, config)],
    bytesRead,
  };
}

async function readImage(
  store: ImageStore,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<{ manifest: Manifest; config: ImageConfig }> {
  const stored = await store.getManifest(digest, signal);
  const parsed = stored && parseManifest(stored.bytes, stored.mediaType, store.name);
  if (parsed?.kind !== 'manifest') {
    throw new RegistryError(`${store.name} names ${digest}, which is no image`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: store.name,
    });
  }
  const { manifest } = parsed;
  const bytes = await readAll(store.openBlob(manifest.config), MAX_CONFIG_BYTES, signal);
  if (digestOf(bytes) !== manifest.config.digest) {
    throw new RegistryError(`${store.name}: the config is not the one that the manifest names`, {
      code: 'REGISTRY_BAD_ANSWER',
      subject: store.name,
    });
  }
  return { manifest, config: parseImageConfig(bytes, store.name) };
}

/** A file as the image has it or lists it; one of the two hashes may be all that is known of a small file. */
interface ListedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256?: string | undefined;
  readonly gitOid?: string | undefined;
}

interface Content {
  readonly files: readonly ListedFile[];
  readonly slimList: readonly ListedFile[];
  readonly problems: readonly string[];
}

async function readContent(store: ImageStore, manifest: Manifest, options: VerifyOptions): Promise<Content> {
  const files: ListedFile[] = [];
  const problems: string[] = [];
  let slimList: ListedFile[] = [];
  await mapPool(manifest.layers, CONCURRENCY, async layer => {
    try {
      const listPath = `${BOOTSTRAP_FOLDER}/model.json`;
      const known = readLayerDescriptor(layer);
      const hasList = known?.files.some(file => file.path === listPath) === true;
      if (!options.isDeep && !hasList) {
        problems.push(...(await presence(store, layer, options.signal)));
        files.push(...(known?.files ?? []).map(fromAnnotation));
      } else if (known === undefined) {
        await readForDigest(store, layer, options);
      } else {
        const read = await readLayer(store, layer, { ...options, keep: path => path === listPath });
        files.push(...read.files);
        const list = read.kept.get(listPath);
        if (list !== undefined) slimList = readSlimList(list);
      }
    } catch (error) {
      if (isAbort(error) || options.signal?.aborted || !(error instanceof WeighbridgeError)) throw error;
      problems.push(describeError(error));
    }
  });
  return { files, slimList, problems };
}

async function presence(
  store: ImageStore,
  { digest, size }: Descriptor,
  signal?: AbortSignal,
): Promise<string[]> {
  const stored = await store.statBlob(digest, signal);
  if (stored === size) return [];
  return [
    `${store.name} ${stored === undefined ? 'does not have' : `has ${stored} of ${size} bytes of`} ${digest}`,
  ];
}

function fromAnnotation(file: {
  path: string;
  sizeBytes: number;
  sha256: string;
  contentId: string;
}): ListedFile {
  const { path, sizeBytes, sha256, contentId } = file;
  const gitOid = contentId.startsWith('git:') ? contentId.slice('git:'.length) : undefined;
  return { path, sizeBytes, sha256, gitOid };
}

function readSlimList(bytes: Buffer): ListedFile[] {
  const { files } = JSON.parse(bytes.toString('utf8')) as {
    files: { path: string; size: number; sha256?: string; gitOid?: string }[];
  };
  return files.map(({ path, size, sha256, gitOid }) => ({ path, sizeBytes: size, sha256, gitOid }));
}

function relativeTo(folder: string, files: readonly ListedFile[]): ListedFile[] {
  return files
    .filter(file => file.path.startsWith(folder))
    .map(file => ({ ...file, path: file.path.slice(folder.length) }));
}

function compare(listed: readonly ListedFile[], { files }: ModelSnapshot): FileCheck[] {
  const byPath = new Map(files.map(file => [file.path, file]));
  return listed
    .map(file => checkFile(file, byPath.get(file.path)))
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function checkFile({ path, sizeBytes, sha256, gitOid }: ListedFile, wanted: HubFile | undefined): FileCheck {
  const common = { path, sizeBytes };
  if (wanted === undefined) return { ...common, status: 'unlisted', detail: 'not in the repository' };
  // The git id of a large file is that of its pointer, so its sha256 is what counts.
  const [expected, actual] = wanted.sha256 === undefined ? [wanted.gitOid, gitOid] : [wanted.sha256, sha256];
  if (sizeBytes === wanted.sizeBytes && actual === expected) return { ...common, status: 'same' };
  const detail = `expected ${expected} (${wanted.sizeBytes} bytes), got ${actual} (${sizeBytes} bytes)`;
  return { ...common, status: 'different', detail };
}

/** An uncompressed layer's diff id is its digest: what a runtime will check after pulling. */
function diffIdProblems({ layers }: Manifest, { rootfs }: ImageConfig): string[] {
  if (layers.length !== rootfs.diff_ids.length)
    return [`the manifest has ${layers.length} layers and the config ${rootfs.diff_ids.length}`];
  return layers.flatMap((layer, index) => {
    const isOurs = readLayerDescriptor(layer) !== undefined;
    return isOurs && rootfs.diff_ids[index] !== layer.digest
      ? [`layer ${layer.digest} has another diff id`]
      : [];
  });
}
