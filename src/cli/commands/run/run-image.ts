import type { Config, ModelConfig, Variant } from '../../../config/types.ts';
import { holdsWeights, USUAL_VARIANTS } from '../../../config/variants.ts';
import { ConfigError, errorFromJson, WeighbridgeError } from '../../../core/errors.ts';
import { isLoopbackHost } from '../../../http/hosts.ts';
import { parseReference } from '../../../oci/reference.ts';
import { firstFixedTag } from '../../../plan/tags.ts';
import { chooseTargets, missingPrefixError } from '../../../plan/targets.ts';
import type { CommonOptions } from '../../options.ts';
import { planFor } from '../../planning.ts';
import type { Session } from '../../session.ts';
import { type ContainerEngine, type EngineKind, loadArchive } from './container-engine.ts';

/** The options of `run` that choose an image. */
export interface ImageOptions extends CommonOptions {
  readonly variant?: Variant;
  readonly image?: string;
  readonly archive?: string;
  readonly print?: boolean;
}

/** A model and the file it is from; undefined if `--image` or `--archive` has to be enough. */
export type KnownModel = { readonly config: Config; readonly model: ModelConfig } | undefined;

/** The image that is run. */
export interface ChosenImage {
  readonly name: string;
  /** Whether it is in a registry that speaks plain HTTP, as far as is known. */
  readonly isPlainHttp?: boolean;
  readonly variant: Variant;
}

/**
 * Returns what to run: `--image`, what `--archive` brought, or the model's image in its first registry. Throws
 * TypeError.
 */
export async function chooseImage(
  session: Session,
  engine: ContainerEngine,
  known: KnownModel,
  options: ImageOptions,
): Promise<ChosenImage> {
  const loaded = await load(session, engine, options);
  if (options.image !== undefined) {
    const isPlainHttp = isOverPlainHttp(options.image, known?.config);
    return { name: options.image, variant: options.variant ?? variantOf(options.image), isPlainHttp };
  }
  if (loaded !== undefined) {
    return pickLoaded(loaded, { model: known?.model, variant: options.variant, archive: options.archive });
  }
  if (known === undefined) throw new TypeError('neither a model nor an image');
  const variant = options.variant ?? 'slim';
  checkListed(known.model, variant);
  if (options.archive !== undefined) {
    const tag = firstFixedTag(known.model, variant) ?? (await plannedTag(session, known, options, variant));
    return { name: `${LOADED_PREFIX[engine.kind]}hf-${known.model.short}:${tag}`, variant };
  }
  const repository = firstRepository(session, known, options);
  const tag = await builtTag(session, known, options, variant);
  const name = `${repository}:${tag}`;
  return { name, variant, isPlainHttp: isOverPlainHttp(name, known.config) };
}

/** As in a publish: what the file says of the registry, or one on a port of this machine. */
function isOverPlainHttp(image: string, config: Config | undefined): boolean {
  const { registry } = parseReference(image);
  const connection = config?.connections.find(one => one.registry === registry);
  if (connection !== undefined) return connection.isPlainHttp;
  const { hostname, port } = new URL(`http://${registry}`);
  return isLoopbackHost(hostname) && port !== '';
}

/** Throws ConfigError USAGE for a variant that the file does not have of the model. */
function checkListed({ short, id, variants }: ModelConfig, variant: Variant): void {
  if (variants.includes(variant)) return;
  throw new ConfigError(`${short} has no ${variant} image: its \`variants\` are ${variants.join(', ')}`, {
    code: 'USAGE',
    subject: id,
    remedy: `Add ${variant} to its \`variants\`, or name another one with --variant.`,
  });
}

/**
 * The tag of an image that is built. What is printed is not tried at once, so the Hub is asked whether the policy leaves
 * the image out, if it answers; what is run needs no Hub.
 */
async function builtTag(
  session: Session,
  known: NonNullable<KnownModel>,
  options: ImageOptions,
  variant: Variant,
): Promise<string> {
  const fixed = firstFixedTag(known.model, variant);
  if (fixed === undefined) return await plannedTag(session, known, options, variant);
  if (!holdsWeights(variant) || !options.print) return fixed;
  try {
    const impatient = session.within({ ...session.env, WEIGHBRIDGE_RETRY_SECONDS: '0' });
    await plannedTag(impatient, known, options, variant);
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof WeighbridgeError)) throw error;
    session.note(`whether ${known.model.short} has a ${variant} image is not known: ${error.message}`);
  }
  return fixed;
}

/** Which of an archive's images is meant. */
export interface LoadedQuestion {
  readonly model: ModelConfig | undefined;
  readonly variant: Variant | undefined;
  readonly archive: string | undefined;
}

/** Returns the image of an archive to run, by the names that the engine gave after loading it. Throws ConfigError USAGE. */
export function pickLoaded(names: readonly string[], question: LoadedQuestion): ChosenImage {
  const { model, archive } = question;
  const own = names.filter(name => model === undefined || repositoryOf(name) === `hf-${model.short}`);
  for (const variant of question.variant === undefined ? USUAL_VARIANTS : [question.variant]) {
    const fixed = model === undefined ? undefined : firstFixedTag(model, variant);
    const name = own.find(one => tagOf(one) === fixed) ?? own.find(one => tagOf(one).includes(variant));
    if (name !== undefined) return { name, variant };
  }
  const wanted = [question.variant, 'image', ...(model === undefined ? [] : [`of ${model.short}`])];
  const found = names.length === 0 ? 'it has none with a name' : `it has ${names.join(', ')}`;
  throw new ConfigError(`${archive} has no ${wanted.filter(Boolean).join(' ')}; ${found}`, {
    code: 'USAGE',
    ...(archive !== undefined && { subject: archive }),
    remedy: 'Name another model or --variant, or the image itself with --image.',
  });
}

/** Podman gives a name without a registry this one. */
const LOADED_PREFIX: Readonly<Record<EngineKind, string>> = { docker: '', podman: 'localhost/' };

async function load(
  session: Session,
  engine: ContainerEngine,
  { archive, print }: ImageOptions,
): Promise<string[] | undefined> {
  if (archive === undefined || print) return undefined;
  session.progress.stop();
  return await loadArchive(engine, archive, session);
}

function firstRepository(
  { env }: Session,
  { config, model }: NonNullable<KnownModel>,
  options: ImageOptions,
) {
  const { targets, withoutPrefix } = chooseTargets(config, model, {
    overrides: options.registry ?? {},
    env,
  });
  const [first] = targets;
  if (first !== undefined) return first.repository;
  if (withoutPrefix.length > 0) throw missingPrefixError(model, withoutPrefix);
  throw new ConfigError(`${model.short} is published to no registry`, {
    code: 'USAGE',
    subject: model.id,
    remedy: 'Name the image with --image, or build an archive and run that with --archive.',
  });
}

/** Where every tag names the revision, only the Hub knows it. */
async function plannedTag(
  session: Session,
  { config, model }: NonNullable<KnownModel>,
  options: ImageOptions,
  variant: Variant,
): Promise<string> {
  const plan = await planFor(session, config, { ...options, model: [model.short] }, 'optional');
  const [planned] = plan.models;
  if (planned?.kind === 'unresolved') throw errorFromJson(planned.error);
  if (planned === undefined) throw new TypeError('a plan of one model has none');
  const [tag] = planned.tags[variant];
  if (tag !== undefined && planned.outcome.decisions[variant].build) return tag;
  throw new ConfigError(
    `${model.short} has no ${variant} image: ${planned.outcome.decisions[variant].reason}`,
    {
      code: 'USAGE',
      subject: model.id,
      remedy: 'Run the slim one: --variant slim.',
    },
  );
}

function variantOf(image: string): Variant {
  return /(^|[^a-z])fat([^a-z]|$)/.test(tagOf(image)) ? 'fat' : 'slim';
}

/** Empty if there is none. */
function tagOf(name: string): string {
  return /:([\w.-]+)(?:@|$)/.exec(lastPart(name))?.[1] ?? '';
}

function repositoryOf(name: string): string {
  return lastPart(name).replace(/[:@].*$/, '');
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
