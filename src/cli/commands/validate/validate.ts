import type { Command } from 'commander';
import { InvalidConfigError } from '../../../config/problems.ts';
import { invalidToJson, validToJson } from '../../../report/json/validate-json.ts';
import { counted } from '../../../report/layout/text-layout.ts';
import { type CommonOptions, readConfig, withConfig, withJson } from '../../options.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';

/** Adds `weighbridge validate` to the program. */
export function addValidate(program: Command): void {
  withJson(withConfig(program.command('validate')))
    .description('check models.yaml, offline')
    .addHelpText(
      'after',
      `
All mistakes are reported at once, with file, line, column and a suggestion; --json has one entry for each. In a GitHub
Actions job they are annotations too. Exit status: 0 valid, 2 not valid.`,
    )
    .action((options: CommonOptions) => runSession(options, session => validate(session, options)));
}

async function validate(session: Session, options: CommonOptions): Promise<number> {
  try {
    const config = await readConfig(options, session);
    const { file, included, models } = config;
    const count = counted(models.length, 'model');
    if (session.isJson) session.print(JSON.stringify(validToJson(config), null, 2));
    else if (included.length === 0) session.print(`${file} is valid: ${count}`);
    else session.print(`${file} is valid: ${count} in ${included.length + 1} files`);
    return ExitStatus.done;
  } catch (error) {
    if (!session.isJson || !(error instanceof InvalidConfigError)) throw error;
    session.print(JSON.stringify(invalidToJson(options.config, error), null, 2));
    // The mistakes go to stderr as well, as those of every command do.
    throw error;
  }
}
