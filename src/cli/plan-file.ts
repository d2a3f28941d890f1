import type { Config } from '../config/types.ts';
import { ConfigError } from '../core/errors.ts';
import { readSmallFile } from '../core/small-file.ts';
import { reasonOf } from '../core/system-error.ts';
import { formatPlan, MAX_PLAN_BYTES, parsePlan } from '../plan/plan-file.ts';
import type { Plan } from '../plan/types.ts';
import { type CommonOptions, chooseModels } from './options.ts';
import { writeOutput } from './output-file.ts';
import type { Session } from './session.ts';

/** Writes the file that `publish --plan` reads. Throws WeighbridgeError STORE_IO. */
export async function writePlan(
  file: string,
  plan: Plan,
  config: Config,
  { registry }: Pick<CommonOptions, 'registry'>,
): Promise<void> {
  await writeOutput(file, formatPlan(plan, config, { overrides: registry ?? {} }));
}

/**
 * Reads a plan and returns its part for the chosen models. The Hub is not asked: what was planned is published, wherever
 * branches have moved since. Throws ConfigError.
 */
export async function readPlan(
  session: Session,
  file: string,
  config: Config,
  options: CommonOptions,
): Promise<Plan> {
  if (options.registry !== undefined)
    throw new ConfigError('--registry cannot be combined with --plan, which names the registries', {
      code: 'USAGE',
      remedy: 'Pass it to: weighbridge plan --out <file>.',
    });
  const plan = parsePlan(await readBytes(file), file, config, session.env);
  const chosen = new Set(chooseModels(config, options.model, options.shard));
  const models = plan.models.filter(({ model }) => chosen.has(model));
  const planned = new Set(plan.models.map(({ model }) => model));
  const missing = options.model === undefined ? undefined : [...chosen].find(model => !planned.has(model));
  if (missing !== undefined)
    throw new ConfigError(`${file} has no model ${missing.short}`, {
      code: 'USAGE',
      subject: missing.short,
      remedy: 'Plan it too, or leave it out of --model.',
    });
  return { ...plan, models };
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readSmallFile(file, { maxBytes: MAX_PLAN_BYTES, isPipeAllowed: true });
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${reasonOf(cause)}`, {
      code: 'PLAN_UNREADABLE',
      subject: file,
      remedy: 'Make it with: weighbridge plan --out <file>.',
      cause,
    });
  }
}
