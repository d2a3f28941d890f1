import type { Command } from 'commander';
import { clean, paragraph } from '../../../report/layout/text-layout.ts';
import { styleFor } from '../../../report/progress/style.ts';
import { type CommonOptions, withConfig, withJson, withRegistries } from '../../options.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { runCheckups } from './checkups.ts';
import type { Checkup } from './types.ts';

export function addDoctor(program: Command): void {
  withJson(withRegistries(withConfig(program.command('doctor')), 'look only here'))
    .description('check this machine, its logins and models.yaml, and say what to do about each problem')
    .addHelpText(
      'after',
      `
Looks at Node.js, models.yaml, the Hub, every registry (reachable, login found, push allowed as far as its token tells),
base images, a container engine, a GPU, Trivy and cosign. Nothing is written anywhere.
Exit status 1: something that \`publish\` needs does not work. A missing engine, GPU or scanner is only noted.`,
    )
    .action((options: CommonOptions) =>
      runSession(options, async session => {
        const checkups = await runCheckups(session, options);
        session.progress.stop();
        if (session.isJson) session.print(JSON.stringify({ schemaVersion: 1, checkups }, null, 2));
        else session.print(doctorText(checkups, session.stdout));
        return checkups.some(({ status }) => status === 'failed') ? ExitStatus.failed : ExitStatus.done;
      }),
    );
}

const MARKS = { ok: '✓', note: '-', failed: '✗' } as const;

function doctorText(checkups: readonly Checkup[], { columns, isColor }: Session['stdout']): string {
  const style = styleFor(isColor);
  const paint = { ok: style.good, note: style.quiet, failed: style.bad } as const;
  return checkups
    .flatMap(({ name, status, detail, remedy }) => [
      ...paragraph(`${MARKS[status]} ${clean(name)}: ${clean(detail)}`, { columns, indent: 0 }).map(
        paint[status],
      ),
      ...(remedy === undefined ? [] : paragraph(clean(remedy), { columns, indent: 4 })),
    ])
    .join('\n');
}
