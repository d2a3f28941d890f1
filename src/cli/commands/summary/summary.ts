import type { Command } from 'commander';
import { ConfigError } from '../../../core/errors.ts';
import { readPlanJson, readPublishJson, readScanJson } from '../../../report/json/read-documents.ts';
import { jobSummary } from '../../../report/markdown/job-summary.ts';
import { planChange } from '../../../report/markdown/plan-change.ts';
import { collect } from '../../options.ts';
import { ExitStatus, runSession, type SessionOptions } from '../../session.ts';

interface SummaryOptions extends SessionOptions {
  readonly result?: readonly string[];
  readonly scan?: readonly string[];
  readonly plan?: string;
  readonly against?: string;
  readonly overview?: boolean;
}

/** Adds `weighbridge summary` to the program. */
export function addSummary(program: Command): void {
  program
    .command('summary')
    .description('print a Markdown summary of a CI run from the results of publish, scan and plan')
    .option('--result <file>', 'a file from `publish --result`; repeatable', collect)
    .option('--scan <file>', 'a file from `scan --result`; repeatable', collect)
    .option('--overview', 'only the table, without a section per model')
    .option('--plan <file>', 'output of `plan --json`, to show what would be published')
    .option('--against <file>', 'output of an older `plan --json`, to show the difference in a pull request')
    .addHelpText(
      'after',
      `
Examples:
  weighbridge summary --result result.json --scan scan.json >> "$GITHUB_STEP_SUMMARY"
  weighbridge summary --plan plan.json --against before.json > comment.md`,
    )
    .action((options: SummaryOptions) =>
      runSession(options, async session => {
        session.print((await page(options)).trimEnd());
        return ExitStatus.done;
      }),
    );
}

async function page(options: SummaryOptions): Promise<string> {
  const { plan, against, result = [], scan = [], overview } = options;
  if (plan !== undefined) {
    const before = against === undefined ? undefined : await readPlanJson(against);
    return planChange(await readPlanJson(plan), before);
  }
  if (result.length + scan.length === 0 || against !== undefined) {
    throw new ConfigError('nothing to summarize', {
      code: 'USAGE',
      remedy: 'Name files with --result and --scan, or a plan with --plan (and --against).',
    });
  }
  const published = await Promise.all(result.map(readPublishJson));
  const scanned = await Promise.all(scan.map(readScanJson));
  return jobSummary({ published, scanned }, { isOverview: overview === true });
}
