/**
 * The names that OCI reserves, for labels of images and annotations of manifests and descriptors alike:
 * https://github.com/opencontainers/image-spec/blob/main/annotations.md
 */
export const OciAnnotation = {
  title: 'org.opencontainers.image.title',
  description: 'org.opencontainers.image.description',
  url: 'org.opencontainers.image.url',
  source: 'org.opencontainers.image.source',
  version: 'org.opencontainers.image.version',
  revision: 'org.opencontainers.image.revision',
  licenses: 'org.opencontainers.image.licenses',
  baseName: 'org.opencontainers.image.base.name',
  baseDigest: 'org.opencontainers.image.base.digest',
  created: 'org.opencontainers.image.created',
  /** The tag of an entry in an image layout's index. */
  refName: 'org.opencontainers.image.ref.name',
} as const;
