import { readAll } from '../../core/byte-source.ts';
import { mapPool } from '../../core/pool.ts';
import type { HubFile } from '../../hub/types.ts';
import { contentIdOf } from '../../layer/recipe.ts';
import { partPath, reshardSafetensors, type SafetensorsPart } from '../../layer/reshard-safetensors.ts';
import {
  LENGTH_BYTES,
  parseHeaderLength,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  UnshardableError,
} from '../../layer/safetensors-header.ts';
import type { PolicyDecision } from '../../policy/types.ts';
import type { LayerLimit, Resharding, ShardSlice } from '../types.ts';
import { maxFileBytes, tooLarge } from './layer-limits.ts';
import { rewriteIndexes, SAFETENSORS, type TensorPlaces } from './rewrite-indexes.ts';
import type { ReshardContext } from './types.ts';

/** The division of a model's files, or why one of them cannot be divided. */
export type ReshardOutcome =
  | { readonly kind: 'resharded'; readonly resharding: Resharding }
  | {
      readonly kind: 'refused';
      readonly decision: PolicyDecision;
      readonly file: HubFile;
      readonly why: string;
    };

/**
 * Divides what is larger than a layer may be: each such safetensors file becomes several, cut between tensors, and the
 * index of its folder names them. `shardable` leaves other files as they are. Returns undefined if everything fits.
 * Reads headers and indexes only. Throws HubError if the Hub cannot be asked.
 */
export async function reshardFiles(
  files: readonly HubFile[],
  limit: LayerLimit,
  context: ReshardContext,
  which: 'all' | 'shardable' = 'all',
): Promise<ReshardOutcome | undefined> {
  const isMeant = ({ path }: HubFile): boolean => which === 'all' || path.endsWith(SAFETENSORS);
  const large = files.filter(file => isMeant(file) && file.sizeBytes > maxFileBytes(limit));
  if (large.length === 0) return undefined;
  const refused = (file: HubFile, why: string): ReshardOutcome => ({
    kind: 'refused',
    decision: tooLarge(file, limit, why),
    why,
    file,
  });
  // What cannot be divided is said before anything is read.
  const other = large.find(({ path }) => !path.endsWith(SAFETENSORS));
  if (other !== undefined) return refused(other, 'only safetensors files can be divided');
  const outcomes = await mapPool(large, FILES_AT_ONCE, file => reshardOne(file, files, limit, context));
  const failed = outcomes.find(outcome => outcome.kind === 'refused');
  if (failed !== undefined) return refused(failed.file, failed.why);
  const resharded = outcomes.flatMap(outcome => (outcome.kind === 'resharded' ? [outcome.places] : []));
  try {
    const indexes = await rewriteIndexes(resharded, files, context);
    return { kind: 'resharded', resharding: { files: resharded.map(({ file }) => file), indexes } };
  } catch (error) {
    if (!(error instanceof UnshardableError)) throw error;
    return refused(large.at(-1) as HubFile, error.message);
  }
}

/** Headers are read several at once: a model of a hundred shards would otherwise take a minute. */
const FILES_AT_ONCE = 8;

type OneOutcome =
  | { readonly kind: 'resharded'; readonly places: TensorPlaces }
  | { readonly kind: 'refused'; readonly file: HubFile; readonly why: string };

async function reshardOne(
  file: HubFile,
  files: readonly HubFile[],
  limit: LayerLimit,
  context: ReshardContext,
): Promise<OneOutcome> {
  try {
    const places = await reshardFile(file, limit, context);
    if (places === undefined) return { kind: 'refused', file, why: 'one of its tensors alone is larger' };
    const taken = places.file.parts.find(({ path }) => files.some(other => other.path === path));
    if (taken === undefined) return { kind: 'resharded', places };
    return { kind: 'refused', file, why: `${taken.path}, one of its parts, would be another file` };
  } catch (error) {
    if (!(error instanceof UnshardableError)) throw error;
    return { kind: 'refused', file, why: error.message };
  }
}

async function reshardFile(
  file: HubFile,
  limit: LayerLimit,
  context: ReshardContext,
): Promise<TensorPlaces | undefined> {
  // What came wrong once may have been changed on the way; what is wrong in the end shows in the file's hash.
  const { bytes, header } = await readHeader(file, context).catch(error => {
    if (error instanceof UnshardableError) return readHeader(file, context);
    throw error;
  });
  const parts = reshardSafetensors(header, maxFileBytes(limit));
  return parts && toSharded(file, bytes, parts);
}

/** Returns the header of a safetensors file of the Hub, with its bytes. Throws HubError, UnshardableError. */
export async function readHeader(
  file: Pick<HubFile, 'path' | 'sizeBytes'>,
  { hub, snapshot, signal }: ReshardContext,
): Promise<{ readonly bytes: Buffer; readonly header: SafetensorsHeader }> {
  const { path, sizeBytes } = file;
  const read = (start: number, end: number): Promise<Buffer> =>
    readAll(hub.openFile(snapshot, file, { start, end }), end - start, signal);
  const prefix = await read(0, Math.min(LENGTH_BYTES, sizeBytes));
  const end = LENGTH_BYTES + parseHeaderLength(path, prefix, sizeBytes);
  const json = await read(LENGTH_BYTES, end);
  return { bytes: Buffer.concat([prefix, json]), header: parseSafetensorsHeader(path, json, sizeBytes) };
}

/** Returns a file as the parts that it is divided into, with the names that they get. */
export function toSharded(
  { path, sizeBytes, ...hashes }: HubFile,
  header: Uint8Array,
  parts: readonly SafetensorsPart[],
): TensorPlaces {
  const source = { path, sizeBytes, contentId: contentIdOf(hashes), header };
  const toPart = ({ header: own, start, end }: SafetensorsPart, index: number): ShardSlice => ({
    path: partPath(path, index, parts.length),
    sizeBytes: own.length + end - start,
    header: own,
    start,
    end,
  });
  return { file: { source, parts: parts.map(toPart) }, tensors: parts.map(part => part.tensors) };
}
