import path from 'node:path';
import type { Config } from '../../../config/types.ts';
import { describeError, errorFromJson } from '../../../core/errors.ts';
import { baseOf } from '../../../image/image-facts.ts';
import type { PublishedImage } from '../../../image/published-image.ts';
import { makePlan } from '../../../plan/make-plan.ts';
import type { PlannedModel } from '../../../plan/types.ts';
import type { Session } from '../../session.ts';

/**
 * Returns the plan of an image that is published: its entry in models.yaml, at the image's own revision. Undefined if
 * the file has no such model or has moved on, which is noted, since the license decision is then not stated.
 */
export async function planOfImage(
  session: Session,
  config: Config | undefined,
  image: PublishedImage,
  name: string,
): Promise<PlannedModel | undefined> {
  const { model } = image;
  if (config === undefined || model === undefined) return undefined;
  const short = path.posix.basename(model.dir);
  const without = (why: string): undefined => {
    session.note(`${name}: ${why}; signing without a license decision`);
    return undefined;
  };
  const entry = config.models.find(one => one.id === model.id && one.short === short);
  if (entry === undefined) return without(`${config.file} has no model ${model.id} with short ${short}`);
  const base = baseOf(image)?.name;
  if (base !== entry.baseImage)
    return without(
      `the image is on ${base ?? 'an unknown base'}, and ${config.file} names ${entry.baseImage}`,
    );
  const plan = await makePlan(config, [{ ...entry, revision: model.revision }], {
    hub: session.services.hub,
    targets: 'none',
    overrides: {},
    env: session.env,
    signal: session.signal,
  });
  const [planned] = plan.models;
  // As the publish stated it: the revision as the file has it, and what it was resolved to.
  if (planned?.kind === 'planned') return { ...planned, model: entry };
  return without(planned === undefined ? 'it has no plan' : describeError(errorFromJson(planned.error)));
}
