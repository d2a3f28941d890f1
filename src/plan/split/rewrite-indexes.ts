import { posix } from 'node:path';
import type { HubFile } from '../../hub/types.ts';
import { UnshardableError } from '../../layer/safetensors-header.ts';
import {
  formatSafetensorsIndex,
  parseSafetensorsIndex,
  type SafetensorsIndex,
} from '../../layer/safetensors-index.ts';
import { readHubFile } from '../read-file.ts';
import type { RewrittenIndex, ShardedFile } from '../types.ts';
import type { ReshardContext } from './types.ts';

/** A divided file, and which tensors each of its parts has. */
export interface TensorPlaces {
  readonly file: ShardedFile;
  /** Names of tensors, by part. */
  readonly tensors: readonly (readonly string[])[];
}

/** The ending of the only files that can be divided. */
export const SAFETENSORS = '.safetensors';
const INDEX = '.safetensors.index.json';
/** An index of 100,000 tensors has about 10 MB. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/**
 * Returns every index that names a divided file, rewritten to name its parts. A folder with that one safetensors file
 * and no index gets one: without it programs would look for the file. Among others without an index, parts are found as
 * the file was: by the ending of their names.
 */
export async function rewriteIndexes(
  resharded: readonly TensorPlaces[],
  files: readonly HubFile[],
  { hub, snapshot, signal }: ReshardContext,
): Promise<RewrittenIndex[]> {
  const indexes: RewrittenIndex[] = [];
  for (const [folder, parts] of Map.groupBy(resharded, ({ file }) => posix.dirname(file.source.path))) {
    const inFolder = files.filter(({ path }) => posix.dirname(path) === folder);
    const found = inFolder.filter(({ path }) => path.endsWith(INDEX));
    for (const file of found) {
      const bytes = await readHubFile(hub, snapshot, file, { maxBytes: MAX_INDEX_BYTES, signal });
      const index = parseSafetensorsIndex(file.path, bytes.toString('utf8'));
      const named = parts.filter(part =>
        [...index.weightMap.values()].some(place => isIn(place, posix.basename(part.file.source.path))),
      );
      if (named.length > 0) {
        indexes.push({ path: file.path, text: formatSafetensorsIndex(withParts(file.path, index, named)) });
      }
    }
    const [only] = parts;
    const isLone = inFolder.filter(({ path }) => path.endsWith(SAFETENSORS)).length === 1;
    if (found.length > 0 || !isLone || only === undefined) continue;
    const { source } = only.file;
    const rest = { metadata: { total_size: source.sizeBytes - source.header.length } };
    const index = withParts(source.path, { rest, weightMap: new Map() }, parts);
    const path = `${source.path.slice(0, -SAFETENSORS.length)}${INDEX}`;
    indexes.push({ path, text: formatSafetensorsIndex(index) });
  }
  return indexes;
}

function withParts(
  path: string,
  { rest, weightMap }: SafetensorsIndex,
  resharded: readonly TensorPlaces[],
): SafetensorsIndex {
  const map = new Map(weightMap);
  for (const { file, tensors } of resharded) {
    const source = posix.basename(file.source.path);
    for (const [index, { path: part }] of file.parts.entries()) {
      for (const tensor of tensors[index] ?? []) {
        const place = weightMap.get(tensor);
        if (place !== undefined && !isIn(place, source))
          throw new UnshardableError(
            path,
            `${path} has ${JSON.stringify(tensor)} in ${place}, ${source} has it too`,
          );
        map.set(tensor, posix.basename(part));
      }
    }
    const absent = [...map].find(([, place]) => isIn(place, source))?.[0];
    if (absent !== undefined)
      throw new UnshardableError(
        path,
        `${path} has ${JSON.stringify(absent)} in ${source}, which does not have it`,
      );
  }
  return { rest, weightMap: map };
}

/** Some write `./model-00001-of-00002.safetensors`. */
function isIn(place: string, source: string): boolean {
  return posix.normalize(place) === source;
}
