import { describeError, type ErrorJson, isRefused } from '../../core/errors.ts';
import type { Plan, PlannedModel } from '../../plan/types.ts';
import type { ImageOutcome, PublishOutcome } from '../../publish/types.ts';
/** What `outdated --json` prints: models whose images are not what a publish would make now. */
export interface OutdatedJson {
  readonly schemaVersion: 1;
  readonly models: readonly OutdatedModelJson[];
  /** Base images that a newer vLLM could replace: nothing is known that would keep any of their models from running on it. */
  readonly bases?: readonly NewerBaseJson[];
}

/** A base image that has a newer release. */
export interface NewerBaseJson {
  readonly baseImage: string;
  readonly release: string;
  readonly newest: string;
  /** Shorts of the models that were checked, which are all that are built on it. */
  readonly models: readonly string[];
}

/** A model of which a publish would change something. */
export interface OutdatedModelJson {
  readonly id: string;
  readonly short: string;
  readonly images: readonly {
    readonly registry: string;
    readonly variant: string;
    readonly reasons: readonly string[];
  }[];
  /** Of a model that could not be asked about. */
  readonly error?: ErrorJson;
}

/** Returns the document of `outdated --json`. `outcomes` are those of a dry run. Models that are up to date are left out. */
export function outdatedJson(plan: Plan, outcomes: readonly PublishOutcome[]): OutdatedJson {
  const outcomeOf = new Map(outcomes.map(outcome => [outcome.planned.model.short, outcome]));
  return {
    schemaVersion: 1,
    models: plan.models.flatMap((entry): OutdatedModelJson[] => {
      const { id, short } = entry.model;
      if (entry.kind === 'unresolved') return [{ id, short, images: [], error: entry.error }];
      const images = (outcomeOf.get(short)?.images ?? []).filter(isOutdated);
      if (images.length === 0) return [];
      const told = images.map(image => ({
        registry: image.registry,
        variant: image.variant,
        reasons: reasonsOf(image),
      }));
      return [{ id, short, images: told }];
    }),
    ...newerBases(plan),
  };
}

/** A base whose models could not all be checked is left out. */
function newerBases({ models }: Plan): Pick<OutdatedJson, 'bases'> {
  const groups = Map.groupBy(models, ({ model }) => model.baseImage);
  const bases = [...groups].flatMap(([baseImage, entries]): NewerBaseJson[] => {
    const fits = entries.map(entry => (entry.kind === 'planned' ? entry.fit : undefined));
    const [first] = fits;
    const newest = first?.newer?.findLast(version => fits.every(fit => fit?.newer?.includes(version)));
    if (first?.release === undefined || newest === undefined) return [];
    return [{ baseImage, release: first.release, newest, models: entries.map(({ model }) => model.short) }];
  });
  return bases.length === 0 ? {} : { bases };
}

/** Returns the part of a plan that a publish would do something for. */
export function outdatedPlan(plan: Plan, outcomes: readonly PublishOutcome[]): Plan {
  const wanted = new Set<PlannedModel>(
    outcomes.filter(({ images }) => images.some(isOutdated)).map(({ planned }) => planned),
  );
  return { ...plan, models: plan.models.filter(entry => entry.kind === 'planned' && wanted.has(entry)) };
}

/** Anything but "as it is": policy leaves an image out without tags. */
function isOutdated({ status, tags }: ImageOutcome): boolean {
  return status !== 'unchanged' && tags.length > 0;
}

function reasonsOf(image: ImageOutcome): string[] {
  if (image.status === 'failed') {
    const what = image.isUnassembled && isRefused(image.error) ? 'cannot be built' : 'could not be read';
    return [`${what}: ${describeError(image.error)}`];
  }
  const { change } = image;
  if (change === undefined) return ['not published yet'];
  const { revision, license, base, adapters = {}, files } = change;
  const fileCount =
    files === undefined ? 0 : files.added.length + files.changed.length + files.removed.length;
  const reasons = [
    ...(revision === undefined
      ? []
      : [`revision changed: ${revision.from.slice(0, 12)} → ${revision.to.slice(0, 12)}`]),
    ...(license === undefined
      ? []
      : [`license changed: ${license.from || 'unknown'} → ${license.to || 'unknown'}`]),
    ...Object.entries(adapters).map(
      ([name, { from, to }]) =>
        `adapter ${name} changed: ${from.slice(0, 12) || 'none'} → ${to.slice(0, 12) || 'none'}`,
    ),
    ...(base === undefined
      ? []
      : [`base image changed: ${shortDigest(base.from)} → ${shortDigest(base.to)}`]),
    ...(revision === undefined && Object.keys(adapters).length === 0 && fileCount > 0
      ? [`${fileCount} files differ`]
      : []),
  ];
  return reasons.length === 0 ? ['its settings or tags differ'] : reasons;
}

/** Returns the first 12 digits of a digest. */
function shortDigest(digest: string): string {
  return digest.replace(/^(sha256:.{12}).*/, '$1');
}
