import type { Command } from 'commander';
import type { Config, Variant } from '../../../config/types.ts';
import { publishSigning, upstreamCheck } from '../../../engine/signing.ts';
import type { ModelOutcome } from '../../../publish/types.ts';
import { publishToJson } from '../../../report/json/publish-json.ts';
import { publishErrors, publishedReferences, publishSummary } from '../../../report/text/publish-summary.ts';
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
import { planOrRead, queueOrRead } from '../../planning.ts';
import { previewPublish, publishToRegistries, statusOf } from '../../publish-session.ts';
import { runSession, type Session } from '../../session.ts';
import { surroundingsOf } from '../../signing-session.ts';

interface PublishOptions extends CommonOptions {
  readonly variant?: Variant;
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly moveTags?: boolean;
  readonly result?: string;
  readonly sign?: boolean;
  readonly plan?: string;
}

/** Adds `weighbridge publish` to the program. */
export function addPublish(program: Command): void {
  withLock(
    withJson(withVariant(withRegistries(withShard(withModels(withConfig(program.command('publish'))))))),
  )
    .description('publish the planned images, streaming weights from the Hub into the registries')
    .option('-n, --dry-run', 'show what would be uploaded; write nothing')
    .option('--force', 'ignore what is already published and upload everything again; moves immutable tags')
    .option('--move-tags', 'also move immutable tags if the image has changed')
    .option(
      '--sign',
      'sign images with the key or identity of `signing:` in models.yaml, even if its mode is off',
    )
    .option(
      '--plan <file>',
      'publish exactly what `plan --out <file>` planned, even if a branch has moved since',
    )
    .option('--result <file>', 'also write the JSON result to a file')
    .addHelpText(
      'after',
      `
With --quiet, stdout has one line for each image that is published or unchanged: its reference by digest
(ghcr.io/acme/hf-x@sha256:…). Errors go to stderr.

Only changes are uploaded. Registries are independent: if one is down, the others are still published. An image
that the policy leaves out (license, gate, fit) is reported and is not a failure.

Exit status: 0 success, 1 an image or model failed or an immutable tag was not moved, 2 wrong usage or configuration,
130 interrupted.

Credentials come from docker login, podman login, GITHUB_ACTOR and GITHUB_TOKEN (ghcr.io), DOCKERHUB_USERNAME and
DOCKERHUB_TOKEN (docker.io). Gated and private models need HF_TOKEN.`,
    )
    .action((options: PublishOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        if (options.result !== undefined) await prepareOutput(options.result, options.config);
        const outcomes =
          options.dryRun === true
            ? await previewPublish(session, await planOrRead(session, config, options), options)
            : await publishSigned(session, config, options);
        session.progress.stop();
        const json = JSON.stringify(publishToJson(outcomes), null, 2);
        if (session.isJson) session.print(json);
        else if (options.quiet === true && options.dryRun !== true) printReferences(session, outcomes);
        else session.print(publishSummary(outcomes, session.stdout));
        if (options.result !== undefined) await writeOutput(options.result, `${json}\n`);
        return statusOf(outcomes);
      }),
    );
}

/** Keys and the identity token are looked at first: a publish may take hours. */
async function publishSigned(
  session: Session,
  config: Config,
  options: PublishOptions,
): Promise<ModelOutcome[]> {
  const surroundings = surroundingsOf(session);
  const signing = await publishSigning(surroundings, config, options);
  const admit = await upstreamCheck(surroundings, config);
  const queue = await queueOrRead(session, config, options);
  return await publishToRegistries(session, queue, {
    ...options,
    signing,
    modelSigner: signing?.modelSigner,
    admit,
  });
}

function printReferences(session: Session, outcomes: readonly ModelOutcome[]): void {
  for (const reference of publishedReferences(outcomes)) session.print(reference);
  const errors = publishErrors(outcomes, session.stdout);
  if (errors !== '') session.complain(errors);
}
