import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig, parseConfig } from '../config/load-config.ts';
import type { Config, ModelConfig, Variant } from '../config/types.ts';
import { VARIANTS } from '../config/types.ts';
import { ConfigError } from '../core/errors.ts';
import { nearest } from '../core/text.ts';
import type { Session, SessionOptions } from './session.ts';

/** The file that lists the models if none is named. */
export const DEFAULT_CONFIG = 'models.yaml';

/** Options that several commands share, each written once. */
export interface CommonOptions extends SessionOptions {
  readonly config: string;
  readonly model?: readonly string[];
  readonly registry?: Readonly<Record<string, string>>;
  readonly shard?: Shard;
  /** False for `--no-lock`; true for `plan --lock`. */
  readonly lock?: boolean;
  readonly locked?: boolean;
}

/** `--shard 0/4`: every count-th model, from `index` on. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** A model that is given on the command line. */
export interface AdHocOptions {
  readonly id?: string;
  readonly short?: string;
  readonly baseImage?: string;
}

/** Adds `--config` and returns the command. */
export function withConfig(command: Command): Command {
  return command.option('-c, --config <file>', 'the file that lists the models', DEFAULT_CONFIG);
}

/** Adds `--model`, which repeats, and returns the command. */
export function withModels(command: Command): Command {
  return command.option(
    '-m, --model <id or short>',
    'only this model; repeatable, or comma-separated',
    collectNames,
  );
}

/**
 * Adds `--shard` and returns the command: for workers that share a list by their number alone, such as a Kubernetes
 * Indexed Job or GitLab's `parallel`.
 */
export function withShard(command: Command): Command {
  return command.option(
    '--shard <index/count>',
    'every count-th model, starting at this index: 0/4 to 3/4 cover all models',
    parseShard,
  );
}

/** Adds `--registry`, which repeats, and returns the command; `purpose` begins the option's description. */
export function withRegistries(command: Command, purpose = 'publish only here'): Command {
  return command.option(
    '-r, --registry <key=prefix>',
    `${purpose}, e.g. lab=localhost:5000/models; a key alone uses the prefix from the file; repeatable`,
    collectRegistry,
  );
}

/** Adds what names models of the file and their registries, and returns the command; `purpose` as of `withRegistries`. */
export function withModelList(command: Command, purpose?: string): Command {
  return withRegistries(withModels(withConfig(command)), purpose);
}

/** Adds `--locked` and `--no-lock` and returns the command. */
export function withLock(command: Command): Command {
  return command
    .option('--locked', 'fail models that differ from weighbridge.lock or are missing from it')
    .option('--no-lock', 'ignore weighbridge.lock and use the newest revision and base image');
}

/** Adds `--json` and returns the command. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print one JSON document to stdout');
}

/** Adds `--variant` and returns the command. */
export function withVariant(command: Command): Command {
  return command.addOption(new Option('--variant <variant>', 'only this variant').choices([...VARIANTS]));
}

/**
 * Adds the options that say how much a command prints while it works, and returns it. `run` has `-v` for volumes, as
 * Docker does.
 */
export function withVerbosity(command: Command): Command {
  const isVolume = command.options.some(({ short }) => short === '-v');
  return command
    .option('-q, --quiet', 'show no progress, only warnings and errors')
    .addOption(
      new Option(
        isVolume ? '--verbose' : '-v, --verbose',
        'also show each HTTP request with its status and duration',
      ).conflicts('quiet'),
    );
}

/**
 * Has a command refuse options whose value is empty and returns it: a variable of a script that is not set would
 * otherwise become a file without a name.
 */
export function refuseEmptyValues(command: Command): Command {
  for (const option of command.options.filter(({ required }) => required)) {
    const parse = option.parseArg;
    option.argParser((value: string, previous: unknown) => {
      if (value.trim() === '') throw new InvalidArgumentError('It is empty.');
      return parse === undefined ? value : parse(value, previous);
    });
  }
  return command;
}

/** Adds the options for a model that is not in the file, and returns the command. */
export function withAdHocModel(command: Command): Command {
  return command
    .option('--id <org/name>', 'a model that is not in the file (with --short)')
    .option('--short <name>', 'its image name, hf-<name>')
    .option('--base-image <reference>', 'its base image');
}

/**
 * Returns the variant that `--variant` names, or all. Throws ConfigError USAGE if no model has the variant: nothing
 * would be done, and nothing said.
 */
export function chosenVariants(
  variant: Variant | undefined,
  models: readonly { readonly model: Pick<ModelConfig, 'variants'> }[],
): readonly Variant[] {
  if (variant === undefined) return VARIANTS;
  if (models.length === 0 || models.some(({ model }) => model.variants.includes(variant))) return [variant];
  throw new ConfigError(`no model has the variant ${variant}`, {
    code: 'USAGE',
    subject: variant,
    remedy: `Add it to \`variants\` in models.yaml: variants: [${[...new Set(['slim', 'fat', variant])].join(', ')}].`,
  });
}

/**
 * Reads the file that `--config` names and returns its configuration. From here on `session` connects to registries as
 * the file says.
 */
export async function readConfig(options: CommonOptions & AdHocOptions, session: Session): Promise<Config> {
  if (options.id !== undefined) return adHocConfig(options);
  const config = await loadConfig(options.config, { extraRegistries: Object.keys(options.registry ?? {}) });
  if (config.connections.length > 0) session.services.connect(config.connections);
  return config;
}

/**
 * Adds `--config` to a command about an image that is named, which needs the file only for its connections to
 * registries. Returns the command.
 */
export function withConnections(command: Command): Command {
  return command.option(
    '-c, --config <file>',
    `the file whose \`registries:\` settings (plain_http, ca) apply (default: ${DEFAULT_CONFIG}, if it exists)`,
  );
}

/**
 * Has registries spoken to as the file says. One that was named has to be there and right; the default need not be, and
 * is not what the command is about.
 * Throws ConfigError CONFIG_INVALID or CONFIG_UNREADABLE for a file that was named.
 */
export async function connectAsConfigured(session: Session, file: string | undefined): Promise<void> {
  if (file !== undefined) return void (await readConfig({ config: file }, session));
  if (!existsSync(DEFAULT_CONFIG)) return;
  try {
    await readConfig({ config: DEFAULT_CONFIG }, session);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    session.note(`${DEFAULT_CONFIG} is not valid, so its \`registries:\` are not used: weighbridge validate`);
  }
}

/** Returns the models that `--model` names, in the order of the file, or all; of those, only the shard's. */
export function chooseModels(
  config: Config,
  names: readonly string[] | undefined,
  shard?: Shard,
): readonly ModelConfig[] {
  const models = namedModels(config, names);
  return shard === undefined ? models : models.filter((_, index) => index % shard.count === shard.index);
}

function namedModels(config: Config, names: readonly string[] | undefined): readonly ModelConfig[] {
  if (names === undefined) return config.models;
  for (const name of names) {
    if (config.models.some(model => isNamed(model, name))) continue;
    throw unknownModel(config, name, 'Name one by its id or short.');
  }
  return config.models.filter(model => names.some(name => isNamed(model, name)));
}

/** Returns the error for a model that the file does not have, with the nearest one that it has, or with `remedy`. */
export function unknownModel({ file, models }: Config, name: string, remedy: string): ConfigError {
  const guess = nearest(
    name,
    models.flatMap(({ id, short }) => [id, short]),
  );
  return new ConfigError(`${file} has no model ${JSON.stringify(name)}`, {
    code: 'USAGE',
    subject: name,
    remedy: guess === undefined ? remedy : `Did you mean ${guess}?`,
  });
}

function isNamed(model: ModelConfig, name: string): boolean {
  return model.short === name || model.id.toLowerCase() === name.toLowerCase();
}

function adHocConfig({ id, short, baseImage }: AdHocOptions): Config {
  if (short === undefined) {
    throw new ConfigError('--id needs --short as well', {
      code: 'USAGE',
      remedy: 'Give the image a name: --short <name>.',
    });
  }
  const defaults = baseImage === undefined ? {} : { base_image: baseImage };
  // JSON is YAML, so the one parser checks what comes from the command line too.
  return parseConfig(JSON.stringify({ defaults, models: [{ id, short }] }), 'command line');
}

/** Returns the values of an option that repeats, one longer: for commander. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function collectNames(value: string, previous: readonly string[] = []): readonly string[] {
  const names = value.split(',').map(name => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('A name between the commas is empty.');
  return [...previous, ...names];
}

function parseShard(value: string): Shard {
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(value) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (index === undefined || shard.count === 0) throw new InvalidArgumentError('Expected <index>/<count>.');
  if (shard.index < shard.count) return shard;
  throw new InvalidArgumentError(`With ${count} shards the index is 0 to ${shard.count - 1}.`);
}

function collectRegistry(
  value: string,
  previous: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const equals = value.indexOf('=');
  const key = equals === -1 ? value : value.slice(0, equals);
  const prefix = equals === -1 ? '' : value.slice(equals + 1);
  if (!/^[A-Za-z0-9_-]+$/.test(key)) throw new InvalidArgumentError('Expected <key>=<prefix>.');
  if (equals !== -1 && prefix === '') throw new InvalidArgumentError(`The prefix after ${key}= is empty.`);
  if (/^https?:\/\//.test(prefix))
    throw new InvalidArgumentError('A prefix has no scheme: write localhost:5000/models.');
  return { ...previous, [key]: prefix };
}
