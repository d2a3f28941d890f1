import { byPath } from '../core/bytes-order.ts';
import { digestOf } from '../core/digest.ts';
import type { HubFile, ModelSnapshot } from '../hub/types.ts';
import type { ListedFile } from '../image/published-image.ts';
import type { TensorPlaces } from '../plan/split/rewrite-indexes.ts';
import type { ShardSlice } from '../plan/types.ts';
import { type ExpectedParts, isPartListed } from './verify-sharded.ts';

/** What became of one file's check. */
export interface FileCheck {
  /** As in the repository. */
  readonly path: string;
  readonly sizeBytes: number;
  /** `unlisted`: in the image's model folder, but not in the repository at this commit. */
  readonly status: 'same' | 'different' | 'unlisted';
  readonly detail?: string;
}

/**
 * Compares the model's files in an image with the repository's, and resharded files with their originals. Returns a
 * check of each file.
 */
export function compareFiles(
  listed: readonly ListedFile[],
  { files }: ModelSnapshot,
  { shardings, indexes }: ExpectedParts,
  wrongSources: ReadonlySet<string>,
): FileCheck[] {
  const checks = new Map<string, (file: ListedFile) => FileCheck>();
  for (const wanted of files) checks.set(wanted.path, file => checkFile(file, wanted));
  for (const { path, text } of indexes) {
    const bytes = Buffer.from(text);
    const wanted = { path, sizeBytes: bytes.length, sha256: digestOf(bytes).slice('sha256:'.length) };
    checks.set(path, file => checkFile(file, { ...wanted, gitOid: '' }));
  }
  for (const { places } of shardings) {
    for (const part of places.file.parts)
      checks.set(part.path, file => checkPart(file, places, part, wrongSources));
  }
  return listed.map(file => checks.get(file.path)?.(file) ?? checkFile(file, undefined)).sort(byPath);
}

/** A file that was read has no id: that it is right has shown with the other parts. */
function checkPart(
  listed: ListedFile,
  { file }: TensorPlaces,
  part: ShardSlice,
  wrongSources: ReadonlySet<string>,
): FileCheck {
  const { path, sizeBytes, partId } = listed;
  const isSame =
    partId === undefined ? !wrongSources.has(file.source.path) : isPartListed(file, part, listed);
  if (isSame) return { path, sizeBytes, status: 'same' };
  const detail = `not the part of ${file.source.path} that it is said to be`;
  return { path, sizeBytes, status: 'different', detail };
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
