import { readAll } from '../../core/byte-source.ts';
import { digestOf } from '../../core/digest.ts';
import { IntegrityError, RegistryError } from '../../core/errors.ts';
import type { BaseImage } from '../../oci/image.ts';
import { findPlatform, parseImageConfig, parseManifest } from '../../oci/parse.ts';
import { formatPlatform, parsePlatform, parseReference } from '../../oci/reference.ts';
import type { Index } from '../../oci/types.ts';
import type { ImageStore, StoredManifest } from '../../store/image-store.ts';

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/** Reads a base image's manifest and config for a platform; its layers stay where they are. */
export async function resolveBaseImage(
  reference: string,
  platformText: string,
  openBase: (repositoryName: string) => ImageStore,
  signal?: AbortSignal,
): Promise<BaseImage> {
  const { registry, repository, tag, digest } = parseReference(reference);
  const store = openBase(`${registry}/${repository}`);
  const platform = parsePlatform(platformText);
  const top = await store.getManifest(digest ?? tag ?? 'latest', signal);
  if (top === undefined) throw notFound(reference);
  const parsed = parseManifest(top.bytes, top.mediaType, `base image ${reference}`);
  const chosen =
    parsed.kind === 'manifest'
      ? top
      : await childManifest(store, parsed.index, platformText, reference, signal);
  const child = parseManifest(chosen.bytes, chosen.mediaType, `base image ${reference}`);
  if (child.kind !== 'manifest') throw platformMissing(reference, platformText, []);
  const { manifest } = child;
  const configBytes = await readAll(store.openBlob(manifest.config), MAX_CONFIG_BYTES, signal);
  if (digestOf(configBytes) !== manifest.config.digest) {
    throw new IntegrityError(`the config of base image ${reference} is not what its manifest says`, {
      code: 'INTEGRITY_HASH',
      subject: reference,
    });
  }
  const config = parseImageConfig(configBytes, `base image ${reference}`);
  if (config.os !== platform.os || config.architecture !== platform.architecture) {
    throw platformMissing(reference, platformText, [`${config.os}/${config.architecture}`]);
  }
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new RegistryError(
      `base image ${reference} has ${manifest.layers.length} layers and ${config.rootfs.diff_ids.length} diff_ids`,
      { code: 'REGISTRY_BAD_ANSWER', subject: reference },
    );
  }
  return {
    reference,
    digest: chosen.digest,
    storeName: store.name,
    platform,
    config,
    layers: manifest.layers,
  };
}

async function childManifest(
  store: ImageStore,
  index: Index,
  platformText: string,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<StoredManifest> {
  const entry = findPlatform(index, parsePlatform(platformText));
  if (entry === undefined) {
    const offered = index.manifests.flatMap(({ platform }) =>
      platform === undefined ? [] : [formatPlatform(platform)],
    );
    throw platformMissing(
      reference,
      platformText,
      offered.filter(name => !name.startsWith('unknown/')),
    );
  }
  const child = await store.getManifest(entry.digest, signal);
  if (child === undefined) throw notFound(`${reference} (${platformText}, ${entry.digest})`);
  return child;
}

function notFound(reference: string): RegistryError {
  return new RegistryError(`the base image ${reference} does not exist`, {
    code: 'BASE_NOT_FOUND',
    subject: reference,
    remedy: 'Check `base_image` in models.yaml, and the login where the image is private.',
  });
}

function platformMissing(reference: string, wanted: string, offered: readonly string[]): RegistryError {
  const has = offered.length > 0 ? `it has ${[...new Set(offered)].join(', ')}` : 'it has none that fits';
  return new RegistryError(`the base image ${reference} is not there for ${wanted}: ${has}`, {
    code: 'BASE_PLATFORM_MISSING',
    subject: reference,
    remedy: 'Change `arch` or `base_image` in models.yaml.',
  });
}
