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
        const { file, included } = config;
        const count = `${models.length} model${models.length === 1 ? '' : 's'}`;
        if (session.isJson)
          session.print(JSON.stringify({ schemaVersion: 1, file, included, models }, null, 2));
        else if (included.length === 0) session.print(`${file} is valid: ${count}`);
        else session.print(`${file} is valid: ${count} in ${included.length + 1} files`);
        return ExitStatus.done;
      }),
    );
}
