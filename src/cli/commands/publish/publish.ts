import type { Command } from 'commander';
import type { Variant } from '../../../config/types.ts';
import { publishSigning, upstreamCheck } from '../../../engine/signing.ts';
import { publishToJson } from '../../../report/json/publish-json.ts';
import { publishSummary } from '../../../report/text/publish-summary.ts';
import {
  type CommonOptions,
  readConfig,
  withConfig,
  withJson,
  withLock,
  withModels,
  withRegistries,
  withShard,
  withVariant,
} from '../../options.ts';
import { prepareOutput, writeOutput } from '../../output-file.ts';
import { planOrRead } from '../../planning.ts';
import { publishToRegistries, statusOf } from '../../publish-session.ts';
import { runSession } from '../../session.ts';
import { surroundingsOf } from '../../signing-session.ts';

interface PublishOptions extends CommonOptions {
  readonly variant?: Variant;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly result?: string;
  readonly sign?: boolean;
  readonly plan?: string;
}

export function addPublish(program: Command): void {
  withLock(
    withJson(withVariant(withRegistries(withShard(withModels(withConfig(program.command('publish'))))))),
  )
    .description('publish what the plan says: weights go straight from the Hub into the registries')
    .option('-n, --dry-run', 'look at what is published and say what would move; write nothing')
    .option('--force', 'ignore what is already published and upload everything again')
    .option('--sign', 'sign what is published, as `signing:` in models.yaml says, also where its mode is off')
    .option(
      '--plan <file>',
      'publish exactly what `plan --out <file>` has planned, also if a branch has moved on the Hub since',
    )
    .option('--result <file>', 'write the JSON result to a file as well')
    .addHelpText(
      'after',
      `
Publishing again is free: what has not changed is not moved. Registries fail apart: one that is down does not stop
the others. Exit status: 0 all done, 1 an image or a model failed, 2 the call or the file is wrong, 130 interrupted.

Logins come from docker login, podman login, GITHUB_ACTOR and GITHUB_TOKEN (ghcr.io), DOCKERHUB_USERNAME and
DOCKERHUB_TOKEN (docker.io). HF_TOKEN is for gated and private models.`,
    )
    .action((options: PublishOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        if (options.result !== undefined) await prepareOutput(options.result);
        const signing =
          options.dryRun === true
            ? undefined
            : await publishSigning(surroundingsOf(session), config, options);
        const plan = await planOrRead(session, config, options);
        const outcomes = await publishToRegistries(session, plan, {
          ...options,
          signing,
          admit: upstreamCheck(surroundingsOf(session), config),
        });
        session.progress.stop();
        const json = JSON.stringify(publishToJson(outcomes, plan), null, 2);
        session.print(session.isJson ? json : publishSummary(outcomes, plan, session.stdout));
        if (options.result !== undefined) await writeOutput(options.result, `${json}\n`);
        return statusOf(plan, outcomes);
      }),
    );
}
