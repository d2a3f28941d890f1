import type { Command } from 'commander';
import { ConfigError } from '../../../core/errors.ts';
import { mapPool } from '../../../core/pool.ts';
import { scanSigning } from '../../../engine/signing.ts';
import type { ScanJson } from '../../../report/json/scan-json.ts';
import { counted } from '../../../report/layout/text-layout.ts';
import { scanReport } from '../../../report/text/scan-report.ts';
import { type CommonOptions, readConfig, withJson, withModelList, withShard } from '../../options.ts';
import { prepareFolder, prepareOutput, writeOutput } from '../../output-file.ts';
import { ExitStatus, runSession, type Session } from '../../session.ts';
import { surroundingsOf } from '../../signing-session.ts';
import { configuredPlaces, publishedPlaces, readTargets } from './scan-targets.ts';
import { type ScanOutcome, scanAll, scanBases, scanContext } from './scanning.ts';

interface ScanOptions extends CommonOptions {
  readonly published?: string;
  readonly trivy: string;
  readonly baseScans?: string;
  readonly bases?: boolean;
  readonly result?: string;
  readonly sarif?: string;
  readonly reports?: string;
  readonly attach: boolean;
}

/** Adds `weighbridge scan` to the program. */
export function addScan(program: Command): void {
  withJson(withShard(withModelList(program.command('scan'), 'scan only here')))
    .description('scan published images with Trivy, without reading the weights')
    .option(
      '--published <file>',
      'scan the images in a `publish --result` file instead of those in models.yaml',
    )
    .option('--trivy <path>', 'the Trivy executable', 'trivy')
    .option('--sarif <folder>', 'write <short>-<variant>.sarif files, each with its own category')
    .option('--reports <folder>', "write Trivy's full JSON reports")
    .option('--result <file>', 'also write the JSON result to a file, for `weighbridge summary`')
    .option('--base-scans <folder>', 'reuse scans of base images from this folder, and store new ones in it')
    .option('--bases', 'only scan the base images of models.yaml into --base-scans')
    .option('--no-attach', 'do not attach the results to the images in the registries')
    .addHelpText(
      'after',
      `
A base image is scanned once for all images on it, by its layers; of an image itself only the small layers are read.
\`scan:\` in models.yaml says which severities are reported, and which make this command exit with 1 (default: none).
Trivy's own variables apply: TRIVY_DB_REPOSITORY, TRIVY_CACHE_DIR, TRIVY_SKIP_DB_UPDATE and so on.`,
    )
    .action((options: ScanOptions) => runSession(options, session => scan(session, options)));
}

async function scan(session: Session, options: ScanOptions): Promise<number> {
  const config = await readConfig(options, session);
  if (options.result !== undefined) await prepareOutput(options.result, options.config);
  for (const folder of [options.sarif, options.reports, options.baseScans])
    if (folder !== undefined) await prepareFolder(folder);
  const context = await scanContext(session, config, options);
  // Known before anything is read from a registry.
  await context.trivy.version();
  if (options.bases === true) {
    if (options.baseScans === undefined)
      throw new ConfigError('--bases needs --base-scans <folder> to keep the scans in', { code: 'USAGE' });
    const count = await scanBases(session, config, options, context);
    session.progress.stop();
    session.print(`${counted(count, 'base image')} scanned into ${options.baseScans}`);
    return ExitStatus.done;
  }
  const sign = options.attach ? await scanSigning(surroundingsOf(session), config) : undefined;
  const places =
    options.published === undefined
      ? configuredPlaces(session, config, options)
      : await publishedPlaces(options.published);
  const { targets, failures } = await readTargets(session, places);
  const scanned = await scanAll(session, targets, context, {
    sarif: options.sarif,
    reports: options.reports,
    isAttaching: options.attach,
    sign,
  });
  const outcome = { ...scanned, failures: [...failures, ...scanned.failures] };
  session.progress.stop();
  const result: ScanJson = {
    schemaVersion: 1,
    scans: outcome.results.map(one => one.scan),
    failures: outcome.failures,
  };
  const json = JSON.stringify(result, null, 2);
  if (session.isJson) session.print(json);
  else {
    const tables = await mapPool(outcome.results, 1, one => one.table());
    session.print(scanReport(result, tables, session.stdout));
  }
  if (options.result !== undefined) await writeOutput(options.result, `${json}\n`);
  return statusOf(outcome);
}

function statusOf({ results, failures }: ScanOutcome): number {
  const isFailing = failures.length > 0 || results.some(one => one.scan.failing > 0);
  return isFailing ? ExitStatus.failed : ExitStatus.done;
}
