import { isModelId } from '../../core/hub-names.ts';
import { isWeights } from '../../core/model-files.ts';
import { mapPool, memoizeAsync } from '../../core/pool.ts';
import type { Hub, HubFile, ModelSnapshot } from '../../hub/types.ts';
import { contentIdOf } from '../../layer/recipe.ts';
import type { ReadText } from '../../licenses/types.ts';
import { type Ancestor, type LineageClaims, NO_LINEAGE_CLAIMS } from '../../policy/facts.ts';
import { isClosed, type SmallFiles } from '../small-files.ts';
import { claimsToRead, familyOfNames, readLineageClaims } from './lineage-reader.ts';
import { createTextReader, type LegalRead, textsToRead } from './text-reader.ts';

/** What the files of one repository say of its license and of what it was made from. */
export interface RepositoryRead extends LegalRead {
  readonly claims: LineageClaims;
}

/** Reads what a repository says about its license. */
export interface LegalReader {
  /**
   * `isDeep`: whether a fat image may come of it, so that its card, its config and texts of any name are read as well.
   * `files` are those that the image gets.
   */
  read(snapshot: ModelSnapshot, files: readonly HubFile[], isDeep: boolean): Promise<RepositoryRead>;
  /** Every model that this one was made from, nearest first, each with its texts. */
  ancestorsOf(snapshot: ModelSnapshot, claims: LineageClaims): Promise<readonly ReadAncestor[]>;
  /** A model that another one names; undefined if the Hub does not have it or does not show it. */
  find(id: string): Promise<ModelSnapshot | undefined>;
}

/** A model that another was made from, with its legal texts. */
export interface ReadAncestor {
  readonly ancestor: Ancestor;
  readonly read: ReadonlyMap<string, ReadText>;
}

/** More generations and merges than any model has. */
const MAX_ANCESTORS = 40;
/** Of what is read of them all, each text once: the license that most of them share is one. It takes seconds. */
const MAX_LINEAGE_BYTES = 8 * 1024 * 1024;
const AT_ONCE = 8;

/**
 * Returns a reader of legal texts and ancestors for a whole plan. A text that many repositories share is read once, as
 * is a model that many were made from, so that most models cost few requests beyond their own.
 */
export function createLegalReader(hub: Hub, files: SmallFiles, signal: AbortSignal | undefined): LegalReader {
  const texts = createTextReader(files);

  async function read(
    snapshot: ModelSnapshot,
    chosen: readonly HubFile[],
    isDeep: boolean,
  ): Promise<RepositoryRead> {
    const weights = chosen.filter(({ path }) => isWeights(path));
    const legal = await texts.read(snapshot, weights, isDeep);
    return { ...legal, claims: await readClaims(snapshot, weights, legal, isDeep) };
  }

  async function readClaims(
    snapshot: ModelSnapshot,
    weights: readonly HubFile[],
    { toldOrigin }: LegalRead,
    isDeep: boolean,
  ): Promise<LineageClaims> {
    if (!isDeep) return NO_LINEAGE_CLAIMS;
    if (snapshot.gated === false) return await readLineageClaims(files, snapshot, weights, toldOrigin);
    // Behind a gate are the files, not the names.
    return { ...NO_LINEAGE_CLAIMS, family: familyOfNames(snapshot, weights) };
  }

  /** Undefined for a model that the Hub does not have or does not show: that stays so, however many were made from it. */
  const find = memoizeAsync((id: string) => unlessClosed(hub.getModel(id, null, signal)));
  const model = memoizeAsync(async (id: string): Promise<ReadModel | undefined> => {
    const snapshot = await find(id);
    return snapshot && (await unlessClosed(readAll(snapshot)));
  });
  const readAll = async (snapshot: ModelSnapshot): Promise<ReadModel> => ({
    snapshot,
    ...(await read(snapshot, snapshot.files, true)),
  });

  return {
    read,
    find,
    ancestorsOf: (child, claims) => findAncestors(child, claims, { find, model }),
  };
}

async function unlessClosed<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isClosed(error)) return undefined;
    throw error;
  }
}

/** Goes up generation by generation: the models of one are asked for together. */
async function findAncestors(
  child: ModelSnapshot,
  claims: LineageClaims,
  hub: {
    readonly find: (id: string) => Promise<ModelSnapshot | undefined>;
    readonly model: (id: string) => Promise<ReadModel | undefined>;
  },
): Promise<ReadAncestor[]> {
  const found: ReadAncestor[] = [];
  const seen = new Set([child.id.toLowerCase(), child.requestedId.toLowerCase()]);
  const fits = byteBudget(MAX_LINEAGE_BYTES);
  for (let generation = basesOf(child, claims, []); generation.length > 0; ) {
    const asked = distinct(generation).filter(({ id }) => !seen.has(id.toLowerCase()));
    const wanted = asked.slice(0, MAX_ANCESTORS - found.length);
    const snapshots = await mapPool(wanted, AT_ONCE, async ({ id }) =>
      isModelId(id) ? await hub.find(id) : undefined,
    );
    // In their order, so that the same are read in each run.
    const over = snapshots.findIndex(snapshot => snapshot !== undefined && !fits(filesRead(snapshot)));
    const taken = over === -1 ? wanted : wanted.slice(0, over);
    const models = await mapPool(taken, AT_ONCE, async ({ id }, index) =>
      snapshots[index] === undefined ? undefined : await hub.model(id),
    );
    const next: Waiting[] = [];
    for (const [index, waiting] of taken.entries()) {
      const { id, chain } = waiting;
      if (seen.has(id.toLowerCase())) continue;
      seen.add(id.toLowerCase());
      const known = models[index];
      if (known === undefined) {
        found.push(missing(waiting, isModelId(id) ? NOT_SHOWN : 'that is not a repository of the Hub'));
        continue;
      }
      const { snapshot, texts, read, claims } = known;
      // Renamed: the name it has now may have been met already.
      if (snapshot.id.toLowerCase() !== id.toLowerCase() && seen.has(snapshot.id.toLowerCase())) continue;
      seen.add(snapshot.id.toLowerCase());
      found.push({ ancestor: { kind: 'known', chain, snapshot, texts, claims }, read });
      next.push(...basesOf(snapshot, claims, chain));
    }
    const [left] = asked.slice(taken.length);
    if (left !== undefined) {
      const why = over === -1 ? `there are more than ${MAX_ANCESTORS} of them` : TOO_LONG;
      return [...found, missing({ ...left, isHint: false }, why)];
    }
    generation = next;
  }
  return found;
}

/** What is read of an ancestor: all of it, since a fat image may have its weights. */
function filesRead(snapshot: ModelSnapshot): readonly HubFile[] {
  if (snapshot.gated !== false) return [];
  const weights = snapshot.files.filter(({ path }) => isWeights(path));
  return [...textsToRead(snapshot, weights), ...claimsToRead(snapshot, weights)];
}

/** Returns what counts the bytes of files, each content once, and tells whether they are no more than `maxBytes`. */
function byteBudget(maxBytes: number): (files: readonly HubFile[]) => boolean {
  const counted = new Set<string>();
  let total = 0;
  return files => {
    for (const file of files) {
      const content = contentIdOf(file);
      if (!counted.has(content)) total += file.sizeBytes;
      counted.add(content);
    }
    return total <= maxBytes;
  };
}

function missing({ id, chain, isHint }: Waiting, why: string): ReadAncestor {
  return { ancestor: { kind: 'missing', chain, id, why, isHint }, read: new Map() };
}

const TOO_LONG = `its texts and those of the model's other ancestors are longer than ${MAX_LINEAGE_BYTES / 1024 ** 2} MiB`;
const NOT_SHOWN = 'the Hub has no such repository, or does not show it to us';

interface ReadModel extends RepositoryRead {
  readonly snapshot: ModelSnapshot;
}

/** Each model once, as it is named first. */
function distinct(generation: readonly Waiting[]): Waiting[] {
  const byId = new Map<string, Waiting>();
  for (const waiting of generation) {
    const id = waiting.id.toLowerCase();
    if (!byId.has(id)) byId.set(id, waiting);
  }
  return [...byId.values()];
}

interface Waiting {
  readonly id: string;
  readonly chain: readonly string[];
  readonly isHint: boolean;
}

/** What the card names comes first: a hint to the same model is more than a hint then. */
function basesOf(
  { baseModels }: ModelSnapshot,
  { bases }: LineageClaims,
  chain: readonly string[],
): Waiting[] {
  const named = [...baseModels.map(id => ({ id, isHint: false })), ...bases];
  return named
    .toSorted((a, b) => Number(a.isHint) - Number(b.isHint))
    .map(({ id, isHint }) => ({ id, chain: [...chain, id], isHint }));
}
