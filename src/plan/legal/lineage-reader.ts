import path from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parse } from 'yaml';
import { isModelId, modelIdIn } from '../../core/hub-names.ts';
import { parseJson } from '../../core/json-shape.ts';
import { table } from '../../core/table.ts';
import type { HubFile, ModelSnapshot } from '../../hub/types.ts';
import type { BaseClaim, LineageClaims } from '../../policy/facts.ts';
import { configParts, type FamilyMark, familyOfConfig, familyOfName } from '../../policy/families.ts';
import type { SmallFiles } from '../small-files.ts';
import type { CardOrigin } from './text-reader.ts';

interface Found {
  readonly bases: readonly BaseClaim[];
  readonly unreadable: LineageClaims['unreadable'];
  readonly family?: FamilyMark | undefined;
}

const NOTHING: Found = { bases: [], unreadable: [] };
const MAX_CONFIG_BYTES = 2 * 1024 * 1024;
/** Of all configs of merges of a repository: the parser of YAML takes two seconds for a megabyte. */
const MAX_MERGE_BYTES = 128 * 1024;
const MAX_CLAIMS = 100;

/**
 * Returns what the files of a repository say of what the model was made from: config.json, what PEFT and mergekit
 * write, and names. `weights` are the files whose names and folders count; `told` is what the card and notices
 * say in words.
 */
export async function readLineageClaims(
  files: SmallFiles,
  snapshot: ModelSnapshot,
  weights: readonly HubFile[],
  told: CardOrigin,
): Promise<LineageClaims> {
  const found = await Promise.all(
    lineageFiles(snapshot.files, weights).map(({ file, read }) => readOne(files, snapshot, file, read)),
  );
  const strong = found.flatMap(({ bases }) => bases).filter(({ isHint }) => !isHint);
  const isNamed = snapshot.baseModels.length > 0 || strong.length > 0;
  // A card speaks of many models: its words count only if no field names a base.
  const named = isNamed ? [] : told.bases.map(id => ({ id, field: 'README.md', isHint: true }));
  const hints = found.flatMap(({ bases }) => bases).filter(({ isHint }) => isHint);
  // Who points to another model's license has the model under it.
  const linked = linkedModel(snapshot);
  const bases = [
    ...strong,
    ...(linked === undefined ? [] : [{ id: linked, field: 'license_link', isHint: true }]),
    ...named,
    ...hints.map(hint => ({ ...hint, isHint: isNamed || isOfSameOwner(hint.id, snapshot) })),
  ];
  return {
    bases: bases.filter(({ id }) => !isItself(id, snapshot)).slice(0, MAX_CLAIMS),
    unreadable: found.flatMap(({ unreadable }) => unreadable).slice(0, MAX_CLAIMS),
    family:
      found.find(({ family }) => family?.isArchitecture)?.family ??
      familyOfNames(snapshot, weights) ??
      told.family ??
      found.find(({ family }) => family)?.family,
  };
}

/** The model whose page or file `license_link` is, by an address of the Hub. */
function linkedModel({ license: { licenseLink } }: ModelSnapshot): string | undefined {
  const link = licenseLink?.trim() ?? '';
  return isModelId(link) ? undefined : modelIdIn(link);
}

type Reader = (bytes: Buffer, file: HubFile, hasCardBase: boolean) => Found;

/** Returns the files of a repository that `readLineageClaims` reads, but for those that are too long to be read. */
export function claimsToRead({ files }: ModelSnapshot, weights: readonly HubFile[]): readonly HubFile[] {
  return lineageFiles(files, weights)
    .map(({ file }) => file)
    .filter(({ sizeBytes }) => sizeBytes <= MAX_CONFIG_BYTES);
}

function lineageFiles(
  files: readonly HubFile[],
  weights: readonly HubFile[],
): { readonly file: HubFile; readonly read: Reader }[] {
  const folders = new Set(['.', ...weights.map(file => path.posix.dirname(file.path))]);
  const found = files.flatMap(file => {
    if (!folders.has(path.posix.dirname(file.path))) return [];
    const name = path.posix.basename(file.path);
    const read = READERS[name] ?? (MERGE_NAME.test(name) ? readMerge : undefined);
    return read === undefined ? [] : [{ file, read }];
  });
  let mergeBytes = 0;
  // Most of them are checkpoints of the same training.
  return found.slice(0, MAX_ORIGIN_FILES).map(({ file, read }) => {
    if (read !== readMerge && read !== readMergekit) return { file, read };
    mergeBytes += file.sizeBytes;
    return mergeBytes <= MAX_MERGE_BYTES
      ? { file, read }
      : { file, read: read === readMerge ? readLongMerge : tooLong };
  });
}

const MAX_ORIGIN_FILES = 24;
/** What people call the config of a merge; other files are called so too. */
const MERGE_NAME = /^(?:[\w.-]*merge[\w.-]*|config|lazy[\w.-]*)\.ya?ml$/i;

const READERS = table<Reader>({
  'config.json': readConfig,
  'adapter_config.json': readAdapterConfig,
  'mergekit_config.yml': readMergekit,
  'mergekit_config.yaml': readMergekit,
  'mergekit_moe_config.yml': readMergekit,
  'mergekit_moe_config.yaml': readMergekit,
});

async function readOne(
  files: SmallFiles,
  snapshot: ModelSnapshot,
  file: HubFile,
  read: Reader,
): Promise<Found> {
  const unread = (value: string): Found => ({ bases: [], unreadable: [{ field: file.path, value }] });
  if (file.sizeBytes > MAX_CONFIG_BYTES)
    return read === readMerge ? NOTHING : unread('a file that is too long to be read');
  const bytes = await files.read(snapshot, file);
  if (bytes === undefined) return unread('a file that the Hub lists and does not give');
  await nextTurn();
  try {
    return read(bytes, file, snapshot.baseModels.length > 0);
  } catch {
    // A config that is not JSON starts no server; what it would have said is told by nothing else.
    return read === readConfig || read === readMerge ? NOTHING : unread('a file that cannot be read');
  }
}

/** `_name_or_path` is where the weights were when they were saved: a model of the Hub, or any folder. */
function readConfig(bytes: Buffer, file: HubFile): Found {
  const config: unknown = parseJson(bytes.toString('utf8'));
  const bases: BaseClaim[] = [];
  let family = familyOfConfig(config);
  for (const [part, values] of configParts(config)) {
    for (const key of Object.keys(values).filter(name => BASE_KEY.test(name))) {
      const value = values[key];
      if (typeof value !== 'string' || value.trim() === '') continue;
      const field = `${file.path}, ${part}${key}`;
      const id = modelIdIn(value);
      if (id?.includes('/')) bases.push({ id, field, isHint: true });
      else family ??= familyOfName(value, field);
    }
  }
  return { bases, unreadable: [], family };
}

/** Keys under which a config names the model that its language part was: of transformers, of LLaVA and Ultravox and the like. */
const BASE_KEY =
  /^(?:(?:base_|language_|text_)?(?:model_)?_?name_or_path|(?:base|text|language|llm|lm)_model(?:_id|_name|_path)?|text_model_id|llm_(?:id|name|path)|pretrained_model(?:_name)?)$/;

function readAdapterConfig(bytes: Buffer, file: HubFile, hasCardBase: boolean): Found {
  const config: unknown = parseJson(bytes.toString('utf8'));
  const value: unknown =
    typeof config === 'object' && config !== null && 'base_model_name_or_path' in config
      ? config.base_model_name_or_path
      : null;
  const field = `${file.path}, base_model_name_or_path`;
  if (value === null || value === '') return NOTHING;
  if (typeof value !== 'string')
    return { bases: [], unreadable: [{ field, value: JSON.stringify(value).slice(0, 120) }] };
  const id = modelIdIn(value);
  if (id !== undefined) return { bases: [{ id, field, isHint: false }], unreadable: [] };
  // A folder of the trainer is explained by the base that the card names.
  return {
    bases: [],
    unreadable: hasCardBase ? [] : [{ field, value: value.slice(0, 300) }],
    family: familyOfName(value, field),
  };
}

const MERGED_KEYS: ReadonlySet<string> = new Set(['model', 'base_model', 'source_model', 'path', 'lora']);
const MAX_DEPTH = 12;

/** A file that is only called like the config of a merge says nothing. */
function readMerge(bytes: Buffer, file: HubFile): Found {
  return isMerge(bytes) ? readMergekit(bytes, file) : NOTHING;
}

function readLongMerge(bytes: Buffer, file: HubFile): Found {
  return isMerge(bytes) ? tooLong(bytes, file) : NOTHING;
}

function isMerge(bytes: Buffer): boolean {
  return /^\s{0,8}(?:merge_method|experts|slices)\s*:/m.test(bytes.toString('utf8'));
}

function tooLong(_: Buffer, { path: field }: HubFile): Found {
  return { bases: [], unreadable: [{ field, value: 'a file that is too long to be read' }] };
}

/** Each key is compared with all others if they have to differ, and the line is copied for each error if errors show it. */
const YAML_OPTIONS = {
  logLevel: 'error',
  maxAliasCount: 100,
  uniqueKeys: false,
  prettyErrors: false,
} as const;

/** https://github.com/arcee-ai/mergekit: `model: org/name`, `model: org/name+org/lora`, `{model: {path: …}}`, in slices. */
function readMergekit(bytes: Buffer, file: HubFile): Found {
  const texts: string[] = [];
  const collect = (value: unknown, key: string, depth: number): void => {
    if (depth > MAX_DEPTH || texts.length >= MAX_CLAIMS) return;
    if (typeof value === 'string') {
      if (MERGED_KEYS.has(key)) texts.push(...value.split('+').map(text => text.trim()));
    } else if (Array.isArray(value)) for (const item of value) collect(item, key, depth + 1);
    else if (typeof value === 'object' && value !== null)
      for (const [inner, item] of Object.entries(value)) collect(item, inner, depth + 1);
  };
  collect(parse(bytes.toString('utf8'), YAML_OPTIONS), '', 0);
  const bases: BaseClaim[] = [];
  const unreadable: { field: string; value: string }[] = [];
  for (const text of new Set(texts.filter(value => value !== ''))) {
    const id = modelIdIn(text.split(':')[0] ?? text) ?? modelIdIn(text);
    if (id === undefined) unreadable.push({ field: file.path, value: text.slice(0, 300) });
    else bases.push({ id, field: file.path, isHint: false });
  }
  return { bases, unreadable };
}

/** Returns the family that the repository's name, its tags, or the names of its weight files tell of. */
export function familyOfNames(snapshot: ModelSnapshot, weights: readonly HubFile[]): FamilyMark | undefined {
  const names: [string, string][] = [
    [nameOf(snapshot.id), 'name'],
    [nameOf(snapshot.requestedId), 'name'],
    ...snapshot.tags
      .slice(0, MAX_NAMES)
      .filter(tag => !tag.includes(':'))
      .map((tag): [string, string] => [tag, 'tag']),
    ...weights.slice(0, MAX_NAMES).map((file): [string, string] => [nameOf(file.path), 'file name']),
  ];
  for (const [name, field] of names) {
    const found = familyOfName(name, field);
    if (found !== undefined) return found;
  }
  return undefined;
}

const MAX_NAMES = 200;

function nameOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}

function ownerOf(id: string): string {
  return id.includes('/') ? id.slice(0, id.indexOf('/')).toLowerCase() : '';
}

/** A maker's own earlier checkpoint is licensed by who licenses the model. */
function isOfSameOwner(id: string, snapshot: ModelSnapshot): boolean {
  return ownerOf(id) === ownerOf(snapshot.id);
}

function isItself(id: string, snapshot: ModelSnapshot): boolean {
  const wanted = id.toLowerCase();
  return wanted === snapshot.id.toLowerCase() || wanted === snapshot.requestedId.toLowerCase();
}
