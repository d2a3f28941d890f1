import { type Config, type ModelConfig, VARIANTS, type Variant } from '../config/types.ts';
import { holdsWeights } from '../config/variants.ts';
import { ConfigError } from '../core/errors.ts';
import { ownValue, table } from '../core/table.ts';
import { nearest } from '../core/text.ts';
import { isRepository, parseReference } from '../oci/reference.ts';
import type { PolicyDecision } from '../policy/types.ts';
import { firstFixedTag, versionOf } from './tags.ts';
import type { PlannedModel, Target } from './types.ts';

/** Registries of the command line and the environment. */
export interface TargetChoice {
  /** Prefixes from the command line, by key; if there are any, only they are published to. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Returns why a variant is not built for a registry (by its key); undefined if it is. */
export function refusalAt(
  { outcome, fatRefusals = [] }: Pick<PlannedModel, 'outcome' | 'fatRefusals'>,
  variant: Variant,
  registry: string,
): PolicyDecision | undefined {
  const decision = outcome.decisions[variant];
  if (!decision.build) return decision;
  if (!holdsWeights(variant)) return undefined;
  return fatRefusals.find(one => one.registry === registry)?.decision;
}

/** The registries of the original `models.yaml`, whose prefixes come from the environment when not written. */
const FROM_ENVIRONMENT = table<(env: TargetChoice['env']) => string | undefined>({
  ghcr: env => prefix('ghcr.io', env, 'GITHUB_REPOSITORY_OWNER'),
  // Most people have one name in both places; a wrong one is refused at login and harms nothing.
  dockerhub: env =>
    prefix('docker.io', env, env.DOCKERHUB_USERNAME ? 'DOCKERHUB_USERNAME' : 'GITHUB_REPOSITORY_OWNER'),
});

interface ChosenTargets {
  readonly targets: readonly Target[];
  /** Registries that are enabled without a configured prefix. */
  readonly withoutPrefix: readonly string[];
}

/**
 * Returns where a model is published. Throws ConfigError USAGE for a key of `--registry` that is not configured, and for
 * two keys with one prefix.
 */
export function chooseTargets(config: Config, model: ModelConfig, choice: TargetChoice): ChosenTargets {
  const targets: Target[] = [];
  const withoutPrefix: string[] = [];
  for (const registry of chosenRegistries(config, model, choice)) {
    const found =
      ownValue(choice.overrides, registry) ||
      ownValue(config.registries, registry) ||
      FROM_ENVIRONMENT[registry]?.(choice.env);
    if (found === undefined) {
      withoutPrefix.push(registry);
      continue;
    }
    const repository = normalize(found, model);
    const other = targets.find(target => target.repository === repository);
    if (other !== undefined) throw samePlace(other.registry, registry, repository);
    targets.push({ registry, repository });
  }
  return { targets, withoutPrefix };
}

/**
 * Returns an image of each model at each target, by a tag that needs no answer of the Hub; none of a model without such
 * a tag.
 */
export function expectedImages(
  config: Config,
  models: readonly ModelConfig[],
  choice: TargetChoice,
): { readonly repository: string; readonly tag: string }[] {
  return models.flatMap(model => {
    if (versionOf(model) === undefined) return [];
    const [tag] = VARIANTS.flatMap(variant => firstFixedTag(model, variant) ?? []);
    if (tag === undefined) return [];
    return chooseTargets(config, model, choice).targets.map(({ repository }) => ({ repository, tag }));
  });
}

/** Returns the error for a publish that cannot know where to go. */
export function missingPrefixError(model: ModelConfig, registries: readonly string[]): ConfigError {
  const names = registries.map(name => `\`${name}\``).join(' and ');
  return new ConfigError(`${model.short}: no prefix is configured for ${names}`, {
    code: 'CONFIG_INVALID',
    subject: `${model.position.file}:${model.position.line}:${model.position.column}`,
    remedy:
      'Write a prefix under `registries:` (such as `ghcr: ghcr.io/acme`), pass `--registry <key>=<prefix>`, or set ' +
      'GITHUB_REPOSITORY_OWNER (ghcr) and DOCKERHUB_USERNAME (dockerhub).',
  });
}

/** The prefixes of the file are compared when it is read; these come from `--registry` and the environment as well. */
function samePlace(first: string, second: string, repository: string): ConfigError {
  return new ConfigError(`${first} and ${second} both publish to ${repository}`, {
    code: 'USAGE',
    subject: second,
    remedy: 'Leave one of them out, or give it another prefix.',
  });
}

function chosenRegistries(config: Config, model: ModelConfig, { overrides }: TargetChoice): string[] {
  const named = Object.keys(overrides);
  if (named.length > 0) {
    const known = [...Object.keys(config.registries), ...Object.keys(FROM_ENVIRONMENT)];
    for (const key of named) {
      if (overrides[key] === '' && !known.includes(key)) throw unknownRegistry(key, known);
    }
    return named.filter(key => model.publish[key] !== false);
  }
  const written = Object.entries(model.publish);
  const isOff = (key: string): boolean => model.publish[key] === false;
  if (!config.hasRegistries) {
    const others = written.filter(([key, isOn]) => isOn && !(key in FROM_ENVIRONMENT)).map(([key]) => key);
    return [...Object.keys(FROM_ENVIRONMENT).filter(key => !isOff(key)), ...others];
  }
  const on = written.filter(([, isOn]) => isOn).map(([key]) => key);
  return on.length > 0 ? on : Object.keys(config.registries).filter(key => !isOff(key));
}

function unknownRegistry(key: string, known: readonly string[]): ConfigError {
  const guess = nearest(key, known);
  return new ConfigError(`--registry ${key}: there is no such entry in \`registries\``, {
    code: 'USAGE',
    remedy:
      guess === undefined ? `Give its prefix: --registry ${key}=<host>/<path>.` : `Did you mean ${guess}?`,
  });
}

/** Throws ConfigError for an account that no image can be named after: people log in with an email address, too. */
function prefix(host: string, env: TargetChoice['env'], variable: string): string | undefined {
  const account = env[variable]?.trim().toLowerCase();
  if (!account) return undefined;
  if (isRepository(account)) return `${host}/${account}`;
  throw new ConfigError(`${variable} is not the name of an account: it cannot be part of an image's name`, {
    code: 'USAGE',
    subject: variable,
    remedy: `Set it to the name of the account at ${host} (not its email address), or write the prefix under \`registries:\`.`,
  });
}

/** One spelling for a repository however its prefix was written. */
function normalize(prefixText: string, model: ModelConfig): string {
  const { registry, repository } = parseReference(`${prefixText.replace(/\/+$/, '')}/hf-${model.short}`);
  return `${registry}/${repository}`;
}
