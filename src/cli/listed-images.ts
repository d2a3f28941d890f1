import type { Config, ModelConfig, Variant } from '../config/types.ts';
import { VARIANTS } from '../config/types.ts';
import { ConfigError } from '../core/errors.ts';
import { refusalAt } from '../plan/targets.ts';
import { plannedModels } from '../plan/types.ts';
import { type CommonOptions, readConfig, unknownModel } from './options.ts';
import { hasUnresolved, noteUnresolved, planFor } from './planning.ts';
import type { Session } from './session.ts';

/** Names of models, and of files, that `[host/]repository[:tag][@digest]` cannot be told from. */
const BARE_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
/** The one that shows most first. */
const PREFERRED: readonly Variant[] = ['fat', 'weights', 'modelpack', 'slim'];

/**
 * Returns the reference of a listed model's image if `name` is the short of one, at the first of its registries: of the
 * variant that was asked for, or the first of fat, weights, modelpack and slim that is built. Undefined for a reference, or
 * without a models.yaml. Throws ConfigError USAGE if no model has that short, or the model lacks that variant.
 */
export async function imageOfShort(
  session: Session,
  name: string,
  options: CommonOptions & { readonly variant?: Variant },
): Promise<string | undefined> {
  if (!BARE_NAME.test(name)) return undefined;
  const config = await configIfThere(session, options);
  if (config === undefined) return undefined;
  // A slip in a short is not the name of an image at Docker Hub.
  if (config.models.every(({ short }) => short !== name))
    throw unknownModel(config, name, `For an image of that name write its tag as well: ${name}:latest.`);
  const { images } = await listedImages(session, config, { ...options, model: [name] });
  const variants = options.variant === undefined ? PREFERRED : [options.variant];
  for (const variant of variants) {
    const image = images.find(one => one.variant === variant);
    if (image !== undefined) return image.reference;
  }
  throw new ConfigError(
    `${name} has no ${options.variant === undefined ? '' : `${options.variant} `}image that is built`,
    {
      code: 'USAGE',
      subject: name,
      remedy: `\`weighbridge plan --explain ${name}\` says why, and what would change it.`,
    },
  );
}

/** An image that models.yaml has by its plan. */
export interface ListedImage {
  readonly model: ModelConfig;
  readonly variant: Variant;
  /** By its first tag: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly reference: string;
}

/**
 * Returns every image that the models of a file have by its plan, at each of their registries, and whether a model could
 * not be resolved, which is noted.
 */
export async function listedImages(
  session: Session,
  config: Config,
  options: CommonOptions,
): Promise<{ readonly images: readonly ListedImage[]; readonly isWhole: boolean }> {
  const plan = await planFor(session, config, options, 'required');
  noteUnresolved(session, plan);
  const images = plannedModels(plan).flatMap(planned =>
    planned.targets.flatMap(({ registry, repository }) =>
      VARIANTS.flatMap((variant): ListedImage[] => {
        const [tag] = planned.tags[variant];
        const isBuilt = planned.model.variants.includes(variant) && !refusalAt(planned, variant, registry);
        return tag === undefined || !isBuilt
          ? []
          : [{ model: planned.model, variant, reference: `${repository}:${tag}` }];
      }),
    ),
  );
  return { images, isWhole: !hasUnresolved(plan) };
}

async function configIfThere(session: Session, options: CommonOptions): Promise<Config | undefined> {
  try {
    return await readConfig(options, session);
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'CONFIG_UNREADABLE') return undefined;
    throw error;
  }
}
