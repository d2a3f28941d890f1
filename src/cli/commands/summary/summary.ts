import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigError } from '../../../core/errors.ts';
import { reasonOf } from '../../../core/system-error.ts';
import type { PlanJson } from '../../../report/json/plan-json.ts';
import type { PublishJson } from '../../../report/json/publish-json.ts';
import type { ScanJson } from '../../../report/json/scan-json.ts';
import { jobSummary } from '../../../report/markdown/job-summary.ts';
import { planChange } from '../../../report/markdown/plan-change.ts';
import { collect } from '../../options.ts';
import { ExitStatus, runSession } from '../../session.ts';

interface SummaryOptions {
  readonly result?: readonly string[];
  readonly scan?: readonly string[];
  readonly plan?: string;
  readonly against?: string;
  readonly overview?: boolean;
}

export function addSummary(program: Command): void {
  program
    .command('summary')
    .description('the Markdown page of a CI run, from what publish, scan and plan have written')
    .option('--result <file>', 'what `publish --result` wrote; can be given more than once', collect)
    .option('--scan <file>', 'what `scan --result` wrote; can be given more than once', collect)
    .option('--overview', 'the table alone, without a section for each model')
    .option('--plan <file>', 'what `plan --json` printed: what would be published')
    .option('--against <file>', 'an older `plan --json`: shows the difference, as a pull request wants it')
    .addHelpText(
      'after',
      `
Examples:
  weighbridge summary --result result.json --scan scan.json >> "$GITHUB_STEP_SUMMARY"
  weighbridge summary --plan plan.json --against before.json > comment.md`,
    )
    .action((options: SummaryOptions) =>
      runSession({}, async session => {
        session.print((await page(options)).trimEnd());
        return ExitStatus.done;
      }),
    );
}

async function page(options: SummaryOptions): Promise<string> {
  const { plan, against, result = [], scan = [], overview } = options;
  if (plan !== undefined) {
    const before = against === undefined ? undefined : await read<PlanJson>(against, 'models');
    return planChange(await read<PlanJson>(plan, 'models'), before);
  }
  if (result.length + scan.length === 0 || against !== undefined) {
    throw new ConfigError('nothing to summarise', {
      code: 'USAGE',
      remedy: 'Name files with --result and --scan, or a plan with --plan (and --against).',
    });
  }
  const published = await Promise.all(result.map(file => read<PublishJson>(file, 'models')));
  const scanned = await Promise.all(scan.map(file => read<ScanJson>(file, 'scans')));
  return jobSummary({ published, scanned }, { isOverview: overview === true });
}

/** Files of this program's own making: that they are such is checked, not each of their fields. */
async function read<T>(file: string, list: 'models' | 'scans'): Promise<T> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'it is not JSON' : reasonOf(cause);
    throw new ConfigError(`${file} cannot be read: ${why}`, { code: 'USAGE', subject: file, cause });
  }
  const { schemaVersion, [list]: items } = (json ?? {}) as Record<string, unknown>;
  if (schemaVersion === 1 && Array.isArray(items)) return json as T;
  throw new ConfigError(`${file} is not what was expected: it has no list "${list}"`, {
    code: 'USAGE',
    subject: file,
    remedy:
      'Give --result what `publish --result` wrote, --scan what `scan --result` wrote, --plan what `plan --json` printed.',
  });
}
