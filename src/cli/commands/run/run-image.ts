import type { Config, ModelConfig, Variant } from '../../../config/types.ts';
import { USUAL_VARIANTS } from '../../../config/variants.ts';
import { ConfigError, errorFromJson } from '../../../core/errors.ts';
import { firstFixedTag } from '../../../plan/tags.ts';
import { chooseTargets, missingPrefixError } from '../../../plan/targets.ts';
import type { CommonOptions } from '../../options.ts';
import { planFor } from '../../planning.ts';
import type { Session } from '../../session.ts';
import { type ContainerEngine, type EngineKind, loadArchive } from './container-engine.ts';

export interface ImageOptions extends CommonOptions {
  readonly variant?: Variant;
  readonly image?: string;
  readonly archive?: string;
  readonly print?: boolean;
}

/** A model and the file it is from; undefined where `--image` or `--archive` has to be enough. */
export type KnownModel = { readonly config: Config; readonly model: ModelConfig } | undefined;

export interface ChosenImage {
  readonly name: string;
  readonly variant: Variant;
}

/** What to run: `--image`, what `--archive` brought, or the model's image in its first registry. */
export async function chooseImage(
  session: Session,
  engine: ContainerEngine,
  known: KnownModel,
  options: ImageOptions,
): Promise<ChosenImage> {
  const loaded = await load(session, engine, options);
  if (options.image !== undefined) {
    return { name: options.image, variant: options.variant ?? variantOf(options.image) };
  }
  if (loaded !== undefined) {
    return pickLoaded(loaded, { model: known?.model, variant: options.variant, archive: options.archive });
  }
  if (known === undefined) throw new TypeError('neither a model nor an image');
  const variant = options.variant ?? 'slim';
  if (options.archive !== undefined) {
    const tag = firstFixedTag(known.model, variant) ?? (await plannedTag(session, known, options, variant));
    return { name: `${LOADED_PREFIX[engine.kind]}hf-${known.model.short}:${tag}`, variant };
  }
  const repository = firstRepository(session, known, options);
  const tag = firstFixedTag(known.model, variant) ?? (await plannedTag(session, known, options, variant));
  return { name: `${repository}:${tag}`, variant };
}

export interface LoadedQuestion {
  readonly model: ModelConfig | undefined;
  readonly variant: Variant | undefined;
  readonly archive: string | undefined;
}

/** The image of an archive to run, by the names that the engine gave after loading it. */
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
  if (tag !== undefined) return tag;
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

/** Empty where there is none. */
function tagOf(name: string): string {
  return /:([\w.-]+)(?:@|$)/.exec(lastPart(name))?.[1] ?? '';
}

function repositoryOf(name: string): string {
  return lastPart(name).replace(/[:@].*$/, '');
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
