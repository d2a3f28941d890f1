import path from 'node:path';
import { writeFileAtomically } from '../../core/atomic-file.ts';
import { isDigest } from '../../core/digest.ts';
import { RegistryError } from '../../core/errors.ts';
import { parseJson } from '../../core/json-shape.ts';
import { readSmallFile } from '../../core/small-file.ts';
import { OciAnnotation } from '../../oci/annotations.ts';
import { isTag } from '../../oci/reference.ts';
import type { Descriptor, Index } from '../../oci/types.ts';
import { withFolderLock } from './folder-lock.ts';

/** A hundred thousand tags. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** The `index.json` of an image layout: which manifest each tag names. Read anew each time, others may write it too. */
export class LayoutIndex {
  readonly #store: string;
  readonly #folder: string;
  readonly #tagPrefix: string;

  constructor(store: string, realFolder: string, tagPrefix: string) {
    this.#store = store;
    this.#folder = realFolder;
    this.#tagPrefix = tagPrefix;
  }

  /** What each tag names. */
  async tags(): Promise<Map<string, Descriptor>> {
    return tagsIn(await this.#read(), this.#tagPrefix);
  }

  /** Makes `tag` name this manifest and nothing else; entries of other tags and unknown fields stay as they are. */
  async setTag(tag: string, descriptor: Descriptor): Promise<void> {
    await withFolderLock(this.#folder, async () => {
      const index = await this.#read();
      const name = `${this.#tagPrefix}${tag}`;
      const others = index.manifests.filter(
        ({ annotations }) => annotations?.[OciAnnotation.refName] !== name,
      );
      const tagged = {
        ...descriptor,
        annotations: { ...descriptor.annotations, [OciAnnotation.refName]: name },
      };
      await this.#write({ ...index, manifests: [...others, tagged] });
    });
  }

  async #read(): Promise<Index> {
    const file = path.join(this.#folder, 'index.json');
    return parseLayoutIndex(await readSmallFile(file, { maxBytes: MAX_INDEX_BYTES }), this.#store);
  }

  async #write(index: Index): Promise<void> {
    await writeFileAtomically(path.join(this.#folder, 'index.json'), JSON.stringify(index));
  }
}

/** Returns an `index.json`; `store` is for the error. Throws RegistryError STORE_IO. */
export function parseLayoutIndex(bytes: Buffer, store: string): Index {
  let json: unknown;
  try {
    json = parseJson(bytes.toString('utf8'));
  } catch (cause) {
    throw broken(store, 'is not JSON', cause);
  }
  const manifests = (json as Partial<Index> | null)?.manifests;
  const isSound =
    Array.isArray(manifests) &&
    manifests.every(entry => typeof entry === 'object' && entry !== null && isAnnotations(entry.annotations));
  if (!isSound) throw broken(store, 'has no list of manifests');
  return json as Index;
}

/** Returns what each tag names whose name begins with `tagPrefix`, without it; if two entries have one tag, the later counts. */
export function tagsIn({ manifests }: Index, tagPrefix: string): Map<string, Descriptor> {
  return new Map(
    manifests.flatMap(descriptor => {
      const name = descriptor.annotations?.[OciAnnotation.refName];
      if (!name?.startsWith(tagPrefix) || !isDigest(descriptor.digest)) return [];
      const tag = name.slice(tagPrefix.length);
      return isTag(tag) ? [[tag, descriptor]] : [];
    }),
  );
}

function broken(store: string, what: string, cause?: unknown): RegistryError {
  return new RegistryError(`the index.json of ${store} ${what}`, {
    code: 'STORE_IO',
    subject: store,
    remedy: 'Remove the folder, or choose another one, and run the command again.',
    cause,
  });
}

function isAnnotations(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && Object.values(value).every(text => typeof text === 'string');
}
