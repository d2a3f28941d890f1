import { digestOf } from '../core/digest.ts';
import { HubError } from '../core/errors.ts';
import { isModelId } from '../core/hub-names.ts';
import { memoizeAsync } from '../core/pool.ts';
import type { Hub, HubFile, ModelSnapshot } from '../hub/types.ts';
import { contentIdOf } from '../layer/recipe.ts';
import { findLegalFiles, isAboutPart, isUsePolicy } from '../licenses/legal-files.ts';
import type { ReadText } from '../licenses/types.ts';
import type { Ancestor, LegalText, TextIdentity } from '../policy/facts.ts';
import { createTextIdentifier } from '../spdx/identify-license.ts';
import { readHubFile } from './read-file.ts';

/** The legal texts of one repository: what they are, and what their bytes hash to. */
export interface LegalRead {
  readonly texts: readonly LegalText[];
  /** By path in the repository; what could not be read is not there. */
  readonly read: ReadonlyMap<string, ReadText>;
}

export interface LegalReader {
  textsOf(snapshot: ModelSnapshot): Promise<LegalRead>;
  /** Every model that this one was made from, nearest first, each with its texts. */
  ancestorsOf(snapshot: ModelSnapshot): Promise<readonly ReadAncestor[]>;
}

export interface ReadAncestor {
  readonly ancestor: Ancestor;
  readonly read: ReadonlyMap<string, ReadText>;
}

/** What is longer is read by nobody; the text of the longest licence has 50 KB. */
const MAX_TEXT_BYTES = 512 * 1024;
const MAX_TEXTS = 12;
/** More generations and merges than any model has. */
const MAX_ANCESTORS = 40;

/**
 * Reads legal texts and ancestors for a whole plan. A text that many repositories share is read once, as is a model that
 * many were made from, so that most models cost no request beyond their own.
 */
export function createLegalReader(hub: Hub, signal: AbortSignal | undefined): LegalReader {
  const identify = createTextIdentifier();
  const byContent = new Map<string, Promise<ReadFile>>();
  const readFile = (snapshot: ModelSnapshot, file: HubFile): Promise<ReadFile> => {
    const id = contentIdOf(file);
    const known = byContent.get(id);
    if (known !== undefined) return known;
    const reading = readText(snapshot, file);
    byContent.set(id, reading);
    // One repository may be closed where another is open.
    reading.then(
      ({ text }) => text === undefined && byContent.delete(id),
      () => byContent.delete(id),
    );
    return reading;
  };

  async function readText(snapshot: ModelSnapshot, file: HubFile): Promise<ReadFile> {
    if (file.sizeBytes > MAX_TEXT_BYTES)
      return { identity: { kind: 'unread', why: 'it is too long', isHidden: false } };
    let bytes: Buffer;
    try {
      bytes = await readHubFile(hub, snapshot, file, { maxBytes: MAX_TEXT_BYTES, signal });
    } catch (error) {
      if (!isClosed(error)) throw error;
      return { identity: { kind: 'unread', why: 'the Hub does not show it to us', isHidden: true } };
    }
    const text = { sha256: digestOf(bytes) };
    const words = bytes.toString('utf8');
    if (words.includes('\0') || words.startsWith('%PDF'))
      return { text, identity: { kind: 'unread', why: 'it is no plain text', isHidden: false } };
    return { text, identity: await identify(words) };
  }

  const textsOf = async (snapshot: ModelSnapshot): Promise<LegalRead> => {
    const legal = findLegalFiles(snapshot.files);
    const files = [...legal.licenses, ...legal.notices, ...legal.others].slice(0, MAX_TEXTS);
    const read = new Map<string, ReadText>();
    const texts = await Promise.all(
      files.map(async (file): Promise<LegalText> => {
        const about = aboutOf(file, legal);
        // Behind a gate nothing is handed on, whatever the texts say.
        if (snapshot.gated !== false) {
          return {
            path: file.path,
            about,
            identity: { kind: 'unread', why: 'the model is gated', isHidden: true },
          };
        }
        const { text, identity } = await readFile(snapshot, file);
        if (text !== undefined) read.set(file.path, text);
        return { path: file.path, about, identity };
      }),
    );
    return {
      texts: texts.filter(({ path }) => !legal.others.some(file => file.path === path && !isUsePolicy(file))),
      read,
    };
  };

  const model = memoizeAsync(async (id: string): Promise<{ snapshot: ModelSnapshot } & LegalRead> => {
    const snapshot = await hub.getModel(id, null, signal);
    return { snapshot, ...(await textsOf(snapshot)) };
  });

  return {
    textsOf,
    async ancestorsOf(child) {
      const found: ReadAncestor[] = [];
      const seen = new Set([child.id.toLowerCase(), child.requestedId.toLowerCase()]);
      const waiting = child.baseModels.map(id => ({ id: id.trim(), chain: [id.trim()] }));
      for (const { id, chain } of waiting) {
        if (seen.has(id.toLowerCase())) continue;
        seen.add(id.toLowerCase());
        const missing = (why: string): void =>
          void found.push({ ancestor: { kind: 'missing', chain, id, why }, read: new Map() });
        if (found.length >= MAX_ANCESTORS) {
          missing(`there are more than ${MAX_ANCESTORS} of them`);
          break;
        }
        if (!isModelId(id)) {
          missing('that is no repository of the Hub');
          continue;
        }
        try {
          const { snapshot, texts, read } = await model(id);
          // Renamed: the name it has now may have been met already.
          if (snapshot.id.toLowerCase() !== id.toLowerCase() && seen.has(snapshot.id.toLowerCase())) continue;
          seen.add(snapshot.id.toLowerCase());
          found.push({ ancestor: { kind: 'known', chain, snapshot, texts }, read });
          waiting.push(
            ...snapshot.baseModels.map(base => ({ id: base.trim(), chain: [...chain, base.trim()] })),
          );
        } catch (error) {
          if (!isClosed(error)) throw error;
          missing('the Hub has no such repository, or does not show it to us');
        }
      }
      return found;
    },
  };
}

interface ReadFile {
  readonly text?: ReadText;
  readonly identity: TextIdentity;
}

function aboutOf(file: HubFile, legal: ReturnType<typeof findLegalFiles>): LegalText['about'] {
  if (legal.notices.includes(file)) return 'notice';
  if (legal.others.includes(file)) return 'use';
  return isAboutPart(file, legal) ? 'part' : 'model';
}

/** Answers that stay the same however often one asks; a Hub that is down or busy is another matter. */
function isClosed(error: unknown): boolean {
  return (
    error instanceof HubError &&
    ['HUB_NOT_FOUND', 'HUB_REVISION_NOT_FOUND', 'HUB_GATED', 'HUB_UNAUTHORIZED', 'HUB_DISABLED'].includes(
      error.code,
    )
  );
}
