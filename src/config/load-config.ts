import path from 'node:path';
import { type Digest, digestOf } from '../core/digest.ts';
import { isRecord } from '../core/json-shape.ts';
import { type ConfigFiles, type NamedText, readConfigFiles } from './config-files.ts';
import { crossChecks } from './cross-checks.ts';
import { checkIncludePattern } from './field-checks.ts';
import { type ConfigProblem, InvalidConfigError } from './problems.ts';
import { configFile, EXTENSION_KEY, includedFile } from './schema.ts';
import { includedProblems, missingKey, schemaProblems } from './schema-problems.ts';
import { type ModelsPart, toConfig } from './to-config.ts';
import type { Config } from './types.ts';
import { YamlSource } from './yaml/yaml-source.ts';

/** What the command line adds to a file. */
export interface ConfigOptions {
  /** Keys that `publish` may use besides those of `registries`: what the command line gave a prefix for. */
  readonly extraRegistries?: readonly string[];
}

/**
 * Reads and checks `file` and those that it includes. Returns the configuration with defaults applied. Throws
 * ConfigError CONFIG_UNREADABLE, or InvalidConfigError with all that is wrong.
 */
export async function loadConfig(file: string, options: ConfigOptions = {}): Promise<Config> {
  return parseConfigFiles(await readConfigFiles(file), options);
}

/**
 * Checks the text of a `models.yaml` that includes no others and returns its configuration; `file` is its name in
 * errors. Throws InvalidConfigError.
 */
export function parseConfig(text: string, file: string, options: ConfigOptions = {}): Config {
  return parseConfigFiles({ main: { file, text }, included: [], problems: [] }, options);
}

/**
 * Checks what `readConfigFiles` returned and returns its configuration. Throws InvalidConfigError with all that is
 * wrong.
 */
export function parseConfigFiles(files: ConfigFiles, options: ConfigOptions = {}): Config {
  const main = new YamlSource(files.main.text, files.main.file);
  if (main.value === null) throw new InvalidConfigError([...main.problems, emptyFile(main)]);
  const problems: ConfigProblem[] = [...files.problems];
  const result = configFile.safeParse(withoutExtensions(main.value));
  problems.push(...main.problems, ...schemaProblems(result.error?.issues ?? [], main));
  const included = files.included.flatMap(file => parseIncluded(file, problems));
  problems.push(
    ...crossChecks(
      main,
      included.map(({ source }) => source),
      options.extraRegistries ?? [],
    ),
  );
  problems.push(...withoutModels(main, files));
  if (result.data === undefined || problems.length > 0)
    throw new InvalidConfigError(inOrder(problems, files));
  const parts = [{ models: result.data.models ?? [], source: main }, ...included];
  return {
    ...toConfig(result.data, main, parts),
    included: files.included.map(({ file }) => file),
    digest: digestOfFiles(files),
  };
}

/** Returns the models of an included file, of which there are none if it has problems; adds these to `problems`. */
function parseIncluded({ text, file }: NamedText, problems: ConfigProblem[]): ModelsPart[] {
  try {
    const source = new YamlSource(text, file);
    if (source.value === null) {
      problems.push(
        ...source.problems,
        source.problem(source.locate([]), 'the file is empty: list "models" in it'),
      );
      return [];
    }
    const result = includedFile.safeParse(withoutExtensions(source.value));
    problems.push(...source.problems, ...includedProblems(result.error?.issues ?? [], source));
    // Its models are compared with others even if they have mistakes.
    return [{ models: result.data?.models ?? [], source }];
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    problems.push(...error.problems);
    return [];
  }
}

/** The file with the keys left out that are a person's own: at the top, in the defaults, in each model. */
function withoutExtensions(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { defaults, models, ...rest } = ownKeys(value);
  return {
    ...rest,
    ...('defaults' in value && { defaults: isRecord(defaults) ? ownKeys(defaults) : defaults }),
    ...('models' in value && {
      models: Array.isArray(models)
        ? models.map(model => (isRecord(model) ? ownKeys(model) : model))
        : models,
    }),
  };
}

function ownKeys(map: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !EXTENSION_KEY.test(key)));
}

function withoutModels(main: YamlSource, { included, problems }: ConfigFiles): ConfigProblem[] {
  if (!isRecord(main.value)) return [];
  const { include, models } = main.value;
  if (models === undefined && include === undefined) return missingKey(['models'], main);
  if (!Array.isArray(include) || included.length + problems.length > 0) return [];
  // What the schema refuses needs no second word.
  if (!include.some(pattern => typeof pattern === 'string' && checkIncludePattern(pattern) === undefined))
    return [];
  return [
    main.problem(main.locate(['include']), '"include" needs a file on disk: other files are found from it'),
  ];
}

function emptyFile(source: YamlSource): ConfigProblem {
  return source.problem(source.locate([]), 'the file is empty: "weighbridge init" writes a first one');
}

/** By file and place, each once: what an anchor holds is found again at every use of it. */
function inOrder(problems: readonly ConfigProblem[], { main, included }: ConfigFiles): ConfigProblem[] {
  const once = new Map(
    problems.map(problem => [
      `${problem.file}:${problem.line}:${problem.column}:${problem.message}`,
      problem,
    ]),
  );
  const order = new Map([main, ...included].map(({ file }, index) => [file, index]));
  const fileOf = (problem: ConfigProblem) => order.get(problem.file) ?? order.size;
  return [...once.values()].sort((a, b) => fileOf(a) - fileOf(b) || a.line - b.line || a.column - b.column);
}

/** Of one file its own digest; names count as well if there are several, relative to the main file's folder. */
function digestOfFiles({ main, included }: ConfigFiles): Digest {
  const text = withoutSystemMarks(main.text);
  if (included.length === 0) return digestOf(text);
  const folder = path.dirname(main.file);
  const others = included.map(one => [
    path.relative(folder, one.file).split(path.sep).join('/'),
    withoutSystemMarks(one.text),
  ]);
  return digestOf(JSON.stringify([text, ...others]));
}

/** A checkout on another system has other line ends, and is the same file. */
function withoutSystemMarks(text: string): string {
  return text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
}
