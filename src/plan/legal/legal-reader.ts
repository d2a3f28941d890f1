import { isModelId } from '../../core/hub-names.ts';
import { isWeights } from '../../core/model-files.ts';
import { mapPool, memoizeAsync } from '../../core/pool.ts';
import type { Hub, HubFile, ModelSnapshot } from '../../hub/types.ts';
import type { ReadText } from '../../licenses/types.ts';
import { type Ancestor, type LineageClaims, NO_LINEAGE_CLAIMS } from '../../policy/facts.ts';
import { isClosed, type SmallFiles } from '../small-files.ts';
import { familyOfNames, readLineageClaims } from './lineage-reader.ts';
import { createTextReader, type LegalRead } from './text-reader.ts';

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
  const model = memoizeAsync(async (id: string): Promise<ReadModel | undefined> => {
    try {
      const snapshot = await hub.getModel(id, null, signal);
      return { snapshot, ...(await read(snapshot, snapshot.files, true)) };
    } catch (error) {
      if (isClosed(error)) return undefined;
      throw error;
    }
  });

  return {
    read,
    find: async id => (await model(id))?.snapshot,
    ancestorsOf: (child, claims) => findAncestors(child, claims, model),
  };
}

/** Goes up generation by generation: the models of one are asked for together. */
async function findAncestors(
  child: ModelSnapshot,
  claims: LineageClaims,
  readModel: (id: string) => Promise<ReadModel | undefined>,
): Promise<ReadAncestor[]> {
  const found: ReadAncestor[] = [];
  const seen = new Set([child.id.toLowerCase(), child.requestedId.toLowerCase()]);
  for (let generation = basesOf(child, claims, []); generation.length > 0; ) {
    const asked = distinct(generation).filter(({ id }) => !seen.has(id.toLowerCase()));
    const taken = asked.slice(0, MAX_ANCESTORS - found.length);
    const models = await mapPool(taken, AT_ONCE, async ({ id }) =>
      isModelId(id) ? await readModel(id) : undefined,
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
      const why = `there are more than ${MAX_ANCESTORS} of them`;
      return [...found, missing({ ...left, isHint: false }, why)];
    }
    generation = next;
  }
  return found;
}

function missing({ id, chain, isHint }: Waiting, why: string): ReadAncestor {
  return { ancestor: { kind: 'missing', chain, id, why, isHint }, read: new Map() };
}

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
