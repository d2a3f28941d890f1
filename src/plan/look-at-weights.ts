import { readAll } from '../core/byte-source.ts';
import { HubError } from '../core/errors.ts';
import { isWeights, kindOf } from '../core/model-files.ts';
import { mapPool } from '../core/pool.ts';
import { indexedSeries, seriesOf } from '../core/weight-series.ts';
import {
  type DisguisedFile,
  disguiseOf,
  HEAD_BYTES,
  MAX_DISGUISED_BYTES,
  type ReadIndex,
  seriesWithGaps,
} from '../hub/file-findings.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import { UnshardableError } from '../layer/safetensors-header.ts';
import { parseSafetensorsIndex } from '../layer/safetensors-index.ts';
import { readHubFile } from './read-file.ts';

/** A pointer has about 130 bytes, a page more. */
const MIN_DISGUISED_BYTES = 100;
const AT_ONCE = 8;
/** A repository of more small files of weights is a test. */
const MAX_LOOKED_AT = 32;

/** What a look into files shows of them. */
export interface WeightsLook {
  readonly disguised: readonly DisguisedFile[];
  readonly indexes: readonly ReadIndex[];
}

/** Returns what is seen in files of weights and their indexes that may not be what their names say. */
export async function lookAtWeights(
  hub: Hub,
  snapshot: ModelSnapshot,
  files: readonly HubFile[],
  signal: AbortSignal | undefined,
): Promise<WeightsLook> {
  const [disguised, indexes] = await Promise.all([
    findDisguised(hub, snapshot, files, signal),
    readDoubtfulIndexes(hub, snapshot, files, signal),
  ]);
  return { disguised, indexes };
}

/**
 * Returns the files of weights that hold a Git LFS pointer or a web page, which an upload by hand can leave. Only files
 * that are too small for weights are looked at; what cannot be read (gated) is passed over.
 */
async function findDisguised(
  hub: Hub,
  snapshot: ModelSnapshot,
  files: readonly HubFile[],
  signal: AbortSignal | undefined,
): Promise<readonly DisguisedFile[]> {
  const small = files.filter(
    ({ path, sizeBytes }) =>
      isWeights(path) && sizeBytes >= MIN_DISGUISED_BYTES && sizeBytes <= MAX_DISGUISED_BYTES,
  );
  const found = await mapPool(small.slice(0, MAX_LOOKED_AT), AT_ONCE, async file => {
    const end = Math.min(HEAD_BYTES, file.sizeBytes);
    try {
      const head = await readAll(hub.openFile(snapshot, file, { start: 0, end }), end, signal);
      return disguiseOf(file.path, head);
    } catch (error) {
      if (error instanceof HubError) return undefined;
      throw error;
    }
  });
  return found.filter(one => one !== undefined);
}

/** An index of 100,000 tensors has about 10 MB. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/**
 * Returns the indexes at the top of a repository that seem to name files that are not there: some of a numbered series
 * are missing, or all. The others are not read. What cannot be read (gated) is passed over.
 */
async function readDoubtfulIndexes(
  hub: Hub,
  snapshot: ModelSnapshot,
  files: readonly HubFile[],
  signal: AbortSignal | undefined,
): Promise<readonly ReadIndex[]> {
  const gaps = new Set(seriesWithGaps(files).map(({ series }) => series));
  const whole = new Set(
    files.map(({ path }) => seriesOf(path)).flatMap(({ series, part }) => (part ? series : [])),
  );
  const isDoubtful = (series: string): boolean => gaps.has(series) || !whole.has(series);
  const doubtful = files.filter(
    ({ path, sizeBytes }) =>
      !path.includes('/') &&
      kindOf(path) === 'index' &&
      sizeBytes <= MAX_INDEX_BYTES &&
      isDoubtful(indexedSeries(path)),
  );
  const read = await mapPool(doubtful.slice(0, MAX_LOOKED_AT), AT_ONCE, async file => {
    try {
      const bytes = await readHubFile(hub, snapshot, file, { maxBytes: MAX_INDEX_BYTES, signal });
      const { weightMap } = parseSafetensorsIndex(file.path, bytes.toString('utf8'));
      const names = [...weightMap.values()].map(name => name.replace(/^\.\//, ''));
      return { path: file.path, names: [...new Set(names)] };
    } catch (error) {
      if (error instanceof HubError || error instanceof UnshardableError) return undefined;
      throw error;
    }
  });
  return read.filter(one => one !== undefined);
}
