import { type ConfigFiles, type NamedText, readConfigFiles } from '../../../config/config-files.ts';
import { parseConfigFiles } from '../../../config/load-config.ts';
import type { Config } from '../../../config/types.ts';
import { moveBase } from '../../../config/yaml/move-base.ts';
import { isAbort, WeighbridgeError } from '../../../core/errors.ts';
import { mapPool } from '../../../core/pool.ts';
import { parseReference } from '../../../oci/reference.ts';
import { chooseBase } from '../../../plan/newer-base.ts';
import { type Plan, plannedModels } from '../../../plan/types.ts';
import type { BaseUpdate } from '../../../report/json/update-json.ts';
import type { Session } from '../../session.ts';

/** More than vLLM has. */
const MAX_TAGS = 20_000;
const BASES_AT_ONCE = 4;

/** What base images move to, and the files that say so. */
export interface MovedBases {
  readonly bases: readonly BaseUpdate[];
  readonly config: Config;
  /** The files with the new base images; empty if none moves. */
  readonly files: readonly NamedText[];
}

/**
 * Looks for the newest releases that the models of a plan run on. Returns the base images to move; one that other
 * models share stays.
 */
export async function moveBases(
  session: Session,
  config: Config,
  plan: Plan,
  extraRegistries: readonly string[],
): Promise<MovedBases> {
  const chosen = new Set(plan.models.map(({ model }) => model.short));
  const images = [...new Set(plan.models.map(({ model }) => model.baseImage))];
  const before = await readConfigFiles(config.file);
  const found = await mapPool(images, BASES_AT_ONCE, async (from): Promise<BaseUpdate> => {
    const others = config.models.filter(model => model.baseImage === from && !chosen.has(model.short));
    if (others.length > 0)
      return { from, reason: `${others[0]?.short} uses it too, and was not named: leave out the names` };
    const models = plannedModels(plan).filter(({ model }) => model.baseImage === from);
    if (models.length === 0) return { from, reason: 'none of its models could be resolved' };
    try {
      return await newerBase(session, from, models);
    } catch (error) {
      if (isAbort(error) || !(error instanceof WeighbridgeError)) throw error;
      return { from, reason: error.message };
    }
  });
  let files = before;
  const bases = found.map((base): BaseUpdate => {
    if (base.to === undefined) return base;
    const moved = onEachFile(files, ({ text }) => moveBase(text, base.from, base.to ?? base.from));
    const after = parseConfigFiles(moved, { extraRegistries });
    if (after.models.some(({ baseImage }) => baseImage === base.from))
      return {
        from: base.from,
        reason: `${config.file} does not write it in base_image; ${base.to} is newer`,
      };
    files = moved;
    return base;
  });
  const texts = new Map([before.main, ...before.included].map(({ file, text }) => [file, text]));
  const changed = [files.main, ...files.included].filter(({ file, text }) => texts.get(file) !== text);
  if (changed.length === 0) return { bases, config, files: [] };
  return { bases, config: parseConfigFiles(files, { extraRegistries }), files: changed };
}

function onEachFile(files: ConfigFiles, change: (file: NamedText) => string): ConfigFiles {
  const changed = (file: NamedText): NamedText => ({ ...file, text: change(file) });
  return { ...files, main: changed(files.main), included: files.included.map(changed) };
}

async function newerBase(
  session: Session,
  from: string,
  models: Parameters<typeof chooseBase>[2],
): Promise<BaseUpdate> {
  const { registry, repository, tag, digest } = parseReference(from);
  const store = session.services.openRepository(`${registry}/${repository}`, 'pull');
  const choice = chooseBase(from, await store.listTags(MAX_TAGS, session.signal), models);
  if ('reason' in choice) return { from, reason: choice.reason };
  const newDigest = digest && (await store.resolveTag(choice.tag, session.signal));
  if (digest && newDigest === undefined) return { from, reason: `${choice.tag} does not exist any more` };
  const name = from.slice(0, (digest ? from.indexOf('@') : from.length) - (tag ?? '').length);
  return { from, to: `${name}${choice.tag}${newDigest ? `@${newDigest}` : ''}` };
}
