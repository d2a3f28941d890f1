import type { Config, ModelConfig } from '../../config/types.ts';
import { byVariant, holdsWeights } from '../../config/variants.ts';
import { ConfigError } from '../../core/errors.ts';
import type { HubFile } from '../../hub/types.ts';
import type { ShardedName } from '../../licenses/types.ts';
import type { PolicyFinding, PolicyOutcome } from '../../policy/types.ts';
import type { FatRefusal, LayerLimit, Resharding, Target } from '../types.ts';
import { decimal, exceeds, limitOf } from './layer-limits.ts';
import { reshardFiles } from './reshard-files.ts';
import type { ReshardContext } from './types.ts';

/** How a fat image fits the registries that it would go to. */
export interface LayerFit {
  /** The lowest of the registries that get it; undefined if none of them has one. */
  readonly limit: LayerLimit | undefined;
  /** The lowest limit of the registries, if `limit` is `layer_target`. */
  readonly registryLimit?: LayerLimit | undefined;
  /** Undefined if nothing has to be divided. */
  readonly resharding: Resharding | undefined;
  /** Registries that cannot have it. */
  readonly refusals: readonly FatRefusal[];
  /** Whether they are all there are. */
  readonly isRefusedByAll: boolean;
}

/**
 * Divides files so that the registry with the lowest limit takes them, and returns the files. If that is impossible,
 * that registry does not get the image, and the others decide. Throws ConfigError CONFIG_INVALID.
 */
export async function fitLayers(
  files: readonly HubFile[],
  targets: readonly Target[],
  config: FitConfig,
  context: ReshardContext,
): Promise<LayerFit> {
  const fit = await fitLimits(files, targets, config, context);
  const target = targetOf(config.model);
  const isOff = target === undefined || targets.length === 0 || fit.isRefusedByAll;
  if (isOff || (fit.limit?.maxLayerBytes ?? Number.POSITIVE_INFINITY) <= target.maxLayerBytes) return fit;
  const outcome = await reshardFiles(files, target, context, 'shardable');
  if (outcome?.kind === 'refused') throw targetTooSmall(outcome.file, target, outcome.why);
  if (outcome === undefined) return fit;
  return { ...fit, limit: target, registryLimit: fit.limit, resharding: outcome.resharding };
}

type FitConfig = Pick<Config, 'layerLimits'> & {
  readonly model: Pick<ModelConfig, 'layerTargetBytes'>;
};

function targetOf({ layerTargetBytes }: Pick<ModelConfig, 'layerTargetBytes'>): LayerLimit | undefined {
  if (layerTargetBytes === null) return undefined;
  return { registry: 'layer_target', maxLayerBytes: layerTargetBytes, source: 'layer_target' };
}

function targetTooSmall({ path }: HubFile, { maxLayerBytes }: LayerLimit, why: string): ConfigError {
  return new ConfigError(
    `${path} cannot be divided to \`layer_target\` (${decimal(maxLayerBytes)}): ${why}`,
    {
      code: 'CONFIG_INVALID',
      subject: path,
      remedy: 'Choose a larger `layer_target`: a tensor is never cut.',
    },
  );
}

async function fitLimits(
  files: readonly HubFile[],
  targets: readonly Target[],
  config: Pick<Config, 'layerLimits'>,
  context: ReshardContext,
): Promise<LayerFit> {
  const refusals: FatRefusal[] = [];
  let rest = targets.map(target => ({ target, limit: limitOf(target, config) }));
  for (;;) {
    const lowest = lowestOf(rest.flatMap(({ limit }) => limit ?? []));
    if (lowest === undefined)
      return {
        limit: undefined,
        resharding: undefined,
        refusals,
        isRefusedByAll: rest.length === 0 && refusals.length > 0,
      };
    const outcome = await reshardFiles(files, lowest, context);
    if (outcome?.kind !== 'refused')
      return { limit: lowest, resharding: outcome?.resharding, refusals, isRefusedByAll: false };
    const isOut = ({ limit }: (typeof rest)[number]) => limit?.maxLayerBytes === lowest.maxLayerBytes;
    const { decision, file } = outcome;
    for (const { target } of rest.filter(isOut))
      refusals.push({ registry: target.registry, decision, path: file.path, limit: lowest });
    rest = rest.filter(one => !isOut(one));
  }
}

function lowestOf(limits: readonly LayerLimit[]): LayerLimit | undefined {
  return limits.toSorted((a, b) => a.maxLayerBytes - b.maxLayerBytes)[0];
}

/** Returns the policy's outcome with a fat image refused that the policy allows and no registry would take. */
export function withFit(
  outcome: PolicyOutcome,
  { limit, resharding, refusals, isRefusedByAll }: LayerFit,
): PolicyOutcome {
  const { decisions, findings } = outcome;
  const [first] = refusals;
  if (first !== undefined && isRefusedByAll) {
    return {
      ...outcome,
      decisions: byVariant(variant => (holdsWeights(variant) ? first.decision : decisions[variant])),
      findings: [...findings, finding(`${first.decision.reason}.`, 'stop', first.limit)],
      remedies: [
        {
          setting: `files: {exclude: [${JSON.stringify(first.path)}]}`,
          effect: 'the image does not hold it',
        },
      ],
    };
  }
  const refused = refusals.map(one =>
    finding(`${one.registry} does not get the fat image: ${one.decision.reason}.`, 'note', one.limit),
  );
  const resharded =
    limit === undefined
      ? []
      : (resharding?.files ?? []).map(({ source, parts }) =>
          finding(`${exceeds(source, limit)}: it is divided into ${parts.length} files.`, 'note', limit),
        );
  const notes = [...refused, ...resharded];
  return notes.length === 0 ? outcome : { ...outcome, findings: [...findings, ...notes] };
}

function finding(
  says: string,
  verdict: PolicyFinding['verdict'],
  { source, registry }: LayerLimit,
): PolicyFinding {
  const written = source === 'layer_target' ? 'layer_target' : 'layer_limits';
  const from = source === 'built-in' ? `what is known of ${registry}` : `models.yaml, ${written}`;
  return { check: 'layers', says, from, verdict };
}

/** Returns the names of divided files and their parts, for the licenses, which state what was changed. */
export function shardedNames(resharding: Resharding | undefined): ShardedName[] {
  return (resharding?.files ?? []).map(({ source, parts }) => ({
    path: source.path,
    parts: parts.map(({ path }) => path),
  }));
}
