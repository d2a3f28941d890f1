import { WeighbridgeError } from '../core/errors.ts';
import { modelIdIn } from '../core/hub-names.ts';
import { isRepository, isTag, normalizeRegistry, parsePlatform, parseReference } from '../oci/reference.ts';
import { nearestId, readExpression, spelledOutId, unknownId } from '../spdx/expression.ts';

/** What is wrong with a value, to be read after its key: `"short" must be …`. */
export interface Fault {
  readonly message: string;
  /** What to write instead. */
  readonly suggestion?: string;
}

/** Returns what is wrong with the text of a field; undefined if nothing is. */
export type Check = (text: string) => Fault | undefined;

/** Of an organization and of a model, on the Hub. */
const MAX_NAME_CHARACTERS = 96;
const ID_PART = `[A-Za-z0-9_](?:[\\w.-]{0,${MAX_NAME_CHARACTERS - 2}}[A-Za-z0-9_])?`;
/** The Hub's rules for repository names. */
export const HUB_ID = new RegExp(`^(?!.*(?:--|\\.\\.))(?!.*\\.git$)(?:${ID_PART}/)?${ID_PART}$`);
/** A `short`: words in lower case with single hyphens between them. Its length is checked apart. */
export const SHORT_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** As long as a model's name on the Hub may be. */
export const MAX_SHORT_NAME_CHARACTERS = MAX_NAME_CHARACTERS;
/** Leaves room for `/hf-<short>` in the 255 characters of a repository's name. */
const MAX_PREFIX_PATH_CHARACTERS = 128;
/** A path from `/` without `.`, `..` and spaces; `/` alone is not one. */
export const ABSOLUTE_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.@+-]+)+\/?$/;
/** `os/architecture[/variant]` */
export const PLATFORM = /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)?$/;
/** One SPDX id. */
export const SPDX_ID = /^[A-Za-z0-9][A-Za-z0-9.+:-]*$/;
/** The characters of an SPDX expression. */
export const SPDX_EXPRESSION = /^[A-Za-z0-9(][A-Za-z0-9.+:() -]*$/;
/** What git allows in the name of a commit, branch or tag. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is kept out
export const REVISION = /^(?!.*(?:\.\.|@\{))[^\s\x00-\x1f\x7f~^:?*[\\/-][^\s\x00-\x1f\x7f~^:?*[\\]*$/;
/** The name of an entry under `registries`. */
export const REGISTRY_KEY = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
/** One line of text that is not blank. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is kept out
export const ONE_LINE = /^(?=.*\S)[^\x00-\x1f\x7f]+$/;

/** `500MB` or `5 GiB`. */
export const BYTE_SIZE = /^\d+(?:\.\d+)? ?(?:[kKMGT]i?)?B$/;

/** Below this a model would be thousands of layers. */
export const MIN_LAYER_LIMIT_BYTES = 1_000_000;

/** Returns what is wrong with a `max_layer_size`: a size of at least 1 MB. Undefined if nothing is. */
export const checkLayerLimit: Check = text => {
  const bytes = parseByteSize(text);
  if (bytes === undefined) return { message: 'must be a size, such as 5GB or 500MiB' };
  return bytes < MIN_LAYER_LIMIT_BYTES ? { message: 'must be at least 1MB' } : undefined;
};

/**
 * Returns a size in bytes, rounded down; undefined for a text that is not a size. As people write them: 1 GB is 10^9
 * bytes, 1 GiB 2^30.
 */
export function parseByteSize(text: string): number | undefined {
  if (!BYTE_SIZE.test(text)) return undefined;
  const unit = /[kKMGT]/.exec(text)?.[0].toUpperCase() ?? '';
  const base = text.endsWith('iB') ? 1024 : 1000;
  return Math.floor(Number.parseFloat(text) * base ** ['', 'K', 'M', 'G', 'T'].indexOf(unit));
}

/** Returns what is wrong with the id of a Hub repository, `org/name`; undefined if nothing is. */
export const checkHubId: Check = text => {
  if (HUB_ID.test(text)) return undefined;
  const bare = modelIdIn(text.trim().replace(/\.git$/, '')) ?? '';
  const parts = text.split('/');
  const long = parts.length > 2 ? undefined : parts.find(part => part.length > MAX_NAME_CHARACTERS);
  if (long !== undefined) {
    return { message: `must have names of at most ${MAX_NAME_CHARACTERS} characters, not ${long.length}` };
  }
  return {
    message: 'must be the name of a Hub repository, org/name: letters, digits, single "-" and ".", and "_"',
    ...(HUB_ID.test(bare) ? { suggestion: bare } : {}),
  };
};

/** Returns what is wrong with a `short`; undefined if nothing is. */
export const checkShort: Check = text => {
  if (text.length > MAX_SHORT_NAME_CHARACTERS) {
    return { message: `must have at most ${MAX_SHORT_NAME_CHARACTERS} characters, not ${text.length}` };
  }
  if (SHORT_NAME.test(text)) return undefined;
  const suggestion = toShortName(text);
  return {
    message: 'must be kebab-case: lower-case letters and digits, with single "-" between them',
    ...(suggestion === '' ? {} : { suggestion }),
  };
};

/**
 * Returns a `short` for a Hub id or anything like a name: `deepseek-r1-distill-qwen-15b` for
 * `DeepSeek-R1-Distill-Qwen-1.5B`.
 */
export function toShortName(text: string): string {
  const words = text.slice(text.lastIndexOf('/') + 1).toLowerCase();
  return words
    .replaceAll(/(?<=\d)\.(?=\d)/g, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SHORT_NAME_CHARACTERS)
    .replaceAll(/^-+|-+$/g, '');
}

/** A folder's name, and what clients ask for as `model`. */
export const ADAPTER_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** Returns what is wrong with the name of an adapter; undefined if nothing is. */
export const checkAdapterName: Check = text => {
  if (text.length > MAX_SHORT_NAME_CHARACTERS) {
    return { message: `must have at most ${MAX_SHORT_NAME_CHARACTERS} characters, not ${text.length}` };
  }
  return ADAPTER_NAME.test(text)
    ? undefined
    : { message: 'must be letters and digits, with ".", "_" and "-" between them' };
};

/** Returns what is wrong with a `revision`; undefined if nothing is. */
export const checkRevision: Check = text =>
  REVISION.test(text)
    ? undefined
    : { message: 'must be a commit, branch or tag (or null for the default branch), without spaces' };

/** Returns what is wrong with an SPDX expression; undefined if nothing is. */
export const checkSpdxExpression: Check = text => {
  if (!SPDX_EXPRESSION.test(text)) return { message: 'must be an SPDX id or expression, such as apache-2.0' };
  if (readExpression(text) !== undefined) return undefined;
  const unknown = unknownId(text);
  if (unknown === undefined) {
    return {
      message: 'must be an SPDX expression: ids with AND or OR between them, parentheses in pairs',
    };
  }
  const repaired = [spelledOutId(text), text.replace(unknown, nearestId(unknown) ?? unknown)];
  const suggestion = repaired.find(candidate => candidate !== undefined && readExpression(candidate));
  return {
    message: `must be an SPDX id or expression, such as apache-2.0: ${JSON.stringify(unknown)} is not an SPDX id`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
};

/** Returns what is wrong with an SPDX id; undefined if nothing is. An expression is not an id. */
export const checkSpdxId: Check = text => {
  if (SPDX_ID.test(text) && readExpression(text) !== undefined) return undefined;
  const suggestion = nearestId(text);
  return {
    message: 'must be one SPDX id, such as apache-2.0, in full',
    ...(suggestion === undefined ? {} : { suggestion }),
  };
};

/** Returns what is wrong with a path that has to be absolute; undefined if nothing is. */
export const checkAbsolutePath: Check = text => {
  if (ABSOLUTE_PATH.test(text)) return undefined;
  const absolute = `/${text.split('/').filter(Boolean).join('/')}`;
  return {
    message: 'must be an absolute path below /, without ".." and spaces',
    ...(ABSOLUTE_PATH.test(absolute) ? { suggestion: absolute } : {}),
  };
};

/** Returns what is wrong with the reference of a base image; undefined if nothing is. */
export const checkBaseImage: Check = text => {
  const reason = referenceFault(text);
  if (reason === undefined) return undefined;
  const repaired = [text.trim().replace(/^\w+:\/\//, ''), text.trim().toLowerCase()];
  const suggestion = repaired.find(candidate => referenceFault(candidate) === undefined);
  return { message: reason, ...(suggestion === undefined ? {} : { suggestion }) };
};

function referenceFault(text: string): string | undefined {
  try {
    parseReference(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof WeighbridgeError)) throw error;
    return `must name an image: ${error.message}`;
  }
}

/** Returns what is wrong with a platform, `os/architecture`; undefined if nothing is. */
export const checkPlatform: Check = text => {
  if (PLATFORM.test(text)) return undefined;
  const parts = text.split(/[,\s]+/).map(part => {
    if (part.includes('/')) return part;
    return part.toLowerCase() === 'linux' ? 'linux/amd64' : `linux/${part}`;
  });
  const names = parts.filter(part => PLATFORM.test(part)).map(part => parsePlatformName(part));
  const list = names.length > 1 ? `["${names.join('", "')}"]` : names[0];
  return {
    message: 'must be a platform, os/architecture',
    ...(names.length < parts.length || list === undefined ? {} : { suggestion: list }),
  };
};

function parsePlatformName(text: string): string {
  const { os, architecture } = parsePlatform(text);
  return `${os}/${architecture}`;
}

const PLACEHOLDERS = ['version', 'variant', 'revision', 'revision8'];

/** Returns what is wrong with the template of a tag, which has to contain `{variant}`; undefined if nothing is. */
export const checkTagTemplate: Check = text => {
  const fault = checkVariantTag(text);
  if (fault !== undefined || text.includes('{variant}')) return fault;
  return {
    message: 'must contain {variant}, or the images of a model would overwrite each other',
    ...(isTag(expandTag(`${text}-{variant}`, 'v0')) ? { suggestion: `${text}-{variant}` } : {}),
  };
};

/** Returns what is wrong with the template of a tag of one variant alone; undefined if nothing is. */
export const checkVariantTag: Check = text => {
  const unknown = [...text.matchAll(/\{([^{}]*)\}/g)].find(([, name]) => !PLACEHOLDERS.includes(name ?? ''));
  if (unknown)
    return { message: `may use {version}, {variant}, {revision} and {revision8} only, not ${unknown[0]}` };
  if (isTag(expandTag(text, 'v0'))) return undefined;
  return {
    message: 'must give a tag: letters, digits, "_", "." and "-", at most 128, not starting with "." or "-"',
  };
};

/** Returns the longest tag that a template makes when `{version}` is `version`. */
export function expandTag(template: string, version: string): string {
  return template
    .replaceAll('{version}', version)
    .replaceAll('{variant}', 'slim')
    .replaceAll('{revision}', '0'.repeat(40))
    .replaceAll('{revision8}', '0'.repeat(8));
}

/** Returns what is wrong with the prefix of a registry, `host/path`; undefined if nothing is. */
export const checkRegistryPrefix: Check = text => {
  if (isRegistryPrefix(text)) return undefined;
  const plain = text
    .trim()
    .replace(/^\w+:\/\//, '')
    .toLowerCase();
  // A bare name is an account of Docker Hub, as in `docker pull name/image`.
  const candidate = /[.:]/.test(plain) ? plain : `docker.io/${plain}`;
  return {
    message: 'must be a registry and a path in it, host[:port]/path, in lower case, without https:// and tag',
    ...(isRegistryPrefix(candidate) ? { suggestion: candidate } : {}),
  };
};

function isRegistryPrefix(text: string): boolean {
  const [host = '', ...rest] = text.replace(/\/+$/, '').split('/');
  const registry = /[.:]/.test(host) || host === 'localhost' ? normalizeRegistry(host) : undefined;
  if (registry === undefined || host !== host.toLowerCase()) return false;
  // Every repository of Docker Hub has an owner.
  if (rest.length === 0) return registry !== 'docker.io';
  return isRepository(rest.join('/')) && rest.join('/').length <= MAX_PREFIX_PATH_CHARACTERS;
}

/** Returns what is wrong with a web address, which must have no login in it; undefined if nothing is. */
export const checkWebAddress: Check = text => {
  const url = URL.parse(text);
  const isWeb = url !== null && /^https?:$/.test(url.protocol) && !/\s/.test(text);
  if (isWeb && url.username === '' && url.password === '') return undefined;
  return { message: 'must be a web address that starts with https://, without a login in it' };
};

/** Returns what is wrong with a pattern for files of a repository; undefined if nothing is. */
export const checkGlob: Check = text => {
  if (!ONE_LINE.test(text)) return { message: 'must be a pattern for file names, such as *.safetensors' };
  if (!text.startsWith('/') && !text.split('/').includes('..')) return undefined;
  return { message: 'must be relative to the top of the repository, without a leading "/" and ".."' };
};

/** Returns what is wrong with a pattern of `include`, which stays below the file's folder; undefined if nothing is. */
export const checkIncludePattern: Check = text => {
  const isBelow = !/^(?:[/~]|[A-Za-z]:)|\\/.test(text) && !text.split('/').includes('..');
  if (!ONE_LINE.test(text) || !isBelow)
    return { message: 'must be a file or pattern below the folder of this file, such as models.d/*.yaml' };
  if (isQuick(text)) return undefined;
  return {
    message: `may have up to ${MAX_WILDCARDS} "*" and ${MAX_ALTERNATIVES} alternatives in braces, and no range such as {1..9}`,
  };
};

const MAX_WILDCARDS = 4;
const MAX_ALTERNATIVES = 1_000;

/** Node.js makes a pattern of each alternative, and tries wildcards in all ways there are, during which it hears no signal. */
function isQuick(pattern: string): boolean {
  const wildcards = pattern.match(/\*+/g)?.length ?? 0;
  const hasOthers = /[?*+@!]\(|\{-?\w+\.\./.test(pattern);
  return wildcards <= MAX_WILDCARDS && alternatives(pattern) <= MAX_ALTERNATIVES && !hasOthers;
}

/** How many there are at most: those of all braces are multiplied, also where one is in another. */
function alternatives(pattern: string): number {
  const open: number[] = [];
  let product = 1;
  for (const character of pattern) {
    const innermost = open.length - 1;
    if (character === '{') open.push(1);
    else if (character === ',' && innermost >= 0) open[innermost] = (open[innermost] ?? 0) + 1;
    else if (character === '}') product *= open.pop() ?? 1;
  }
  return product;
}

/** Returns what is wrong with an item of `serve_args`: a flag and its value are two items. Undefined if nothing is. */
export const checkArgument: Check = text => {
  if (text.includes('\0')) return { message: 'must not contain a NUL character' };
  // `-tp 2` as well: for vLLM that is one argument of its own, which it does not know.
  const [, flag, value] = /^(--?[A-Za-z][\w-]*) +(\S.*)$/.exec(text) ?? [];
  if (flag === undefined || value === undefined) return undefined;
  const words = /["'{]/.test(value) ? [value] : value.split(/ +/);
  const items = words.some(word => word.startsWith('-')) ? words : [value];
  return {
    message: 'must be one argument: a flag and its value are two items of the list',
    suggestion: [`"${flag}"`, ...items.map(item => JSON.stringify(item))].join(', '),
  };
};

/** Returns what is wrong with a text that has to be one line; undefined if nothing is. */
export const checkOneLine: Check = text =>
  ONE_LINE.test(text) ? undefined : { message: 'must be one line of text that is not blank' };

const ENV_REFERENCE = /^env:\/\/[A-Za-z_][A-Za-z0-9_]*$/;

/** Returns what is wrong with the place of a key, a file or `env://NAME`; undefined if nothing is. */
export const checkKeyReference: Check = text => {
  if (!ONE_LINE.test(text)) return { message: 'must be a file, or env://NAME' };
  if (text.includes('-----BEGIN'))
    return { message: 'must name a file or env://NAME, and not be the key itself' };
  if (!text.includes('://') || ENV_REFERENCE.test(text)) return undefined;
  return { message: 'must be a file, or env://NAME; keys of a KMS are not supported' };
};

/** Returns what is wrong with an address, which needs HTTPS unless it is on this machine; undefined if nothing is. */
export const checkHttpsUrl: Check = text => {
  const url = URL.parse(text);
  const isLocal = url !== null && /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))) return undefined;
  return { message: 'must be an address that starts with https://' };
};

/** Returns what is wrong with the id of a vulnerability; undefined if nothing is. */
export const checkCveId: Check = text =>
  /^[A-Za-z][A-Za-z0-9.:_-]{2,99}$/.test(text)
    ? undefined
    : { message: 'must be the id of a vulnerability, such as CVE-2026-12345' };

/** Returns what is wrong with a day or a time in UTC, such as a date that no calendar has; undefined if nothing is. */
export const checkTimestamp: Check = text => {
  const isForm = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z)?$/.test(text);
  const date = isForm ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 10))) return undefined;
  return { message: 'must be a day such as 2026-11-20' };
};

/** Returns what is wrong with a package URL; undefined if nothing is. */
export const checkPackageUrl: Check = text =>
  /^pkg:[a-z][a-z0-9.+-]*\/[^\s]+$/.test(text)
    ? undefined
    : { message: 'must be a package URL, such as pkg:pypi/torch' };
