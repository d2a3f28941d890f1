import type { Command } from 'commander';
import { clean, paragraph } from '../../../report/layout/text-layout.ts';
import { styleFor } from '../../../report/progress/style.ts';
import { type CommonOptions, withConfig, withJson, withRegistries } from '../../options.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { runCheckups } from './checkups.ts';
import type { Checkup } from './types.ts';

/** Adds `weighbridge doctor` to the program. */
export function addDoctor(program: Command): void {
  withJson(withRegistries(withConfig(program.command('doctor')), 'check only here'))
    .description('check this machine, its logins and models.yaml, and say what to do about each problem')
    .addHelpText(
      'after',
      `
Looks at Node.js, the certificate authorities that are trusted, models.yaml, the Hub and its token, every registry
(reachable, login found, push allowed), base images, a container engine, a GPU, Trivy and cosign. To test whether a login may push, an upload is started and cancelled.
Exit status 1: something that \`publish\` needs does not work. A missing engine, GPU or scanner is only noted.`,
    )
    .action((options: CommonOptions) =>
      runSession(options, async session => {
        const checkups = await runCheckups(session, options);
        session.progress.stop();
        if (session.isJson)
          session.print(JSON.stringify({ schemaVersion: 1, isReady: isReady(checkups), checkups }, null, 2));
        else session.print(doctorText(checkups, session.stdout));
        return isReady(checkups) ? ExitStatus.done : ExitStatus.failed;
      }),
    );
}

const MARKS = { ok: '✓', note: '-', failed: '✗' } as const;

function isReady(checkups: readonly Checkup[]): boolean {
  return checkups.every(({ status }) => status !== 'failed');
}

function doctorText(checkups: readonly Checkup[], { columns, isColor }: Session['stdout']): string {
  const style = styleFor(isColor);
  const paint = { ok: style.good, note: style.quiet, failed: style.bad } as const;
  return checkups
    .flatMap(({ name, status, detail, remedy }) => [
      ...paragraph(`${clean(name)}: ${clean(detail)}`, { columns, indent: 2 })
        .map((line, index) => (index === 0 ? `${MARKS[status]}${line.slice(1)}` : line))
        .map(paint[status]),
      ...(remedy === undefined ? [] : paragraph(clean(remedy), { columns, indent: 4 })),
    ])
    .concat('', verdict(checkups, style))
    .join('\n');
}

function verdict(checkups: readonly Checkup[], { good, bad }: ReturnType<typeof styleFor>): string {
  const count = checkups.filter(({ status }) => status === 'failed').length;
  if (count === 0) return good('Everything that `publish` needs works.');
  return bad(
    count === 1
      ? '1 problem keeps `publish` from working.'
      : `${count} problems keep \`publish\` from working.`,
  );
}
