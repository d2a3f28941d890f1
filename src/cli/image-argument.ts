import * as fs from 'node:fs/promises';
import path from 'node:path';
import { ConfigError, RegistryError } from '../core/errors.ts';
import { parseReference } from '../oci/reference.ts';
import type { Access } from '../store/auth/registry-auth.ts';
import type { ImageStore } from '../store/image-store.ts';
import { readDockerArchive } from '../store/local/docker-archive-reader.ts';
import { openLayout } from '../store/local/layout.ts';
import type { Session } from './session.ts';

/** An image that a user has named on the command line. */
export interface NamedImage {
  readonly store: ImageStore;
  /** Tag or digest. */
  readonly reference: string;
  /** In full: `ghcr.io/acme/hf-x:v0.6.0-fat`, `oci:out:v0.6.0-fat`. */
  readonly name: string;
  /** Whether it is in a folder or an archive of this machine, where no other can pull it. */
  readonly isLocal: boolean;
}

const MAX_TAGS_SHOWN = 12;

/**
 * Reads `[host/]repository[:tag][@digest]`, `oci:<folder>[:tag]` or `docker-archive:<file>[:<name>:<tag>]` for what
 * `build` has written. Returns the image's store and reference. Throws ConfigError USAGE.
 */
export async function openNamedImage(
  session: Session,
  text: string,
  access: Access = 'pull',
): Promise<NamedImage> {
  if (text.startsWith('oci:')) return await openInLayout(session, text);
  if (text.startsWith('docker-archive:')) return await openInArchive(session, text, access);
  const { registry, repository, tag, digest } = parseReference(text);
  const store = session.services.openRepository(`${registry}/${repository}`, access);
  return { ...(await named(store, digest ?? tag, session.signal)), isLocal: false };
}

async function openInArchive(session: Session, text: string, access: Access): Promise<NamedImage> {
  const [, file = '', tag] = /^docker-archive:((?:[A-Za-z]:(?=[\\/]))?[^:]+)(?::(.+))?$/.exec(text) ?? [];
  if (access !== 'pull') {
    throw new ConfigError(`${text}: an archive for \`docker load\` holds images and nothing else`, {
      code: 'USAGE',
      subject: text,
      remedy: 'Build into a folder with --output oci:<dir> and name oci:<dir>:<tag>, or a published image.',
    });
  }
  const store = await readDockerArchive(file);
  return { ...(await named(store, tag ?? (await onlyImage(store)), session.signal)), isLocal: true };
}

/** A name of the image that an archive has, if it has one image alone: `build` tags one three times. */
async function onlyImage(store: ImageStore): Promise<string | undefined> {
  const tags = await store.listTags(1000);
  const digests = new Set(await Promise.all(tags.map(tag => store.resolveTag(tag))));
  return digests.size === 1 ? tags[0] : undefined;
}

async function openInLayout(session: Session, text: string): Promise<NamedImage> {
  const [, folder = '', tag] = /^oci:(.+?)(?::([\w][\w.-]*))?$/.exec(text) ?? [];
  // Opening one makes it, which is not what somebody who looks for an image wants.
  await fs.access(path.join(folder, 'oci-layout')).catch(cause => {
    throw new RegistryError(`${folder} is not an image layout: it has no file oci-layout`, {
      code: 'STORE_IO',
      subject: folder,
      remedy: 'Name the folder that `weighbridge build --output oci:<dir>` has written.',
      cause,
    });
  });
  return { ...(await named(await openLayout(folder), tag, session.signal)), isLocal: true };
}

async function named(
  store: ImageStore,
  reference: string | undefined,
  signal: AbortSignal,
): Promise<Omit<NamedImage, 'isLocal'>> {
  if (reference !== undefined) {
    const mark = reference.startsWith('sha256:') ? '@' : ':';
    return { store, reference, name: `${store.name}${mark}${reference}` };
  }
  const tags = (await store.listTags(1000, signal)).sort();
  const shown = tags.slice(0, MAX_TAGS_SHOWN).join(', ');
  const more = tags.length > MAX_TAGS_SHOWN ? ` and ${tags.length - MAX_TAGS_SHOWN} more` : '';
  throw new ConfigError(`${store.name}: which image? No tag was named`, {
    code: 'USAGE',
    subject: store.name,
    remedy: tags.length === 0 ? 'It has no tags at all.' : `Add one of its tags: ${shown}${more}.`,
  });
}
