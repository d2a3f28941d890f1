import { isModelId } from '../core/hub-names.ts';
import { isWeights } from '../core/model-files.ts';
import { memoizeAsync } from '../core/pool.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import type { ReadText } from '../licenses/types.ts';
import { type Ancestor, NO_ORIGIN, type Origin } from '../policy/facts.ts';
import { readOrigin } from './origin-reader.ts';
import { isClosed, type SmallFiles } from './small-files.ts';
import { createTextReader, type LegalRead } from './text-reader.ts';

/** What the files of one repository say of its license and of what it was made from. */
export interface RepositoryRead extends LegalRead {
  readonly origin: Origin;
}

export interface LegalReader {
  /**
   * `isDeep`: whether a fat image may come of it, so that its card, its config and texts of any name are read as well.
   * `files` are those that the image gets.
   */
  read(snapshot: ModelSnapshot, files: readonly HubFile[], isDeep: boolean): Promise<RepositoryRead>;
  /** Every model that this one was made from, nearest first, each with its texts. */
  ancestorsOf(snapshot: ModelSnapshot, origin: Origin): Promise<readonly ReadAncestor[]>;
}

export interface ReadAncestor {
  readonly ancestor: Ancestor;
  readonly read: ReadonlyMap<string, ReadText>;
}

/** More generations and merges than any model has. */
const MAX_ANCESTORS = 40;

/**
 * Reads legal texts and ancestors for a whole plan. A text that many repositories share is read once, as is a model that
 * many were made from, so that most models cost few requests beyond their own.
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
    const isOpen = isDeep && snapshot.gated === false;
    const origin = isOpen ? await readOrigin(files, snapshot, weights, legal.cardBases) : NO_ORIGIN;
    return { ...legal, origin };
  }

  const model = memoizeAsync(async (id: string): Promise<{ snapshot: ModelSnapshot } & RepositoryRead> => {
    const snapshot = await hub.getModel(id, null, signal, { mayLeaveOut: () => true });
    return { snapshot, ...(await read(snapshot, snapshot.files, true)) };
  });

  return {
    read,
    async ancestorsOf(child, origin) {
      const found: ReadAncestor[] = [];
      const seen = new Set([child.id.toLowerCase(), child.requestedId.toLowerCase()]);
      const waiting = basesOf(child, origin, []);
      for (const { id, chain, isHint } of waiting) {
        if (seen.has(id.toLowerCase())) continue;
        seen.add(id.toLowerCase());
        const missing = (why: string): void =>
          void found.push({ ancestor: { kind: 'missing', chain, id, why, isHint }, read: new Map() });
        if (found.length >= MAX_ANCESTORS) {
          found.push({
            ancestor: { kind: 'missing', chain, id, why: `there are more than ${MAX_ANCESTORS} of them` },
            read: new Map(),
          });
          break;
        }
        if (!isModelId(id)) {
          missing('that is not a repository of the Hub');
          continue;
        }
        try {
          const { snapshot, texts, read, origin } = await model(id);
          // Renamed: the name it has now may have been met already.
          if (snapshot.id.toLowerCase() !== id.toLowerCase() && seen.has(snapshot.id.toLowerCase())) continue;
          seen.add(snapshot.id.toLowerCase());
          found.push({ ancestor: { kind: 'known', chain, snapshot, texts, origin }, read });
          waiting.push(...basesOf(snapshot, origin, chain));
        } catch (error) {
          if (!isClosed(error)) throw error;
          missing('the Hub has no such repository, or does not show it to us');
        }
      }
      return found;
    },
  };
}

interface Waiting {
  readonly id: string;
  readonly chain: readonly string[];
  readonly isHint: boolean;
}

/** What the card names comes first: a hint to the same model is more than a hint then. */
function basesOf({ baseModels }: ModelSnapshot, { bases }: Origin, chain: readonly string[]): Waiting[] {
  const named = [...baseModels.map(id => ({ id, isHint: false })), ...bases];
  return named
    .toSorted((a, b) => Number(a.isHint) - Number(b.isHint))
    .map(({ id, isHint }) => ({ id, chain: [...chain, id], isHint }));
}
