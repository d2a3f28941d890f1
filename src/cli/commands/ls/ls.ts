import type { Command } from 'commander';
import { readPublished } from '../../../inspect/read-published.ts';
import { chooseTargets } from '../../../plan/targets.ts';
import { lsToJson } from '../../../report/json/ls-json.ts';
import { lsReport } from '../../../report/text/ls-report.ts';
import { type CommonOptions, chooseModels, readConfig, withJson, withModelList } from '../../options.ts';
import { ExitStatus, runSession } from '../../session.ts';

/** Adds `weighbridge ls` to the program. */
export function addLs(program: Command): void {
  withJson(withModelList(program.command('ls'), 'look only here'))
    .description(
      'list published images by model, variant and version, and whether they are signed and scanned',
    )
    .addHelpText(
      'after',
      `
Lists only images that Weighbridge published. Does not use the Hub; \`outdated\` compares the images with it.
Exit status: 0 success, 1 a repository could not be read (the others are listed).`,
    )
    .action((options: CommonOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        const { services, signal, env } = session;
        const choice = { overrides: options.registry ?? {}, env };
        const places = chooseModels(config, options.model).map(model => ({
          id: model.id,
          short: model.short,
          targets: chooseTargets(config, model, choice).targets,
        }));
        const found = await readPublished(places, {
          open: repository => services.openRepository(repository, 'pull'),
          referrersOf: 'all',
          signal,
        });
        session.progress.stop();
        const result = lsToJson(found);
        session.print(session.isJson ? JSON.stringify(result, null, 2) : lsReport(result, session.stdout));
        return result.models.some(({ problems }) => problems.length > 0)
          ? ExitStatus.failed
          : ExitStatus.done;
      }),
    );
}
