import { type Command, Option } from 'commander';
import { isRefused } from '../../../core/errors.ts';
import type { PublishOutcome } from '../../../publish/types.ts';
import { githubMatrix } from '../../../report/ci/github-matrix.ts';
import { outdatedJson, outdatedPlan } from '../../../report/json/outdated-json.ts';
import { outdatedReport } from '../../../report/text/outdated-report.ts';
import { type CommonOptions, readConfig, withJson, withModelList, withShard } from '../../options.ts';
import { prepareOutput } from '../../output-file.ts';
import { writePlan } from '../../plan-file.ts';
import { hasUnresolved, noteUnresolved, planFor } from '../../planning.ts';
import { lookAtRegistries } from '../../registry-state.ts';
import { ExitStatus, runSession } from '../../session.ts';

interface OutdatedOptions extends CommonOptions {
  readonly format: 'table' | 'json' | 'github';
  readonly out?: string;
}

/** Adds `weighbridge outdated` to the program. */
export function addOutdated(program: Command): void {
  withJson(withShard(withModelList(program.command('outdated'), 'look only here')))
    .description('list the models whose images a publish would change, and why')
    .addOption(
      new Option('--format <format>', 'as for `plan`; github is a job matrix of these models')
        .choices(['table', 'json', 'github'])
        .default('table'),
    )
    .option('--out <file>', 'write the plan of these models to a file, for `publish --plan <file>`')
    .addHelpText(
      'after',
      `
A model is outdated if the Hub has a newer revision, the base image's tag has moved, models.yaml has changed, or an image
is missing. For each base image, outdated also names the newest vLLM that has no known incompatibility with its models.
Writes nothing but --out. Exit status: 0 success, 1 the Hub, a registry or a base image could not be read for a model
(the others are shown).`,
    )
    .action((options: OutdatedOptions) =>
      runSession({ ...options, json: options.json === true || options.format === 'json' }, async session => {
        const config = await readConfig(options, session);
        if (options.out !== undefined) await prepareOutput(options.out, options.config);
        const plan = await planFor(session, config, { ...options, looksAtNewer: true }, 'required');
        const outcomes = await lookAtRegistries(session, plan);
        if (options.format === 'github') noteUnresolved(session, plan);
        session.progress.stop();
        if (options.out !== undefined)
          await writePlan(options.out, outdatedPlan(plan, outcomes), config, options);
        const result = outdatedJson(plan, outcomes);
        if (options.format === 'github')
          session.print(JSON.stringify(githubMatrix(outdatedPlan(plan, outcomes))));
        else if (session.isJson) session.print(JSON.stringify(result, null, 2));
        else session.print(outdatedReport(result, session.stdout));
        const isWhole = !hasUnresolved(plan) && !hasUnknown(outcomes);
        return isWhole ? ExitStatus.done : ExitStatus.failed;
      }),
    );
}

/** Whether a registry did not tell what it holds. */
function hasUnknown(outcomes: readonly PublishOutcome[]): boolean {
  return outcomes.some(({ images }) =>
    images.some(image => image.status === 'failed' && !isRefused(image.error)),
  );
}
