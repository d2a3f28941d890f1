import { type Digest, digestOf } from '../core/digest.ts';
import { OciAnnotation } from '../oci/annotations.ts';
import type { Document } from '../oci/image.ts';
import { type Annotations, type Descriptor, type Manifest, MediaType } from '../oci/types.ts';
import type { ImageStore } from './image-store.ts';
import { putDocument } from './put-document.ts';
import { addReferrers } from './referrers.ts';

/** Something small about an image: a scan, a signature, a statement. */
export interface Artifact {
  /** `application/vnd.…+json`; tells what it is. */
  readonly artifactType: string;
  readonly annotations: Annotations;
  readonly files: readonly {
    readonly mediaType: string;
    /** File name, for `oras pull`; without one the layer has no title. */
    readonly title?: string;
    readonly bytes: Buffer;
  }[];
}

const EMPTY = Buffer.from('{}');

/**
 * Attaches an artifact to an image, as a referrer of its manifest, and returns the artifact's descriptor. `replaces` are
 * older editions of the same artifact. Throws RegistryError.
 */
export async function attachArtifact(
  store: ImageStore,
  subject: Descriptor,
  artifact: Artifact,
  options: { readonly replaces?: readonly Digest[]; readonly signal?: AbortSignal | undefined } = {},
): Promise<Descriptor> {
  const listed = await putArtifact(store, subject, artifact, options.signal);
  await addReferrers(store, subject.digest, [listed], options);
  return listed;
}

/** Uploads an artifact and returns its descriptor for `addReferrers`, which makes it findable. Throws RegistryError. */
export async function putArtifact(
  store: ImageStore,
  subject: Descriptor,
  artifact: Artifact,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const { artifactType, annotations } = artifact;
  const files = artifact.files.map(({ mediaType, title, bytes }) => ({
    title,
    document: documentOf(mediaType, bytes),
  }));
  await putEmptyConfig(store, documentOf(MediaType.ociEmpty, EMPTY), signal);
  for (const { document } of files) await putDocument(store, document, signal);
  const layers = files.map(({ title, document: { descriptor } }) => ({ title, ...descriptor }));
  const { descriptor, bytes } = artifactManifest(subject, { artifactType, annotations, files: layers });
  const stored = { mediaType: descriptor.mediaType, digest: descriptor.digest, bytes };
  await store.putManifest(descriptor.digest, stored, signal);
  return { ...descriptor, artifactType, annotations };
}

/** Returns the manifest that an artifact is stored with: the same for the same artifact, whose bytes it does not need. */
export function artifactManifest(
  { mediaType, digest, size }: Descriptor,
  artifact: Omit<Artifact, 'files'> & {
    readonly files: readonly (Descriptor & { readonly title?: string | undefined })[];
  },
): Document {
  const { artifactType, annotations, files } = artifact;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType,
    config: documentOf(MediaType.ociEmpty, EMPTY).descriptor,
    layers: files.map(({ title, ...descriptor }) =>
      title === undefined ? descriptor : { ...descriptor, annotations: { [OciAnnotation.title]: title } },
    ),
    subject: { mediaType, digest, size },
    annotations,
  };
  return documentOf(MediaType.ociManifest, Buffer.from(JSON.stringify(manifest)));
}

/** Stores that have the config of all artifacts, or are getting it: several are attached at the same time. */
const configured = new WeakMap<ImageStore, Promise<number>>();

async function putEmptyConfig(
  store: ImageStore,
  config: Document,
  signal: AbortSignal | undefined,
): Promise<void> {
  const done = configured.get(store) ?? putDocument(store, config, signal);
  configured.set(store, done);
  try {
    await done;
  } catch (error) {
    configured.delete(store);
    throw error;
  }
}

function documentOf(mediaType: string, bytes: Buffer): Document {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
