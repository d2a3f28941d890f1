import { createHash } from 'node:crypto';
import { PredicateType, STATEMENT_TYPE, type Statement } from '../statement.ts';
import type { ModelFile } from '../types.ts';

/** A file of a signed model; https://github.com/ossf/model-signing-spec */
export interface ModelResource {
  readonly name: string;
  readonly algorithm: string;
  /** Hex. */
  readonly digest: string;
}

/**
 * What model_signing leaves out when it signs and verifies: the signature itself, git's files, and what a slim image's
 * bootstrap keeps beside the model.
 */
const IGNORED_PATHS = [
  'model.sig',
  '.git',
  '.gitattributes',
  '.github',
  '.gitignore',
  '.weighbridge',
  '.weighbridge.json',
];

/** Whether a file is left out of model signatures. */
export function isUnsigned(path: string): boolean {
  return IGNORED_PATHS.some(ignored => path === ignored || path.startsWith(`${ignored}/`));
}

/**
 * Returns OpenSSF's model signature over files with a known sha256, under the model's name. It is about the files and
 * not about an image: fat, slim and weights-only images of the same files share it.
 */
export function modelSignature(
  name: string,
  files: readonly Pick<ModelFile, 'path' | 'sha256'>[],
): Statement {
  const resources = files
    .filter(({ path }) => !isUnsigned(path))
    .map(({ path, sha256 }): ModelResource => {
      if (sha256 === undefined) throw new TypeError(`expected a sha256 of ${path}`);
      return { name: path, algorithm: 'sha256', digest: sha256 };
    })
    // Python, which verifies it, compares code points.
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name, digest: { sha256: rootDigest(resources) } }],
    predicateType: PredicateType.model,
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: IGNORED_PATHS,
      },
      resources,
    },
  };
}

/** Returns the digest that stands for all files: the sha256 of their digests' bytes, in order. */
export function rootDigest(resources: readonly ModelResource[]): string {
  const hash = createHash('sha256');
  for (const { digest } of resources) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
}
