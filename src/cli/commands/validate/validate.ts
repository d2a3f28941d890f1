import type { Command } from 'commander';
import { type CommonOptions, readConfig, withConfig, withJson } from '../../options.ts';
import { ExitStatus, runSession } from '../../session.ts';

export function addValidate(program: Command): void {
  withJson(withConfig(program.command('validate')))
    .description('check models.yaml, offline')
    .action((options: CommonOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        const models = config.models.map(({ id, short }) => ({ id, short }));
        if (session.isJson)
          session.print(JSON.stringify({ schemaVersion: 1, file: config.file, models }, null, 2));
        else
          session.print(`${config.file} is valid: ${models.length} model${models.length === 1 ? '' : 's'}`);
        return ExitStatus.done;
      }),
    );
}
