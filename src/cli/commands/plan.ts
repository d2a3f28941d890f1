import { type Command, Option } from 'commander';
import { githubMatrix } from '../../report/github-matrix.ts';
import { planToJson } from '../../report/plan-json.ts';
import { planTable } from '../../report/plan-table.ts';
import {
  type CommonOptions,
  readConfig,
  withConfig,
  withJson,
  withModels,
  withRegistries,
} from '../options.ts';
import { hasUnresolved, planFor } from '../planning.ts';
import { lookAtRegistries } from '../registry-state.ts';
import { ExitStatus, runSession } from '../session.ts';

interface PlanOptions extends CommonOptions {
  readonly format: 'table' | 'json' | 'github';
  readonly registryState?: boolean;
}

export function addPlan(program: Command): void {
  withJson(withRegistries(withModels(withConfig(program.command('plan')))))
    .description('ask the Hub about every model and show what would be published, and why')
    .addOption(
      new Option('--format <format>', 'table for people, json, or github: one line for a job matrix')
        .choices(['table', 'json', 'github'])
        .default('table'),
    )
    .option(
      '--registry-state',
      'look at the registries too: what is there, what would move (the default for a table)',
    )
    .option('--no-registry-state', 'ask the Hub alone')
    .addHelpText(
      'after',
      `
Nothing is written anywhere. A registry is only read, and one that cannot be (no login, not there) is named and left
out: the plan does not depend on it. Exit status 1: a model could not be resolved; the others are shown all the same.`,
    )
    .action((options: PlanOptions) =>
      runSession({ json: options.json === true || options.format === 'json' }, async session => {
        const config = await readConfig(options);
        const plan = await planFor(session, config, options, 'optional');
        const isTable = options.format === 'table' && !session.isJson;
        const outcomes =
          (options.registryState ?? isTable) && options.format !== 'github'
            ? await lookAtRegistries(session, plan)
            : undefined;
        session.progress.stop();
        if (options.format === 'github') session.print(JSON.stringify(githubMatrix(plan)));
        else if (session.isJson) session.print(JSON.stringify(planToJson(plan, outcomes), null, 2));
        else session.print(planTable(plan, { ...session.stdout, outcomes }));
        return hasUnresolved(plan) ? ExitStatus.failed : ExitStatus.done;
      }),
    );
}
