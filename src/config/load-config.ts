import { digestOf } from '../core/digest.ts';
import { ConfigError } from '../core/errors.ts';
import { readSmallFile } from '../core/small-file.ts';
import { isSystemError, reasonOf } from '../core/system-error.ts';
import { crossChecks } from './cross-checks.ts';
import { type ConfigProblem, InvalidConfigError } from './problems.ts';
import { configFile } from './schema.ts';
import { schemaProblems } from './schema-problems.ts';
import { toConfig } from './to-config.ts';
import type { Config } from './types.ts';
import { SourceText } from './yaml/source-text.ts';
import { YamlSource } from './yaml/yaml-source.ts';

export interface ConfigOptions {
  /** Keys that `publish` may use besides those of `registries`: what the command line gave a prefix for. */
  readonly extraRegistries?: readonly string[];
}

/** Reads and checks `file`. Throws ConfigError CONFIG_UNREADABLE, or InvalidConfigError with all that is wrong. */
export async function loadConfig(file: string, options: ConfigOptions = {}): Promise<Config> {
  return parseConfig(await readConfigText(file), file, options);
}

/** The file's text, unchecked. Throws ConfigError CONFIG_UNREADABLE. */
export async function readConfigText(file: string): Promise<string> {
  return decode(await readBytes(file), file);
}

/** Checks the text of a `models.yaml`; `file` is its name in errors. Throws InvalidConfigError. */
export function parseConfig(text: string, file: string, options: ConfigOptions = {}): Config {
  const source = new YamlSource(text, file);
  if (source.value === null) throw new InvalidConfigError([...source.problems, emptyFile(source)]);
  const result = configFile.safeParse(source.value);
  const problems = [
    ...source.problems,
    ...schemaProblems(result.error?.issues ?? [], source),
    ...crossChecks(source, options.extraRegistries ?? []),
  ];
  if (result.data === undefined || problems.length > 0) throw new InvalidConfigError(inOrder(problems));
  return { ...toConfig(result.data, source, file), digest: digestOf(withoutSystemMarks(text)) };
}

/** A thousand models with all options have 1 MiB. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readSmallFile(file, { maxBytes: MAX_FILE_BYTES, isPipeAllowed: true });
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

function emptyFile(source: YamlSource): ConfigProblem {
  return source.problem(source.locate([]), 'the file is empty: "weighbridge init" writes a first one');
}

/** By place, each once: what an anchor holds is found again at every use of it. */
function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const once = new Map(
    problems.map(problem => [`${problem.line}:${problem.column}:${problem.message}`, problem]),
  );
  return [...once.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** A checkout on another system has other line ends, and is the same file. */
function withoutSystemMarks(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
}
