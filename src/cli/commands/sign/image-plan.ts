import path from 'node:path';
import type { Config } from '../../../config/types.ts';
import { describeError, errorFromJson } from '../../../core/errors.ts';
import { baseOf } from '../../../image/image-facts.ts';
import type { PublishedImage } from '../../../image/published-image.ts';
import { makePlan } from '../../../plan/make-plan.ts';
import type { PlannedModel } from '../../../plan/types.ts';
import type { Session } from '../../session.ts';

/** The plan of a published image, or why there is none. */
export type ImagePlan =
  | { readonly planned: PlannedModel; readonly why?: undefined }
  | { readonly why: string; readonly planned?: undefined };

/**
 * Returns the plan of an image that is published: its entry in models.yaml, at the image's own revision. There is none if
 * the file has no such model or has moved on.
 */
export async function planOfImage(
  session: Session,
  config: Config,
  image: PublishedImage,
): Promise<ImagePlan> {
  const { model } = image;
  if (model === undefined) return { why: 'it does not name a model' };
  const short = path.posix.basename(model.dir);
  const entry = config.models.find(one => one.id === model.id && one.short === short);
  if (entry === undefined) return { why: `${config.file} has no model ${model.id} with short ${short}` };
  const base = baseOf(image)?.name;
  if (base !== entry.baseImage)
    return {
      why: `the image is on ${base ?? 'an unknown base'}, and ${config.file} names ${entry.baseImage}`,
    };
  const plan = await makePlan(config, [{ ...entry, revision: model.revision }], {
    hub: session.services.hub,
    targets: 'none',
    overrides: {},
    env: session.env,
    signal: session.signal,
  });
  const [planned] = plan.models;
  // As the publish stated it: the revision as the file has it, and what it was resolved to.
  if (planned?.kind === 'planned') return { planned: { ...planned, model: entry } };
  return {
    why: planned === undefined ? 'it has no plan' : describeError(errorFromJson(planned.error)),
  };
}
