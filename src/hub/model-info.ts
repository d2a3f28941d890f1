import { z } from 'zod';
import { isGitOid, isSha256Hex } from '../core/digest.ts';
import { isModelId, modelIdIn } from '../core/hub-names.ts';
import { isRecord, parseJson } from '../core/json-shape.ts';
import { quoted } from '../core/safe-text.ts';
import { badAnswer } from './hub-failure.ts';
import type { FileSafety, HubFile, LicenseFacts } from './types.ts';

/** The Hub takes no larger file into git itself; https://huggingface.co/docs/hub/repositories-getting-started */
const LFS_ABOVE_BYTES = 10 * 1024 * 1024;

const text = z.string();
const size = z.int().min(0);
const gitOid = text.refine(isGitOid, 'expected 40 hex characters');
const sha256 = text.refine(isSha256Hex, 'expected 64 hex characters');

// `GET /api/models/{id}/revision/{rev}?blobs=true`; https://huggingface.co/docs/hub/api
const Sibling = z.object({
  rfilename: text,
  size: size.nullish(),
  blobId: gitOid.nullish(),
  lfs: z.object({ sha256: sha256.nullish(), size: size.nullish() }).nullish(),
});

const ModelInfo = z.object({
  id: text.refine(isModelId, 'expected the id of a model'),
  sha: gitOid,
  // Not to be guessed if it is missing: it decides on whether weights may be redistributed.
  gated: z.union([z.boolean(), text.min(1)]),
  private: z.boolean().nullish(),
  disabled: z.boolean().nullish(),
  lastModified: z.iso.datetime({ offset: true }).nullish().catch(null),
  tags: z.array(text).nullish(),
  // A card is written by people: what has the wrong type in it counts as not written, not as an error.
  cardData: z.record(text, z.unknown()).nullish(),
  siblings: z.array(Sibling).nullish(),
  // As the Hub has counted them; what it counts otherwise is not known.
  safetensors: z
    .object({ parameters: z.record(text, z.int().min(0)) })
    .nullish()
    .catch(null),
  // Only if `securityStatus` is asked for, and not from every server.
  securityRepoStatus: z.unknown().optional(),
});

const SecurityStatus = z.object({
  scansDone: z.boolean(),
  filesWithIssues: z.array(z.object({ path: text, level: text })),
});

const TreeEntry = z.object({
  type: z.enum(['file', 'directory']),
  path: text,
  size,
  oid: gitOid,
  lfs: z.object({ oid: sha256, size }).nullish(),
});

/** What the Hub's API tells of a model. */
export interface ParsedModelInfo {
  readonly id: string;
  readonly sha: string;
  readonly gated: false | string;
  readonly isPrivate: boolean;
  readonly isDisabled: boolean;
  readonly tags: readonly string[];
  readonly license: LicenseFacts;
  readonly baseModels: readonly string[];
  readonly unreadableBases: readonly string[];
  readonly baseModelRelation: string | undefined;
  readonly safety: FileSafety | undefined;
  readonly tensors: Readonly<Record<string, number>> | undefined;
  readonly languages: readonly string[];
  readonly committed: string | undefined;
  /** Undefined if the answer lacks sizes or ids, as older servers' do: the tree has them. */
  readonly files: readonly HubFile[] | undefined;
}

/** Reads the Hub's answer about a model and returns what it says. Throws HubError HUB_BAD_ANSWER. */
export function parseModelInfo(model: string, body: Buffer): ParsedModelInfo {
  const info = parseAs(model, ModelInfo, body);
  return {
    id: info.id,
    sha: info.sha,
    gated: info.gated === true ? 'true' : info.gated,
    isPrivate: info.private === true,
    isDisabled: info.disabled === true,
    tags: info.tags ?? [],
    license: licenseFacts(info.cardData ?? {}, info.tags ?? []),
    ...basesOf(basesWritten(info.cardData ?? {}), info.tags ?? []),
    baseModelRelation: relationOf(info.cardData?.base_model_relation, info.tags ?? []),
    safety: safetyOf(info.securityRepoStatus),
    tensors: info.safetensors?.parameters,
    committed: info.lastModified ?? undefined,
    languages: languagesIn(info.cardData?.language),
    files: filesOf(model, info.siblings ?? undefined),
  };
}

/** Returns one page of `GET /api/models/{id}/tree/{rev}?recursive=true`. */
export function parseTreePage(model: string, body: Buffer): HubFile[] {
  return parseAs(model, z.array(TreeEntry), body)
    .filter(entry => entry.type !== 'directory')
    .map(({ path, oid, size: sizeBytes, lfs }) =>
      hubFile(model, { path, oid, sizeBytes, lfs, sha256: lfs?.oid }),
    );
}

function filesOf(
  model: string,
  siblings: readonly z.infer<typeof Sibling>[] | undefined,
): HubFile[] | undefined {
  const files: HubFile[] = [];
  for (const { rfilename: path, size: sizeBytes, blobId: oid, lfs } of siblings ?? []) {
    const isLarge = (sizeBytes ?? 0) > LFS_ABOVE_BYTES;
    if (sizeBytes == null || oid == null || (lfs != null || isLarge ? lfs?.sha256 == null : false))
      return undefined;
    files.push(hubFile(model, { path, oid, sizeBytes, lfs, sha256: lfs?.sha256 }));
  }
  return siblings && files;
}

interface WireFile {
  readonly path: string;
  readonly oid: string;
  readonly sizeBytes: number;
  readonly lfs: { readonly size?: number | null | undefined } | null | undefined;
  readonly sha256: string | null | undefined;
}

function hubFile(model: string, { path, oid, sizeBytes, lfs, sha256: hash }: WireFile): HubFile {
  if (lfs?.size != null && lfs.size !== sizeBytes)
    throw badAnswer(model, `${quoted(path)} has ${sizeBytes} bytes and ${lfs.size}`);
  return { path, sizeBytes, gitOid: oid, ...(hash == null ? {} : { sha256: hash }) };
}

function licenseFacts(card: Readonly<Record<string, unknown>>, tags: readonly string[]): LicenseFacts {
  const { texts, unreadable } = textsIn(card.license);
  // What cannot be read is told as it is written: as a license that is not known.
  const written = [...texts, ...unreadable];
  const tagged = tags.filter(tag => tag.startsWith('license:')).map(tag => tag.slice('license:'.length));
  const isFromTags = written.length === 0 && tagged.length > 0;
  const [only = null] = written;
  return {
    license: isFromTags ? tagged : typeof card.license === 'string' || only === null ? only : written,
    ...(isFromTags ? { isFromTags } : {}),
    licenseName: wordsOf(card.license_name),
    licenseLink: wordsOf(card.license_link),
  };
}

/** What is not a text is told as it is written: it may forbid all the same. */
function wordsOf(value: unknown): string | null {
  const { texts, unreadable } = textsIn(value);
  const words = [...texts, ...unreadable];
  return words.length === 0 ? null : words.join(' ').slice(0, MAX_WORDS_CHARACTERS);
}

const MAX_WORDS_CHARACTERS = 2000;

function relationOf(written: unknown, tags: readonly string[]): string | undefined {
  if (typeof written === 'string' && written !== '') return written;
  // `base_model:quantized:org/name`, beside the plain `base_model:org/name`.
  return tags.map(tag => /^base_model:(\w+):/.exec(tag)?.[1]).find(relation => relation !== undefined);
}

/** Extra knowledge: if it has another shape than the one known, there is none. */
function safetyOf(value: unknown): FileSafety | undefined {
  const parsed = SecurityStatus.safeParse(value);
  if (!parsed.success) return undefined;
  return { isScanned: parsed.data.scansDone, issues: parsed.data.filesWithIssues };
}

/** `base_model` is the Hub's key; people spell it in other ways too. */
const BASE_KEYS =
  /^(?:base_?models?|finetuned?_?from(?:_?model)?|parent_?models?|original_?models?|derived_?from)$/i;

function basesWritten(card: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Object.entries(card).flatMap(([key, value]) =>
    BASE_KEYS.test(key.trim().replace(/[\s-]+/g, '_')) ? [value] : [],
  );
}

/** The card and the tags together: people write one or the other, and the Hub's own tools write both. */
function basesOf(
  written: unknown,
  tags: readonly string[],
): Pick<ParsedModelInfo, 'baseModels' | 'unreadableBases'> {
  const tagged = tags.map(tag => /^base_model:(?:\w+:)?(.+)$/.exec(tag)?.[1]).filter(base => base != null);
  const { texts, unreadable } = textsIn([written, tagged]);
  const bases = new Map<string, string>();
  for (const text of texts) {
    const base = modelIdIn(text) ?? text;
    if (!bases.has(base.toLowerCase())) bases.set(base.toLowerCase(), base);
  }
  return { baseModels: [...bases.values()], unreadableBases: unreadable };
}

const MAX_LANGUAGES = 200;

/** Codes alone (`en`, `zh-Hans`, `multilingual`): a card's author may have written anything. */
function languagesIn(written: unknown): string[] {
  const codes = textsIn(written).texts.filter(text => /^[A-Za-z]{2,12}(-[A-Za-z0-9]{2,8})*$/.test(text));
  return [...new Set(codes.map(code => code.toLowerCase()))].slice(0, MAX_LANGUAGES);
}

const MAX_DEPTH = 4;
const MAX_VALUE_CHARACTERS = 120;

/** The texts of a value that people wrote: itself, or the items of a list. Blank ones and null say nothing. */
function textsIn(value: unknown, depth = 0): { texts: string[]; unreadable: string[] } {
  if (value === undefined || value === null) return { texts: [], unreadable: [] };
  if (typeof value === 'string') return { texts: value.trim() === '' ? [] : [value.trim()], unreadable: [] };
  if (Array.isArray(value) && depth < MAX_DEPTH) {
    const parts = value.map(item => textsIn(item, depth + 1));
    return {
      texts: parts.flatMap(({ texts }) => texts),
      unreadable: parts.flatMap(({ unreadable }) => unreadable),
    };
  }
  return { texts: [], unreadable: [JSON.stringify(value).slice(0, MAX_VALUE_CHARACTERS)] };
}

/**
 * What the Hub recommends at most (https://huggingface.co/docs/hub/storage-limits), and four times what an image may have.
 * Each entry that is odd is a problem with memory of its own.
 */
export const MAX_FILES = 100_000;

function parseAs<T>(model: string, schema: z.ZodType<T>, body: Buffer): T {
  let value: unknown;
  try {
    value = parseJson(body.toString('utf8'));
  } catch (cause) {
    throw badAnswer(model, 'it is not JSON', cause);
  }
  const list = isRecord(value) ? value.siblings : value;
  if (Array.isArray(list) && list.length > MAX_FILES)
    throw badAnswer(model, `it lists ${list.length} files, and ${MAX_FILES} are read at most`);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badAnswer(model, `${issue?.path.join('.') || 'the answer'}: ${issue?.message}`);
}
