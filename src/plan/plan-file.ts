import { gunzipSync } from 'node:zlib';
import type { Config, ModelConfig } from '../config/types.ts';
import { ConfigError } from '../core/errors.ts';
import { describeJson, isRecord } from '../core/json-shape.ts';
import { plainLine, quoted } from '../core/safe-text.ts';
import type { LicenseTree } from '../licenses/types.ts';
import { planFileShape } from './plan-schema.ts';
import { exceeds, limitOf, maxFileBytes } from './split/layer-limits.ts';
import { chooseTargets, missingPrefixError, type TargetChoice } from './targets.ts';
import {
  PLAN_SCHEMA_VERSION,
  type Plan,
  type PlannedModel,
  type Target,
  type UnresolvedModel,
} from './types.ts';

/**
 * A plan as a file: made by one process, published by another. It has no login, no token, and no prefix of a registry that
 * only the environment knows: an account may be a secret, and CI shows its artifacts to everyone.
 */

/** A text that is this long and written twice is kept once. */
const MIN_SHARED_CHARACTERS = 100;
const SHARED_KEYS: ReadonlySet<string> = new Set(['text', 'header']);
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
/** 10,000 models take about 300 MB. */
export const MAX_PLAN_BYTES = 1024 ** 3;
const MAX_WARNING = 1000;

/** Returns the text of a plan's file, which ends with a line break. */
export function formatPlan(plan: Plan, config: Config, choice: Pick<TargetChoice, 'overrides'>): string {
  const texts = new Map<string, number>();
  const share = (key: string, value: unknown): unknown => {
    if (typeof value !== 'string' || !SHARED_KEYS.has(key) || value.length < MIN_SHARED_CHARACTERS)
      return value;
    const index = texts.get(value) ?? texts.size;
    texts.set(value, index);
    return { $text: index };
  };
  const models = plan.models.map(entry =>
    entry.kind === 'planned' ? withoutSurplus(entry, filedTargets(entry, config, choice)) : entry,
  );
  const { schemaVersion, warnings } = plan;
  const body = JSON.stringify({ config: { digest: config.digest }, models, warnings }, share);
  const head = { schemaVersion, texts: [...texts.keys()] };
  return `${JSON.stringify(head).slice(0, -1)},${body.slice(1)}\n`;
}

/** Where the prefix is not written the registry alone is named, whether this environment knows the prefix or not. */
function filedTargets(
  { model, targets }: PlannedModel,
  config: Config,
  { overrides }: Pick<TargetChoice, 'overrides'>,
): FiledModel['targets'] {
  const { withoutPrefix } = chooseTargets(config, model, { overrides, env: {} });
  const known = targets.map(target =>
    withoutPrefix.includes(target.registry) ? { registry: target.registry, repository: null } : target,
  );
  // A plan of `build` has no targets.
  const unknown =
    targets.length === 0 ? [] : withoutPrefix.filter(key => !targets.some(one => one.registry === key));
  return [...known, ...unknown.map(registry => ({ registry, repository: null }))];
}

/** A license tree names its repositories and does not need their lists of files. */
function withoutSurplus(planned: PlannedModel, targets: FiledModel['targets']): object {
  const licenses = Object.fromEntries(
    Object.entries(planned.licenses).map(([variant, tree]) => [variant, withoutFiles(tree)]),
  );
  return { ...planned, targets, licenses };
}

function withoutFiles(tree: LicenseTree): object {
  const named = <T extends LicenseTree['model']>({ snapshot: { id, revision, license }, ...rest }: T) => ({
    ...rest,
    snapshot: { id, revision, license },
  });
  return {
    ...tree,
    model: named(tree.model),
    ancestors: tree.ancestors.map(named),
    ...(tree.adapters && { adapters: tree.adapters.map(named) }),
  };
}

/**
 * Returns the plan that a file has, for this models.yaml. Throws ConfigError PLAN_UNREADABLE for a file that is not a plan
 * or of another version, PLAN_DIFFERS for one that was made of another models.yaml, CONFIG_INVALID for a prefix that the
 * environment lacks.
 */
export function parsePlan(bytes: Uint8Array, file: string, config: Config, env: TargetChoice['env']): Plan {
  const value = parseJson(bytes, file);
  if (!isRecord(value) || !('schemaVersion' in value))
    throw unreadable(file, 'it is not a plan that `weighbridge plan --out` has written');
  if (value.schemaVersion !== PLAN_SCHEMA_VERSION) {
    const { schemaVersion: version } = value;
    const found = typeof version === 'number' ? quoted(String(version)) : describeJson(version);
    throw unreadable(file, `it is of version ${found}, and this Weighbridge reads ${PLAN_SCHEMA_VERSION}`);
  }
  if (!('config' in value) && 'models' in value)
    throw unreadable(file, 'it is the output of `weighbridge plan --json`, which is for other programs');
  const { texts, ...body } = value;
  const parsed = planFileShape.safeParse(filled(body, Array.isArray(texts) ? texts : [], file));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(file, `${quoted((issue?.path ?? []).join('.'))}: ${issue?.message}`);
  }
  if (parsed.data.config.digest !== config.digest) throw differs(file, config.file);
  const plan = parsed.data as unknown as PlanFileContent;
  const models = new Map(config.models.map(model => [model.short, model]));
  return {
    schemaVersion: PLAN_SCHEMA_VERSION,
    models: plan.models.map(entry => {
      const model = models.get(entry.model.short);
      if (model === undefined || model.id !== entry.model.id) throw differs(file, config.file);
      return restored(entry, model, { file, config, env });
    }),
    warnings: plan.warnings.map(warning => plainLine(warning, MAX_WARNING)),
  };
}

interface PlanFileContent {
  readonly models: readonly (FiledModel | UnresolvedModel)[];
  readonly warnings: readonly string[];
}

type FiledModel = Omit<PlannedModel, 'targets'> & {
  readonly targets: readonly { readonly registry: string; readonly repository: string | null }[];
};

/** The model's own settings are those of models.yaml, whatever the plan says. */
function restored(
  entry: FiledModel | UnresolvedModel,
  model: ModelConfig,
  { file, config, env }: { readonly file: string; readonly config: Config } & Pick<TargetChoice, 'env'>,
): PlannedModel | UnresolvedModel {
  if (entry.kind === 'unresolved') return { ...entry, model };
  if (!hasAdaptersOf(entry, model)) throw differs(file, config.file);
  const targets = entry.targets.map(({ registry, repository }): Target => {
    if (repository !== null) return { registry, repository };
    const target = fromEnvironment(registry, model, config, env);
    checkLimit(entry, target, file, config);
    return target;
  });
  return { ...entry, model, targets };
}

/** Names become folders, and ids what is fetched: both are those of models.yaml. */
function hasAdaptersOf({ adapters = [] }: FiledModel, model: ModelConfig): boolean {
  return (
    adapters.length === model.adapters.length &&
    model.adapters.every(
      ({ id, name }, index) => adapters[index]?.adapter.id === id && adapters[index]?.adapter.name === name,
    )
  );
}

function fromEnvironment(
  registry: string,
  model: ModelConfig,
  config: Config,
  env: TargetChoice['env'],
): Target {
  const { targets } = chooseTargets(config, model, { overrides: {}, env });
  const found = targets.find(target => target.registry === registry);
  if (found === undefined) throw missingPrefixError(model, [registry]);
  return found;
}

/** A registry that the plan did not know may have a limit that files were not divided for. */
function checkLimit(entry: FiledModel, target: Target, file: string, config: Config): void {
  const limit = limitOf(target, config);
  if (limit === undefined || (entry.layerLimit?.maxLayerBytes ?? Infinity) <= limit.maxLayerBytes) return;
  const isRefused = entry.fatRefusals?.some(one => one.registry === target.registry);
  const large = entry.files.find(({ sizeBytes }) => sizeBytes > maxFileBytes(limit));
  if (isRefused || large === undefined) return;
  throw new ConfigError(
    `${file} was made without knowing where \`${target.registry}\` is: ${exceeds(large, limit)}`,
    {
      code: 'PLAN_DIFFERS',
      subject: file,
      remedy: 'Write the prefix under `registries:` in models.yaml, and plan again.',
    },
  );
}

function parseJson(bytes: Uint8Array, file: string): unknown {
  try {
    const isZipped = Buffer.compare(bytes.subarray(0, GZIP_MAGIC.length), GZIP_MAGIC) === 0;
    const plain = isZipped ? gunzipSync(bytes, { maxOutputLength: MAX_PLAN_BYTES }) : bytes;
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
  } catch (cause) {
    throw unreadable(file, 'it is not JSON', cause);
  }
}

function filled(body: unknown, texts: readonly unknown[], file: string): unknown {
  try {
    return withTexts(body, texts);
  } catch (cause) {
    // Lists in lists without end take more stack than there is.
    throw unreadable(file, 'it is not a plan', cause);
  }
}

/** Puts shared texts back in their places. */
function withTexts(value: unknown, texts: readonly unknown[]): unknown {
  if (Array.isArray(value)) return value.map(item => withTexts(item, texts));
  if (!isRecord(value)) return value;
  if (typeof value.$text === 'number') return texts[value.$text];
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTexts(item, texts)]));
}

function unreadable(file: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`${file} cannot be published: ${why}`, {
    code: 'PLAN_UNREADABLE',
    subject: file,
    remedy: 'Make it again with: weighbridge plan --out <file>.',
    cause,
  });
}

function differs(file: string, configFile: string): ConfigError {
  return new ConfigError(`${file} is the plan of another ${configFile}: the file has changed since`, {
    code: 'PLAN_DIFFERS',
    subject: file,
    remedy:
      'Publish with the models.yaml that it was made of, or plan again with: weighbridge plan --out <file>.',
  });
}
