import { type Command, InvalidArgumentError, Option } from 'commander';
import { readConfigText } from '../../../config/load-config.ts';
import type { Config } from '../../../config/types.ts';
import { ConfigError } from '../../../core/errors.ts';
import { packageVersion } from '../../../engine/package-info.ts';
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
  withConfig,
  withJson,
  withLock,
  withModels,
  withRegistries,
  withShard,
} from '../../options.ts';
import { prepareOutput } from '../../output-file.ts';
import { writePlan } from '../../plan-file.ts';
import { hasUnresolved, noteUnresolved, planFor } from '../../planning.ts';
import { lookAtBases, lookAtRegistries } from '../../registry-state.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';

interface PlanOptions extends CommonOptions {
  readonly format: 'table' | 'json' | 'github' | 'gitlab' | 'kubernetes';
  readonly workerImage: string;
  readonly parallelism: number;
  readonly registryState?: boolean;
  readonly explain?: string;
  readonly out?: string;
}

export function addPlan(program: Command): void {
  withLock(withJson(withShard(withRegistries(withModels(withConfig(program.command('plan')))))))
    .description('ask the Hub about every model and show what would be published, and why')
    .addOption(
      new Option(
        '--format <format>',
        'table for people, json, or what a CI system runs: github (a job matrix), gitlab (a child pipeline), kubernetes (a Job)',
      )
        .choices(['table', 'json', 'github', 'gitlab', 'kubernetes'])
        .default('table'),
    )
    .option(
      '--worker-image <reference>',
      'the image with Node.js 24 that gitlab and kubernetes run in',
      'node:24-slim',
    )
    .option('--parallelism <count>', 'how many models a kubernetes Job publishes at once', parseCount, 8)
    .option(
      '--registry-state',
      'read base images and registries too: what images are made of, what is there, what would move (the default for a table)',
    )
    .option('--no-registry-state', 'ask the Hub alone')
    .option('--out <file>', 'write the plan to a file as well, for `publish --plan <file>`')
    .option('--lock', 'write weighbridge.lock: pins models that are not in it yet; `update` moves the others')
    .option(
      '--explain <id or short>',
      'the whole reasoning about one model, and what in models.yaml would change it',
    )
    .addHelpText(
      'after',
      `
Nothing is written anywhere but to --out and --lock. A registry is only read, and one that cannot be (no login, not there) is named and left
out: the plan does not depend on it. Exit status 1: a model could not be resolved; the others are shown all the same.`,
    )
    .action((options: PlanOptions) =>
      runSession({ json: options.json === true || options.format === 'json' }, async session => {
        const config = await readConfig(options, session);
        const only = options.explain === undefined ? {} : { model: [options.explain] };
        const { out } = options;
        if (out !== undefined) await prepareOutput(out);
        const plan = await planFor(
          session,
          config,
          { ...options, ...only, writesLock: options.lock === true },
          out === undefined ? 'optional' : 'required',
        );
        if (out !== undefined) await writePlan(out, plan, config, options);
        const isForPeople = options.format === 'table' || options.format === 'json';
        const outcomes = isForPeople ? await look(session, plan, options) : undefined;
        if (!isForPeople) noteUnresolved(session, plan);
        session.progress.stop();
        if (options.format === 'github') session.print(JSON.stringify(githubMatrix(plan)));
        else if (options.format === 'gitlab') session.print(gitlab(plan, options));
        else if (options.format === 'kubernetes') session.print(await kubernetes(plan, config, options));
        else if (session.isJson) session.print(JSON.stringify(planToJson(plan, outcomes), null, 2));
        else if (options.explain !== undefined)
          session.print(explanations(plan, { ...session.stdout, outcomes }));
        else session.print(planTable(plan, { ...session.stdout, outcomes }));
        return hasUnresolved(plan) ? ExitStatus.failed : ExitStatus.done;
      }),
    );
}

/** A table shows what registries have, an explanation what images are made of; `--registry-state` is for both. */
async function look(
  session: Session,
  plan: Plan,
  { registryState, explain }: PlanOptions,
): Promise<Preview[] | undefined> {
  const isExplained = explain !== undefined && !session.isJson;
  const isTable = explain === undefined && !session.isJson;
  if (registryState ?? isTable) return await lookAtRegistries(session, plan, { isDetailed: !isTable });
  return isExplained && registryState !== false ? await lookAtBases(session, plan) : undefined;
}

function gitlab(plan: Plan, { config, workerImage, out }: PlanOptions): string {
  return gitlabPipeline(plan, { config, workerImage, version: packageVersion(), plan: out }).trimEnd();
}

/** The file goes along as it is, so that an index means the same model to all workers. */
async function kubernetes(plan: Plan, config: Config, options: PlanOptions): Promise<string> {
  if (options.model !== undefined || options.shard !== undefined) {
    throw new ConfigError(
      'a Kubernetes Job publishes the whole file: --model and --shard do not go with it',
      {
        code: 'USAGE',
        remedy: 'Give it a file with just these models.',
      },
    );
  }
  const { workerImage, parallelism } = options;
  const configText = await readConfigText(options.config);
  const count = config.models.length;
  const { out, registry: overrides = {} } = options;
  const planText = out === undefined ? undefined : formatPlan(plan, config, { overrides });
  const job = { configText, planText, count, version: packageVersion(), workerImage, parallelism };
  return kubernetesJob(job).trimEnd();
}

function parseCount(value: string): number {
  if (/^[1-9]\d{0,5}$/.test(value)) return Number(value);
  throw new InvalidArgumentError('Expected a whole number from 1.');
}
