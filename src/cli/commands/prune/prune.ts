import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../../../config/types.ts';
import { VARIANTS } from '../../../config/types.ts';
import { ConfigError, errorFromJson, isAbort } from '../../../core/errors.ts';
import { mapPool } from '../../../core/pool.ts';
import { ownValue } from '../../../core/table.ts';
import type { Lock } from '../../../plan/lock/lock.ts';
import { tagsFor } from '../../../plan/tags.ts';
import { chooseTargets } from '../../../plan/targets.ts';
import type { Plan } from '../../../plan/types.ts';
import { type PruneEntry, pruneToJson } from '../../../report/json/prune-json.ts';
import { pruneReport } from '../../../report/text/prune-report.ts';
import {
  pruneRepository,
  type PruneOptions as RepositoryOptions,
} from '../../../retention/prune-repository.ts';
import { lockOfFile } from '../../lock-file.ts';
import { type CommonOptions, collect, readConfig, withJson, withModelList } from '../../options.ts';
import { planFor } from '../../planning.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { openForPruning } from './open-for-pruning.ts';

interface PruneOptions extends CommonOptions {
  readonly yes?: boolean;
  readonly keep?: number;
  readonly youngerThan?: number;
  readonly removed?: readonly string[];
}

interface Job {
  readonly short: string;
  readonly repository: string;
  readonly rules: RepositoryOptions['rules'];
}

const REPOSITORIES_AT_ONCE = 6;
const DAY_MS = 86_400_000;

/** Adds `weighbridge prune` to the program. */
export function addPrune(program: Command): void {
  withJson(withModelList(program.command('prune'), 'look only here'))
    .description('delete old published images; without --yes, only list them')
    .option('-y, --yes', 'delete them')
    .option('--keep <count>', 'number of newest images to keep of each variant', parseCount)
    .option('--younger-than <days>', 'also keep images younger than this, e.g. 30d', parseDays)
    .option(
      '--removed <short>',
      'delete all images of a model that is no longer in the file; repeatable',
      collect,
    )
    .addHelpText(
      'after',
      `
Keeps the tags of models.yaml and weighbridge.lock, the newest images of each variant (retention.keep, 3 by default),
images younger than retention.younger_than, images that Weighbridge did not publish, and everything these refer to:
platforms, signatures, attestations, scans. If a manifest of a repository cannot be read, nothing in that repository is
deleted.

GHCR deletes through GitHub's packages API: GITHUB_TOKEN, or the password of the login, needs delete:packages. The registry
frees the space at its next garbage collection. Exit status 1: a repository could not be read or pruned.`,
    )
    .action((options: PruneOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        const lock = await lockOfFile(config);
        const jobs = options.removed
          ? removedJobs(session, config, options, options.removed)
          : currentJobs(await planFor(session, config, options, 'required'), config, lock, options);
        const pruned = await mapPool(jobs, REPOSITORIES_AT_ONCE, async job =>
          'outcome' in job ? job : await prune(session, job, options),
        );
        session.progress.stop();
        const shorts = new Set(config.models.map(({ short }) => short));
        const left = Object.keys(lock?.models ?? {}).filter(short => !shorts.has(short));
        const result = pruneToJson(pruned, { isDryRun: options.yes !== true, left });
        session.print(session.isJson ? JSON.stringify(result, null, 2) : pruneReport(result, session.stdout));
        const isFailed = result.repositories.some(({ error }) => error !== undefined);
        return isFailed ? ExitStatus.failed : ExitStatus.done;
      }),
    );
}

/** A model that cannot be resolved is not pruned: which of its tags are current is not known. */
function currentJobs(
  plan: Plan,
  config: Config,
  lock: Lock | undefined,
  options: PruneOptions,
): readonly (Job | PruneEntry)[] {
  const keep = options.keep ?? config.retention.keep;
  const days = options.youngerThan ?? config.retention.youngerThanDays;
  const jobs: (Job | PruneEntry)[] = [];
  for (const entry of plan.models) {
    const { short } = entry.model;
    if (entry.kind === 'unresolved') {
      jobs.push({
        short,
        repository: `hf-${short}`,
        outcome: undefined,
        error: errorFromJson(entry.error),
      });
      continue;
    }
    const locked = ownValue(lock?.models, short)?.revision;
    const tags = new Set(
      VARIANTS.flatMap(variant => [
        ...entry.tags[variant],
        ...(locked === undefined ? [] : tagsFor(entry.model, variant, locked)),
      ]),
    );
    const youngerThanMs = days === null ? undefined : days * DAY_MS;
    const rules = { tags, keep, youngerThanMs, nowMs: Date.now() };
    for (const { repository } of entry.targets) jobs.push({ short, repository, rules });
  }
  return jobs;
}

function removedJobs(
  { env }: Session,
  config: Config,
  options: PruneOptions,
  shorts: readonly string[],
): Job[] {
  const [model] = config.models;
  return shorts.flatMap(short => {
    if (config.models.some(one => one.short === short))
      throw wrongShort(
        `${short} is still in ${config.file}`,
        'Take it out of the file first, or prune without --removed.',
      );
    if (!/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/.test(short))
      throw wrongShort(
        `${JSON.stringify(short)} is not the short name of a model`,
        'It is what its images are named by: hf-<short>.',
      );
    if (model === undefined) return [];
    // Where another model of the file goes, this one went.
    const { targets } = chooseTargets(
      config,
      { ...model, short, publish: {} },
      { overrides: options.registry ?? {}, env },
    );
    return targets.map(({ repository }): Job => ({ short, repository, rules: 'removed' }));
  });
}

async function prune(
  session: Session,
  { short, repository, rules }: Job,
  options: PruneOptions,
): Promise<PruneEntry> {
  const { signal, progress } = session;
  progress.onEvent({ type: 'model-start', model: repository, phase: 'resolve' });
  try {
    const outcome = await pruneRepository(openForPruning(session, repository), {
      rules,
      signal,
      isConfirmed: options.yes === true,
    });
    const isDone = outcome.result?.error === undefined;
    progress.onEvent({ type: 'model-end', model: repository, status: isDone ? 'done' : 'failed' });
    return { short, repository, outcome, error: undefined };
  } catch (error) {
    if (isAbort(error) || signal.aborted) throw error;
    progress.onEvent({ type: 'model-end', model: repository, status: 'failed' });
    return { short, repository, outcome: undefined, error };
  }
}

function wrongShort(message: string, remedy: string): ConfigError {
  return new ConfigError(`--removed: ${message}`, { code: 'USAGE', remedy });
}

function parseCount(value: string): number {
  if (/^[1-9]\d{0,3}$/.test(value)) return Number(value);
  throw new InvalidArgumentError(
    'Expected a whole number from 1: pruning everything would leave nothing to run.',
  );
}

function parseDays(value: string): number {
  if (/^[1-9]\d{0,3}d?$/.test(value)) return Number.parseInt(value, 10);
  throw new InvalidArgumentError('Expected a number of days, such as 30d.');
}
