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
  const { variant } = options;
  const listed = await imagesOfShorts(session, [name], options);
  if (listed === undefined && variant !== undefined)
    throw new ConfigError(`--variant chooses an image of a model in ${options.config}; ${name} is not one`, {
      code: 'USAGE',
      subject: name,
      remedy: 'Leave out --variant: a reference names one image.',
    });
  if (listed === undefined) return undefined;
  for (const one of variant === undefined ? PREFERRED : [variant]) {
    const image = listed.images.find(found => found.variant === one);
    if (image !== undefined) return image.reference;
  }
  throw notBuilt(name, variant);
}

/** References of images, and the file that lists some of them. */
export interface NamedReferences {
  /** Undefined if all were named by reference. */
  readonly config: Config | undefined;
  readonly references: readonly string[];
  /** Whether every model could be resolved. */
  readonly isWhole: boolean;
}

/**
 * Returns references of images with each short among them replaced by those of all images of its model, as
 * `listedImages` finds them. Throws ConfigError USAGE if no model has a short, or a model has no image that is built.
 */
export async function expandShorts(
  session: Session,
  names: readonly string[],
  options: CommonOptions,
): Promise<NamedReferences> {
  const listed = await imagesOfShorts(session, names, options);
  if (listed === undefined) return { config: undefined, references: names, isWhole: true };
  const { config, images, isWhole } = listed;
  const references = names.flatMap(name => {
    if (!BARE_NAME.test(name)) return [name];
    const own = images.filter(({ model }) => model.short === name);
    if (isWhole && own.length === 0) throw notBuilt(name, undefined);
    return own.map(({ reference }) => reference);
  });
  return { config, references: [...new Set(references)], isWhole };
}

/** The images of the models whose shorts are among `names`; undefined if there is none, or no models.yaml. */
async function imagesOfShorts(
  session: Session,
  names: readonly string[],
  options: CommonOptions,
): Promise<ListedImages | undefined> {
  const shorts = names.filter(name => BARE_NAME.test(name));
  const config = shorts.length === 0 ? undefined : await configIfThere(session, options);
  if (config === undefined) return undefined;
  // A slip in a short is not the name of an image at Docker Hub.
  const slip = shorts.find(name => config.models.every(({ short }) => short !== name));
  if (slip !== undefined)
    throw unknownModel(config, slip, `For an image of that name write its tag as well: ${slip}:latest.`);
  return await listedImages(session, config, { ...options, model: shorts });
}

/** An image that models.yaml has by its plan. */
export interface ListedImage {
  readonly model: ModelConfig;
  readonly variant: Variant;
  /** By its first tag: `ghcr.io/acme/hf-x:v0.6.0-fat`. */
  readonly reference: string;
}

/** The images of models, and the file that lists them. */
export interface ListedImages {
  readonly config: Config;
  readonly images: readonly ListedImage[];
  /** Whether every model could be resolved. */
  readonly isWhole: boolean;
}

/**
 * Returns every image that the models of a file have by its plan, at each of their registries, and whether a model could
 * not be resolved, which is noted.
 */
export async function listedImages(
  session: Session,
  config: Config,
  options: CommonOptions,
): Promise<ListedImages> {
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
  return { config, images, isWhole: !hasUnresolved(plan) };
}

function notBuilt(short: string, variant: Variant | undefined): ConfigError {
  return new ConfigError(`${short} has no ${variant === undefined ? '' : `${variant} `}image that is built`, {
    code: 'USAGE',
    subject: short,
    remedy: `\`weighbridge plan --explain ${short}\` says why, and what would change it.`,
  });
}

async function configIfThere(session: Session, options: CommonOptions): Promise<Config | undefined> {
  try {
    return await readConfig(options, session);
  } catch (error) {
    if (error instanceof ConfigError && error.code === 'CONFIG_UNREADABLE') return undefined;
    throw error;
  }
}
