import { appendFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { NamedText } from '../../../config/config-files.ts';
import type { Config, ModelConfig } from '../../../config/types.ts';
import { ConfigError } from '../../../core/errors.ts';
import { commitsOf, isSameCommits, type Lock } from '../../../plan/lock/lock.ts';
import { updateLock } from '../../../plan/lock/update.ts';
import { createPlanReaders } from '../../../plan/make-plan.ts';
import type { ModelPin, Plan } from '../../../plan/types.ts';
import type { UpdateJson } from '../../../report/json/update-json.ts';
import { updatePage } from '../../../report/markdown/update-page.ts';
import { updateReport } from '../../../report/text/update-report.ts';
import { lockOfFile, lockPath, readBaseDigests, saveLock } from '../../lock-file.ts';
import {
  type CommonOptions,
  chooseModels,
  readConfig,
  withConfig,
  withJson,
  withRegistries,
} from '../../options.ts';
import { prepareOutput, writeOutput } from '../../output-file.ts';
import { pinsOf, planModels } from '../../planning.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { type MovedBases, moveBases } from './newer-bases.ts';

interface UpdateOptions extends CommonOptions {
  readonly base?: boolean;
  readonly keepCommits?: boolean;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly summary?: string;
}

/** Adds `weighbridge update` to the program. */
export function addUpdate(program: Command): void {
  withJson(withRegistries(withConfig(program.command('update [model...]')), 'use this prefix'))
    .description('move weighbridge.lock to the newest commits and base images, and show what changes')
    .option('--base', 'also move base_image in the file to the newest release that the models run on')
    .option('--keep-commits', 'move only base images: their digests, and with --base their releases')
    .option('--dry-run', 'write neither the lock nor the file')
    .option('--force', 'move the named models even if they may no longer be published as before')
    .option('--summary <file>', 'append the changes to a file, as Markdown for a pull request')
    .addHelpText(
      'after',
      `
A model that may no longer be published as before (license, gate, safety scan, fit: enforce) keeps its commit. Review it,
then accept it with: weighbridge update <model> --force. New models are added with \`plan --lock\`.
Exit status: 0 success, 1 a model could not be resolved (the others are moved).`,
    )
    .action((names: readonly string[], options: UpdateOptions) =>
      runSession(options, async session => {
        if (options.force && names.length === 0)
          throw new ConfigError('--force needs the names of the models', {
            code: 'USAGE',
            remedy: 'Review each of them, then: weighbridge update <model> --force.',
          });
        const config = await readConfig(options, session);
        const lock = await requiredLock(config);
        const named = names.length === 0 ? undefined : names;
        const models = chooseModels(config, named);
        if (options.summary !== undefined) await prepareOutput(options.summary, options.config);
        const { result, after, files } = await look(
          session,
          config,
          models,
          lock,
          options,
          named !== undefined,
        );
        if (options.dryRun !== true) {
          for (const { file, text } of files) await writeOutput(file, text);
          await saveLock(config, after);
        }
        session.progress.stop();
        if (options.summary !== undefined) await appendFile(options.summary, updatePage(result));
        session.print(
          session.isJson ? JSON.stringify(result, null, 2) : updateReport(result, session.stdout),
        );
        return result.models.some(({ error }) => error !== undefined) ? ExitStatus.failed : ExitStatus.done;
      }),
    );
}

async function requiredLock(config: Config): Promise<Lock> {
  const lock = await lockOfFile(config);
  if (lock !== undefined) return lock;
  throw new ConfigError(`There is no lock to update: ${lockPath(config)} does not exist`, {
    code: 'USAGE',
    subject: lockPath(config),
    remedy: 'Review the plan and write it with: weighbridge plan --lock.',
  });
}

async function look(
  session: Session,
  config: Config,
  models: readonly ModelConfig[],
  lock: Lock,
  options: UpdateOptions,
  isNamed: boolean,
): Promise<{ readonly result: UpdateJson; readonly after: Lock; readonly files: readonly NamedText[] }> {
  const overrides = options.registry ?? {};
  const readers = createPlanReaders(session.services.hub, session.signal);
  const common = { targets: 'optional' as const, overrides, readers };
  const pins = pinsOf(models, lock);
  const newest = await planModels(session, config, models, {
    ...common,
    looksAtNewer: options.base === true,
    ...(options.keepCommits && { pins: withoutBases(pins) }),
  });
  const locked = await asLocked(session, config, newest, { ...common, pins });
  const moved: MovedBases = options.base
    ? await moveBases(session, config, newest, Object.keys(overrides))
    : { bases: [], config, files: [] };
  const fresh = await onNewBases(session, moved.config, newest, common);
  const baseDigest = await readBaseDigests(
    session,
    fresh.models.map(({ model }) => model),
  );
  const { lock: after, models: updates } = updateLock({
    locked,
    fresh: fresh.models,
    lock,
    baseDigest,
    forced: new Set(options.force && isNamed ? models.map(({ short }) => short) : []),
  });
  const result: UpdateJson = {
    schemaVersion: 1,
    isDryRun: options.dryRun === true,
    bases: moved.bases,
    models: updates,
  };
  return { result, after, files: moved.files };
}

/** The models as the lock pins them. One whose newest commit is the locked one is not asked about twice. */
async function asLocked(
  session: Session,
  config: Config,
  newest: Plan,
  options: Parameters<typeof planModels>[3] & { readonly pins: ReadonlyMap<string, ModelPin> },
): Promise<Plan['models']> {
  const { pins } = options;
  const entries = newest.models.filter(({ kind, model }) => kind === 'planned' && pins.has(model.short));
  const isSame = (entry: Plan['models'][number]): boolean =>
    entry.kind === 'planned' && isPinned(commitsOf(entry), pins.get(entry.model.short));
  const moving = entries.filter(entry => !isSame(entry)).map(({ model }) => model);
  if (moving.length === 0) return entries;
  session.progress.renew();
  const { models } = await planModels(session, config, moving, options);
  return [...entries.filter(isSame), ...models];
}

function isPinned(commits: ModelPin, pin: ModelPin | undefined): boolean {
  return pin !== undefined && isSameCommits(commits, pin);
}

/** The commits that are pinned, without the base images. */
function withoutBases(pins: ReadonlyMap<string, ModelPin>): ReadonlyMap<string, ModelPin> {
  return new Map([...pins].map(([short, { baseDigest: _, ...commits }]) => [short, commits]));
}

/** Models whose base image moves are planned again on it, at the commits that were just found. */
async function onNewBases(
  session: Session,
  config: Config,
  plan: Plan,
  common: Omit<Parameters<typeof planModels>[3], 'pins'>,
): Promise<Plan> {
  const now = new Map(config.models.map(model => [model.short, model]));
  const pins = new Map<string, ModelPin>();
  const moving = plan.models.flatMap(entry => {
    const model = now.get(entry.model.short);
    if (model === undefined || entry.kind === 'unresolved' || model.baseImage === entry.model.baseImage)
      return [];
    pins.set(model.short, commitsOf(entry));
    return [model];
  });
  if (moving.length === 0) return plan;
  session.progress.renew();
  const again = await planModels(session, config, moving, { ...common, pins });
  const found = new Map(again.models.map(entry => [entry.model.short, entry]));
  return { ...plan, models: plan.models.map(entry => found.get(entry.model.short) ?? entry) };
}
