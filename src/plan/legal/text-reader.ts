import { setImmediate as nextTurn } from 'node:timers/promises';
import { compatibilityForm } from '../../core/compatibility-form.ts';
import { decodeText } from '../../core/decode-text.ts';
import { digestOf } from '../../core/digest.ts';
import { modelIdIn } from '../../core/hub-names.ts';
import { mapPool } from '../../core/pool.ts';
import type { HubFile, ModelSnapshot } from '../../hub/types.ts';
import { contentIdOf } from '../../layer/recipe.ts';
import {
  findLegalFiles,
  findOtherTexts,
  foldersOf,
  isAboutPart,
  isDocument,
  isModelCard,
  legalKind,
} from '../../licenses/legal-files.ts';
import type { ReadText } from '../../licenses/types.ts';
import type { LegalText, TextIdentity, TextSubject } from '../../policy/facts.ts';
import type { FamilyMark } from '../../policy/families.ts';
import { familyInNotice, isLongCard, readModelCard } from '../../policy/model-card.ts';
import { createTextIdentifier } from '../../spdx/identify-license.ts';
import { plainRestrictionIn, readsLikeTerms, weightsRestrictionIn } from '../../spdx/restrictions.ts';
import type { SmallFiles } from '../small-files.ts';

/** The legal texts of one repository: what they are, and what their bytes hash to. */
export interface LegalRead {
  readonly texts: readonly LegalText[];
  /** By path in the repository; what could not be read is not there. */
  readonly read: ReadonlyMap<string, ReadText>;
  /** What its card and its notices say, in words, that it was made from. */
  readonly toldOrigin: CardOrigin;
}

/** What words of a repository say that the model was made from. */
export interface CardOrigin {
  /** Ids. */
  readonly bases: readonly string[];
  readonly family: FamilyMark | undefined;
}

const NO_ORIGIN: CardOrigin = { bases: [], family: undefined };

/** Reads and identifies legal texts. */
export interface TextReader {
  /** `isDeep` also reads the card and texts that are not called like legal ones: what a permissive card is checked by. */
  read(snapshot: ModelSnapshot, weights: readonly HubFile[], isDeep: boolean): Promise<LegalRead>;
}

/** What is longer is not read; the text of the longest license has 50 KB. */
const MAX_TEXT_BYTES = 512 * 1024;
/** Cards have the results of benchmarks in their front matter. */
export const MAX_CARD_BYTES = 4 * 1024 * 1024;
/** Different texts of one repository that are read; a package of others' work has more files, and few texts. */
const MAX_TEXTS = 60;
const MAX_OTHER_TEXTS = 48;
/** Some models have theirs in many languages. */
const MAX_CARDS = 24;
/**
 * Of each kind of text, all that is read of one repository: the licenses of a large program's parts are a fifth of it. A
 * megabyte takes a second, and up to four if it was made for that.
 */
const MAX_TOTAL_BYTES = 4 * 1024 * 1024;
/** Most of a long card is front matter, which takes no time. */
const MAX_TOTAL_CARD_BYTES = 8 * 1024 * 1024;
const AT_ONCE = 8;

const unread = (why: string, isHidden = false): TextIdentity => ({ kind: 'unread', why, isHidden });

/** Returns a reader of legal texts that identifies each once. */
export function createTextReader(files: SmallFiles): TextReader {
  return new CachingTextReader(files);
}

class CachingTextReader implements TextReader {
  readonly #files: SmallFiles;
  readonly #identify = createTextIdentifier();
  readonly #byContent = new Map<string, Promise<ReadFile>>();

  constructor(files: SmallFiles) {
    this.#files = files;
  }

  async read(snapshot: ModelSnapshot, weights: readonly HubFile[], isDeep: boolean): Promise<LegalRead> {
    const read = new Map<string, ReadText>();
    const [legal, deep] = await Promise.all([
      this.#readLegal(snapshot, weights, read),
      isDeep && snapshot.gated === false
        ? this.#readDeep(snapshot, weights)
        : { texts: [], toldOrigin: NO_ORIGIN },
    ]);
    const { bases, family = legal.family } = deep.toldOrigin;
    return { texts: [...legal.texts, ...deep.texts], read, toldOrigin: { bases, family } };
  }

  /** Many repositories have the same text: it is read and compared once. */
  #readFile(snapshot: ModelSnapshot, file: HubFile): Promise<ReadFile> {
    const id = contentIdOf(file);
    const known = this.#byContent.get(id);
    if (known !== undefined) return known;
    const reading = this.#readText(snapshot, file);
    this.#byContent.set(id, reading);
    reading.then(
      ({ text }) => text === undefined && this.#byContent.delete(id),
      () => this.#byContent.delete(id),
    );
    return reading;
  }

  async #readText(snapshot: ModelSnapshot, file: HubFile): Promise<ReadFile> {
    if (isDocument(file)) return { identity: unread('it is not plain text') };
    if (file.sizeBytes > MAX_TEXT_BYTES) return { identity: unread('it is too long') };
    const bytes = await this.#files.read(snapshot, file);
    if (bytes === undefined) return { identity: unread('the Hub lists it and does not give it') };
    const text = { sha256: digestOf(bytes) };
    const words = decodeText(bytes);
    if (words.includes('\0') || words.startsWith('%PDF'))
      return { text, identity: unread('it is not plain text') };
    // Some letters stand for eighteen others.
    if (compatibilityForm(words).length > MAX_TEXT_BYTES) return { text, identity: unread('it is too long') };
    // Reading can take a second, in which no signal is heard.
    await nextTurn();
    const identity = await this.#identify(words);
    if (!['modified', 'restricted', 'unknown'].includes(identity.kind)) return { text, identity };
    // A notice has the licenses of others' work, and between them what is said of the model.
    return {
      text,
      identity,
      ofNotice: restricted(plainRestrictionIn(words)) ?? { kind: 'unknown' },
      ofWeights: restricted(weightsRestrictionIn(words)),
      isTerms: identity.kind === 'restricted' && readsLikeTerms(words),
      family: familyInNotice(words, file.path),
    };
  }

  async #readLegal(
    snapshot: ModelSnapshot,
    weights: readonly HubFile[],
    read: Map<string, ReadText>,
  ): Promise<LegalTexts> {
    const inOrder = legalInOrder(snapshot, weights);
    if (snapshot.gated !== false) {
      // Behind a gate nothing is redistributed, whatever the texts say.
      const hidden = inOrder.slice(0, MAX_TEXTS).map(({ file, about }) => {
        return { path: file.path, about, identity: unread('the model is gated', true) };
      });
      return { texts: hidden, family: undefined };
    }
    const { taken, left } = withinLimit(inOrder, TEXT_LIMITS);
    const found = await mapPool(taken, AT_ONCE, async ({ file, about }) => {
      const readFile = await this.#readFile(snapshot, file);
      if (readFile.text !== undefined) read.set(file.path, readFile.text);
      const mayTellOfFamily = about === 'notice' || about === 'statement';
      return {
        text: legalText(file.path, about, readFile),
        family: mayTellOfFamily ? readFile.family : undefined,
      };
    });
    return {
      texts: [...found.map(({ text }) => text), ...tooMany(left)],
      family: found.find(({ family }) => family !== undefined)?.family,
    };
  }

  async #readDeep(
    snapshot: ModelSnapshot,
    weights: readonly HubFile[],
  ): Promise<Pick<LegalRead, 'texts' | 'toldOrigin'>> {
    const { others, cards } = deepTexts(snapshot, weights);
    const { taken, left } = cards;
    const readCards = await mapPool(taken, AT_ONCE, ({ file }) => this.#readCard(snapshot, file));
    const readOthers = await mapPool(others.taken, AT_ONCE, ({ file }) => this.#readOther(snapshot, file));
    return {
      texts: [
        ...readCards.flatMap(({ text }) => text ?? []),
        ...readOthers.flat(),
        ...tooMany(others.left),
        ...tooMany(left),
        ...(await this.#readLink(snapshot)),
      ],
      toldOrigin: {
        bases: readCards.flatMap(({ origin }) => origin.bases),
        family: readCards.find(({ origin }) => origin.family)?.origin.family,
      },
    };
  }

  /** A card forbids by what it says in words; what it permits is its `license`. */
  async #readCard(
    snapshot: ModelSnapshot,
    file: HubFile,
  ): Promise<{ readonly text?: LegalText; readonly origin: CardOrigin }> {
    const { path } = file;
    const unreadable = (why: string): { readonly text: LegalText; readonly origin: CardOrigin } => {
      return { text: { path, about: 'card', identity: unread(why) }, origin: NO_ORIGIN };
    };
    if (file.sizeBytes > MAX_CARD_BYTES) return unreadable('it is too long');
    const bytes = await this.#files.read(snapshot, file);
    if (bytes === undefined) return unreadable('the Hub lists it and does not give it');
    const words = decodeText(bytes);
    if (isLongCard(words)) return unreadable('it is too long');
    await nextTurn();
    const { restriction, ...origin } = readModelCard(words, snapshot.id);
    if (restriction === undefined) return { origin };
    return { text: { path, about: 'card', identity: { kind: 'restricted', words: restriction } }, origin };
  }

  /** A text of any name counts if it is a license, or says what only terms say. */
  async #readOther(snapshot: ModelSnapshot, file: HubFile): Promise<readonly LegalText[]> {
    const { text, identity, isTerms = false } = await this.#readFile(snapshot, file);
    if (isTerms || ['spdx', 'community', 'several', 'modified', 'declaration'].includes(identity.kind))
      return [{ path: file.path, about: 'text', identity }];
    if (text === undefined)
      return identity.kind === 'unread' && !isDocument(file)
        ? [{ path: file.path, about: 'text', identity }]
        : [];
    const { text: restriction } = await this.#readCard(snapshot, file);
    return restriction === undefined ? [] : [{ ...restriction, about: 'text' }];
  }

  /** `license_link` may name a file that is called like anything. */
  async #readLink(snapshot: ModelSnapshot): Promise<readonly LegalText[]> {
    const file = linkedFile(snapshot);
    if (file === undefined || legalKind(file) !== undefined || isModelCard(file)) return [];
    const { identity } = await this.#readFile(snapshot, file);
    return [{ path: file.path, about: 'link', identity }];
  }
}

interface LegalTexts {
  readonly texts: readonly LegalText[];
  /** The first that a notice tells of. */
  readonly family: FamilyMark | undefined;
}

interface ReadFile {
  readonly text?: ReadText;
  readonly identity: TextIdentity;
  /** What it is if it is a notice. */
  readonly ofNotice?: TextIdentity;
  /** Terms for the weights, which a text about a part, such as the code, may have too. */
  readonly ofWeights?: TextIdentity | undefined;
  /** Whether it is terms, whatever it is called. */
  readonly isTerms?: boolean;
  readonly family?: FamilyMark | undefined;
}

function legalText(path: string, about: TextSubject, { identity, ofNotice, ofWeights }: ReadFile): LegalText {
  if (about === 'notice') return { path, about, identity: ofNotice ?? identity };
  if (about === 'part' && ofWeights !== undefined) return { path, about: 'text', identity: ofWeights };
  return { path, about, identity };
}

function restricted(words: string | undefined): TextIdentity | undefined {
  return words === undefined ? undefined : { kind: 'restricted', words };
}

/** `isLinked`: whether the card names it as the license, which no part's is. */
function subjectOf(file: HubFile, weightFolders: ReadonlySet<string>, isLinked: boolean): TextSubject {
  const kind = legalKind(file);
  if (kind === 'notice') return 'notice';
  if (kind === 'policy') return 'use';
  if (!isLinked && isAboutPart(file, weightFolders)) return 'part';
  return kind === 'statement' ? 'statement' : 'model';
}

/** Returns the texts that are read of an ancestor without a gate, but for those that are too long to be read. */
export function textsToRead(snapshot: ModelSnapshot, weights: readonly HubFile[]): readonly HubFile[] {
  const legal = withinLimit(legalInOrder(snapshot, weights), TEXT_LIMITS);
  const deep = deepTexts(snapshot, weights);
  const texts = [...legal.taken, ...deep.others.taken].filter(
    ({ file }) => file.sizeBytes <= TEXT_LIMITS.fileBytes,
  );
  const cards = deep.cards.taken.filter(({ file }) => file.sizeBytes <= CARD_LIMITS.fileBytes);
  return [...texts, ...cards].map(({ file }) => file);
}

interface Limited<T> {
  readonly taken: readonly T[];
  readonly left: readonly T[];
}

interface LegalFile {
  readonly file: HubFile;
  readonly about: TextSubject;
}

/** What is about a part of the model, such as its code, comes last. */
function legalInOrder(snapshot: ModelSnapshot, weights: readonly HubFile[]): LegalFile[] {
  const { licenses, others, notices } = findLegalFiles(snapshot.files);
  const folders = foldersOf(weights);
  const linked = linkedFile(snapshot);
  const all = [...licenses, ...others, ...notices].map(file => ({
    file,
    about: subjectOf(file, folders, file === linked),
  }));
  return [...all.filter(({ about }) => about !== 'part'), ...all.filter(({ about }) => about === 'part')];
}

/** What is read of a repository beside what is called like a legal text. */
function deepTexts(
  { files }: ModelSnapshot,
  weights: readonly HubFile[],
): { readonly cards: Limited<{ file: HubFile }>; readonly others: Limited<{ file: HubFile }> } {
  const inTurn = (found: readonly HubFile[]): { file: HubFile }[] => found.map(file => ({ file }));
  return {
    cards: withinLimit(inTurn(files.filter(isModelCard)), CARD_LIMITS),
    others: withinLimit(inTurn(findOtherTexts(files, weights)), OTHER_LIMITS),
  };
}

/** How many files of a kind are read, how long each may be, and all of them together. */
interface TextLimits {
  readonly files: number;
  readonly fileBytes: number;
  readonly totalBytes: number;
}

const TEXT_LIMITS: TextLimits = { files: MAX_TEXTS, fileBytes: MAX_TEXT_BYTES, totalBytes: MAX_TOTAL_BYTES };
const OTHER_LIMITS: TextLimits = { ...TEXT_LIMITS, files: MAX_OTHER_TEXTS };
const CARD_LIMITS: TextLimits = {
  files: MAX_CARDS,
  fileBytes: MAX_CARD_BYTES,
  totalBytes: MAX_TOTAL_CARD_BYTES,
};

/**
 * The first files with so many different contents, and no more bytes in all than are read; a file with the same content as
 * one of them costs nothing, as does one that is too long.
 */
function withinLimit<T extends { readonly file: HubFile }>(
  files: readonly T[],
  limits: TextLimits,
): Limited<T> {
  const contents = new Set<string>();
  const taken: T[] = [];
  const left: T[] = [];
  let total = 0;
  for (const one of files) {
    const id = contentIdOf(one.file);
    const bytes = one.file.sizeBytes > limits.fileBytes || contents.has(id) ? 0 : one.file.sizeBytes;
    if (contents.has(id) || (contents.size < limits.files && total + bytes <= limits.totalBytes)) {
      contents.add(id);
      total += bytes;
      taken.push(one);
    } else {
      left.push(one);
    }
  }
  return { taken, left };
}

/** What is not read is not consent. */
function tooMany(left: readonly { readonly file: HubFile }[]): LegalText[] {
  const [first] = left;
  if (first === undefined) return [];
  const why =
    left.length === 1 ? 'there are too many texts' : `there are ${left.length} texts more than are read`;
  return [{ path: first.file.path, about: 'model', identity: unread(why) }];
}

/** The repository's own file that `license_link` leads to, as a path or as an address of the Hub. */
function linkedFile({
  id,
  requestedId,
  files,
  license: { licenseLink },
}: ModelSnapshot): HubFile | undefined {
  if (licenseLink === null) return undefined;
  const [link = ''] = licenseLink.trim().split(/[?#]/);
  const isHere = [id, requestedId].some(one => modelIdIn(link)?.toLowerCase() === one.toLowerCase());
  const below = isHere ? link.replace(/^.*?\/(?:blob|resolve|raw|tree)\/[^/]+\//, '') : link;
  const path = below.replace(/^(?:\.?\/)+/, '').replace(/^(?:blob|resolve|raw)\/[^/]+\//, '');
  let decoded = path;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    // An address with a stray percent sign is compared as it is.
  }
  return files.find(file => file.path === path || file.path === decoded);
}
