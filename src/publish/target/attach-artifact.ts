import type { Digest } from '../../core/digest.ts';
import { digestOf } from '../../core/digest.ts';
import type { Document } from '../../oci/image.ts';
import { type Annotations, type Descriptor, type Manifest, MediaType } from '../../oci/types.ts';
import type { ImageStore } from '../../store/image-store.ts';
import { addReferrer } from '../../store/referrers.ts';
import { putDocument } from './push-image.ts';

/** Something small about an image: a scan, an attestation. */
export interface Artifact {
  /** `application/vnd.…+json`; tells what it is. */
  readonly artifactType: string;
  readonly annotations: Annotations;
  readonly files: readonly {
    readonly mediaType: string;
    /** File name, for those who fetch it with `oras pull`. */
    readonly title: string;
    readonly bytes: Buffer;
  }[];
}

const TITLE = 'org.opencontainers.image.title';
const EMPTY = Buffer.from('{}');

/**
 * Puts an artifact beside the image that it is about, as a referrer of its manifest. `replaces` are older ones of which
 * this is the new edition. Gives the artifact's descriptor.
 */
export async function attachArtifact(
  store: ImageStore,
  subject: Descriptor,
  artifact: Artifact,
  options: { readonly replaces?: readonly Digest[]; readonly signal?: AbortSignal | undefined } = {},
): Promise<Descriptor> {
  const { artifactType, annotations } = artifact;
  const config = documentOf(MediaType.ociEmpty, EMPTY);
  const files = artifact.files.map(({ mediaType, title, bytes }) => ({
    title,
    document: documentOf(mediaType, bytes),
  }));
  for (const document of [config, ...files.map(file => file.document)]) {
    await putDocument(store, document, options.signal);
  }
  const { mediaType, digest, size } = subject;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType,
    config: config.descriptor,
    layers: files.map(({ title, document }) => ({ ...document.descriptor, annotations: { [TITLE]: title } })),
    subject: { mediaType, digest, size },
    annotations,
  };
  const { descriptor, bytes } = documentOf(MediaType.ociManifest, Buffer.from(JSON.stringify(manifest)));
  const stored = { mediaType: descriptor.mediaType, digest: descriptor.digest, bytes };
  await store.putManifest(descriptor.digest, stored, options.signal);
  const listed = { ...descriptor, artifactType, annotations };
  await addReferrer(store, digest, listed, options);
  return listed;
}

function documentOf(mediaType: string, bytes: Buffer): Document {
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
}
