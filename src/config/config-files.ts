import { glob, realpath } from 'node:fs/promises';
import path from 'node:path';
import { compareBytes } from '../core/bytes-order.ts';
import { ConfigError } from '../core/errors.ts';
import { readSmallFile } from '../core/small-file.ts';
import { isSystemError, reasonOf } from '../core/system-error.ts';
import { checkIncludePattern } from './field-checks.ts';
import { type ConfigProblem, InvalidConfigError } from './problems.ts';
import { valueAt } from './schema-problems.ts';
import { SourceText } from './yaml/source-text.ts';
import { YamlSource } from './yaml/yaml-source.ts';

/** The text of a file, under the name that errors use. */
export interface NamedText {
  readonly file: string;
  readonly text: string;
}

/** The texts that a configuration is made of. */
export interface ConfigFiles {
  readonly main: NamedText;
  /** In the order of `include`, by name within one pattern; each once. */
  readonly included: readonly NamedText[];
  /** Patterns of `include` that could not be followed. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads a file and those that it includes, unchecked, and returns their content. Throws ConfigError CONFIG_UNREADABLE
 * for the file itself, or CONFIG_INVALID if it is not UTF-8.
 */
export async function readConfigFiles(file: string): Promise<ConfigFiles> {
  const main = { file, text: await readConfigText(file, { isPipeAllowed: true }) };
  return { main, ...(await readIncluded(main)) };
}

async function readConfigText(file: string, { isPipeAllowed }: { isPipeAllowed: boolean }): Promise<string> {
  return decode(await readBytes(file, isPipeAllowed), file);
}

/** A thousand models with all options have 1 MiB. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

async function readBytes(file: string, isPipeAllowed: boolean): Promise<Buffer> {
  try {
    return await readSmallFile(file, { maxBytes: MAX_FILE_BYTES, isPipeAllowed });
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${reasonOf(cause)}`, {
      code: 'CONFIG_UNREADABLE',
      subject: file,
      remedy:
        isSystemError(cause) && cause.code === 'ENOENT'
          ? 'Write a first one with `weighbridge init`, or name another with --config.'
          : 'Name another with --config.',
      cause,
    });
  }
}

function decode(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const source = new SourceText(bytes.toString('utf8'), file);
    const start = Math.max(0, source.text.indexOf('\uFFFD'));
    throw new InvalidConfigError([
      source.problem({ start, end: start + 1 }, 'the file is not UTF-8 text from here on: save it as UTF-8'),
    ]);
  }
}

async function readIncluded(main: NamedText): Promise<Pick<ConfigFiles, 'included' | 'problems'>> {
  const source = sourceWithIncludes(main);
  const patterns = source === undefined ? [] : valueAt(source.value, ['include']);
  if (source === undefined || !Array.isArray(patterns)) return { included: [], problems: [] };
  const found = new Map<string, NamedText>();
  const problems: ConfigProblem[] = [];
  for (const [index, pattern] of patterns.entries()) {
    // What the schema rejects is not looked up.
    if (typeof pattern !== 'string' || checkIncludePattern(pattern) !== undefined) continue;
    try {
      for (const name of await filesOf(pattern, main.file)) {
        const file = path.join(path.dirname(main.file), name);
        if (!found.has(file)) found.set(file, { file, text: await readIncludedText(file) });
      }
    } catch (error) {
      if (error instanceof InvalidConfigError) problems.push(...error.problems);
      else if (error instanceof IncludeFault)
        problems.push(source.problem(source.locate(['include', index]), error.message));
      else throw error;
    }
  }
  return { included: [...found.values()], problems };
}

/** Undefined if the file includes nothing; its syntax errors are reported when it is parsed. */
function sourceWithIncludes({ text, file }: NamedText): YamlSource | undefined {
  if (!text.includes('include')) return undefined;
  try {
    return new YamlSource(text, file);
  } catch (error) {
    if (error instanceof InvalidConfigError) return undefined;
    throw error;
  }
}

/** Why a pattern of `include` cannot be followed, to be shown at its place. */
class IncludeFault extends Error {}

/** Returns the files that match, relative to the folder of `main` and in the order of their bytes. */
async function filesOf(pattern: string, main: string): Promise<string[]> {
  const folder = path.dirname(main);
  const matches = await Array.fromAsync(glob(pattern, { cwd: folder }));
  const names = [...new Set(matches)].sort(compareBytes);
  const root = await realpath(folder);
  const others: string[] = [];
  for (const name of names) {
    const place = await placeOf(path.join(folder, name));
    // A link, or a brace in the pattern, may lead anywhere.
    if (!place.startsWith(root.endsWith(path.sep) ? root : `${root}${path.sep}`))
      throw new IncludeFault(`${JSON.stringify(name)} leads out of the folder of ${main}`);
    if (path.resolve(folder, name) !== path.resolve(main)) others.push(name);
  }
  if (others.length === 0)
    throw new IncludeFault(
      names.length > 0
        ? `${JSON.stringify(pattern)} is this file itself: name others`
        : `no file matches ${JSON.stringify(pattern)}`,
    );
  return others;
}

async function placeOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    throw new IncludeFault(`${file} cannot be read: ${reasonOf(error)}`);
  }
}

async function readIncludedText(file: string): Promise<string> {
  try {
    return await readConfigText(file, { isPipeAllowed: false });
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'CONFIG_UNREADABLE')
      throw new IncludeFault(error.message);
    throw error;
  }
}
