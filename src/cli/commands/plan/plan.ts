import path from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readConfigFiles } from '../../../config/config-files.ts';
import type { Config } from '../../../config/types.ts';
import { ConfigError } from '../../../core/errors.ts';
import { packageVersion, releaseImage } from '../../../engine/package-info.ts';
import { parseReference } from '../../../oci/reference.ts';
import { formatPlan } from '../../../plan/plan-file.ts';
import type { Plan } from '../../../plan/types.ts';
import type { Preview } from '../../../publish/preview.ts';
import { githubMatrix } from '../../../report/ci/github-matrix.ts';
import { gitlabPipeline } from '../../../report/ci/gitlab-pipeline.ts';
import { kubernetesJob } from '../../../report/ci/kubernetes-job.ts';
import { planToJson } from '../../../report/json/plan-json.ts';
import { explanations } from '../../../report/text/explanation.ts';
import { planTable } from '../../../report/text/plan-table.ts';
import {
  type CommonOptions,
  readConfig,
  withJson,
  withLock,
  withModelList,
  withShard,
} from '../../options.ts';
import { prepareOutput } from '../../output-file.ts';
import { writePlan } from '../../plan-file.ts';
import { hasUnresolved, noteUnresolved, planFor } from '../../planning.ts';
import { lookAtBases, lookAtRegistries } from '../../registry-state.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';

interface PlanOptions extends CommonOptions {
  readonly format: 'table' | 'json' | 'github' | 'gitlab' | 'kubernetes';
  readonly workerImage?: string;
  readonly workerCommand?: readonly string[];
  readonly parallelism?: number;
  readonly registryState?: boolean;
  readonly explain?: string;
  readonly reasons?: boolean;
  readonly out?: string;
}

const DEFAULT_PARALLELISM = 8;

/** Adds `weighbridge plan` to the program. */
export function addPlan(program: Command): void {
  withLock(withJson(withShard(withModelList(program.command('plan')))))
    .description('show what would be published, and why')
    .addOption(
      new Option(
        '--format <format>',
        'table, json, or input for CI: github (job matrix), gitlab (child pipeline), kubernetes (Job)',
      )
        .choices(['table', 'json', 'github', 'gitlab', 'kubernetes'])
        .default('table'),
    )
    .option(
      '--worker-image <reference>',
      "image of gitlab and kubernetes jobs (default: this release's own)",
      parseImage,
    )
    .option(
      '--worker-command <command>',
      'what starts Weighbridge in that image (default: weighbridge)',
      parseCommand,
    )
    .option(
      '--parallelism <count>',
      `number of models that a kubernetes Job publishes at once (default: ${DEFAULT_PARALLELISM})`,
      parseCount,
    )
    .option(
      '--registry-state',
      'also read registries, to show what is published and what would be uploaded (default for a table)',
    )
    .option('--no-registry-state', 'read only the Hub: no registries, no base images')
    .option('--out <file>', 'also write the plan to a file, for `publish --plan <file>`')
    .option('--lock', 'write weighbridge.lock: pins models that are not in it yet; `update` moves the others')
    .option('--reasons', 'show the reasons for each model even if the list is long (default: up to 8 models)')
    .option('--no-reasons', 'show only the table even if the list is short')
    .option(
      '--explain <id or short>',
      'show the reasoning for one model, and what in models.yaml would change it',
    )
    .addHelpText(
      'after',
      `
Writes only --out and --lock. Registries that cannot be read (no login, unreachable) are reported and skipped: the plan
does not depend on them. Exit status: 0 success, 1 a model could not be resolved (the others are shown).`,
    )
    .action((options: PlanOptions) => {
      const isJson = options.json === true || options.format === 'json';
      return runSession({ ...options, json: isJson }, session => showPlan(session, options));
    });
}

async function showPlan(session: Session, options: PlanOptions): Promise<number> {
  const { format, explain, out } = options;
  checkFormat(options);
  if (format === 'gitlab' || format === 'kubernetes') workerOf(options);
  const config = await readConfig(options, session);
  const only = explain === undefined ? {} : { model: [explain] };
  if (out !== undefined) await prepareOutput(out, options.config);
  const plan = await planFor(
    session,
    config,
    { ...options, ...only, writesLock: options.lock === true },
    out === undefined ? 'optional' : 'required',
  );
  if (out !== undefined) await writePlan(out, plan, config, options);
  const isForPeople = format === 'table' || format === 'json';
  const outcomes = isForPeople ? await look(session, plan, options) : undefined;
  if (!isForPeople) noteUnresolved(session, plan);
  session.progress.stop();
  if (format === 'github') session.print(JSON.stringify(githubMatrix(plan)));
  else if (format === 'gitlab') session.print(gitlab(plan, options));
  else if (format === 'kubernetes') session.print(await kubernetes(plan, config, options));
  else if (session.isJson) session.print(JSON.stringify(planToJson(plan, outcomes), null, 2));
  else if (explain !== undefined) session.print(explanations(plan, { ...session.stdout, outcomes }));
  else session.print(planTable(plan, { ...session.stdout, outcomes, hasReasons: options.reasons }));
  return hasUnresolved(plan) ? ExitStatus.failed : ExitStatus.done;
}

/** An option that a format has no use for would go by unseen. Throws ConfigError USAGE before any work. */
function checkFormat(options: PlanOptions): void {
  const { format, model, shard } = options;
  if (format === 'kubernetes' && (model !== undefined || shard !== undefined)) {
    throw new ConfigError(
      'a Kubernetes Job publishes the whole file: --model and --shard cannot be combined with it',
      { code: 'USAGE', remedy: 'Pass a file with only these models.' },
    );
  }
  const isForPeople = format === 'table' || format === 'json';
  const hasWorker = format === 'gitlab' || format === 'kubernetes';
  const useless: readonly (readonly [option: string, isUseless: boolean])[] = [
    // A job matrix is JSON in any case.
    ['--json', hasWorker && options.json === true],
    ['--explain', !isForPeople && options.explain !== undefined],
    ['--reasons', !isForPeople && options.reasons === true],
    ['--worker-image', !hasWorker && options.workerImage !== undefined],
    ['--worker-command', !hasWorker && options.workerCommand !== undefined],
    ['--parallelism', format !== 'kubernetes' && options.parallelism !== undefined],
  ];
  const found = useless.flatMap(([option, isUseless]) => (isUseless ? [option] : []));
  if (found.length === 0) return;
  throw new ConfigError(`${found.join(' and ')} cannot be combined with --format ${format}`, {
    code: 'USAGE',
    remedy: `Leave out --format or ${found.join(' and ')}.`,
  });
}

/** A table shows what registries have; JSON and explanations show what images are made of. `--registry-state` is for all. */
async function look(
  session: Session,
  plan: Plan,
  { registryState, explain }: PlanOptions,
): Promise<Preview[] | undefined> {
  const isTable = explain === undefined && !session.isJson;
  if (registryState ?? isTable) return await lookAtRegistries(session, plan, { isDetailed: !isTable });
  return isTable || registryState === false ? undefined : await lookAtBases(session, plan);
}

function gitlab(plan: Plan, options: PlanOptions): string {
  const { config, out } = options;
  return gitlabPipeline(plan, { ...workerOf(options), config, plan: out }).trimEnd();
}

/** The file goes along as it is, so that an index means the same model to all workers. */
async function kubernetes(plan: Plan, config: Config, options: PlanOptions): Promise<string> {
  const { parallelism = DEFAULT_PARALLELISM } = options;
  const { main, included } = await readConfigFiles(options.config);
  const folder = path.dirname(main.file);
  const configFiles = [
    { path: 'models.yaml', text: main.text },
    ...included.map(({ file, text }) => ({ path: path.relative(folder, file), text })),
  ];
  const count = config.models.length;
  const { out, registry: overrides = {} } = options;
  const planText = out === undefined ? undefined : formatPlan(plan, config, { overrides });
  const common = { ...workerOf(options), version: packageVersion() };
  const job = { ...common, configFiles, planText, count, parallelism };
  return kubernetesJob(job).trimEnd();
}

/**
 * A job has the Hub's token and the logins of registries in its environment. A bare name of a package would run what
 * anybody may publish under it: it is an image, the release's own or the caller's. Throws ConfigError USAGE.
 */
function workerOf({ format, workerImage, workerCommand }: PlanOptions): {
  readonly workerImage: string;
  readonly workerCommand: readonly string[];
} {
  const image = workerImage ?? releaseImage();
  if (image !== undefined) return { workerImage: image, workerCommand: workerCommand ?? ['weighbridge'] };
  throw new ConfigError(
    `--format ${format} needs --worker-image: this build of Weighbridge is not a release, and has no image`,
    {
      code: 'USAGE',
      remedy:
        'Build one in a clone with `npm run image -- --push registry.example/weighbridge:1`, and pass --worker-image registry.example/weighbridge:1.',
    },
  );
}

function parseImage(value: string): string {
  try {
    parseReference(value);
    return value;
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

function parseCommand(value: string): readonly string[] {
  const words = value.split(/\s+/).filter(word => word !== '');
  if (words.length === 0) throw new InvalidArgumentError('The command is empty.');
  return words;
}

function parseCount(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected a whole number from 1.');
}
