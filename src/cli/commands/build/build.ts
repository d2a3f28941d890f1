import { type Command, InvalidArgumentError } from 'commander';
import type { ModelConfig, Variant } from '../../../config/types.ts';
import { ConfigError } from '../../../core/errors.ts';
import { layoutTargets } from '../../../engine/layout-targets.ts';
import { fileSigner, upstreamCheck } from '../../../engine/signing.ts';
import { imageVariant } from '../../../image/variants/variants.ts';
import type { PlannedModel } from '../../../plan/types.ts';
import {
  isPublishOutcome,
  type ModelOutcome,
  type ModelQueue,
  type PublishTarget,
} from '../../../publish/types.ts';
import { publishToJson } from '../../../report/json/publish-json.ts';
import { publishSummary } from '../../../report/text/publish-summary.ts';
import { openDockerArchive } from '../../../store/local/docker-archive.ts';
import {
  type AdHocOptions,
  type CommonOptions,
  chosenVariants,
  readConfig,
  withAdHocModel,
  withConfig,
  withJson,
  withModels,
  withVariant,
} from '../../options.ts';
import { prepareFolder, prepareReplacement } from '../../output-file.ts';
import { queueFor } from '../../planning.ts';
import { type PublishAllOptions, publishAll, statusOf } from '../../publish-session.ts';
import { runSession, type Session } from '../../session.ts';
import { surroundingsOf } from '../../signing-session.ts';

interface Output {
  readonly kind: 'oci' | 'docker-archive';
  readonly path: string;
}

interface BuildOptions extends CommonOptions, AdHocOptions {
  readonly variant?: Variant;
  readonly output: Output;
}

/** Adds `weighbridge build` to the program. */
export function addBuild(program: Command): void {
  withJson(withAdHocModel(withVariant(withModels(withConfig(program.command('build'))))))
    .description('build images into an OCI layout or a Docker archive, without a registry')
    .requiredOption(
      '-o, --output <oci:dir | docker-archive:file>',
      'a folder for skopeo, podman and umoci, or a file for `docker load`',
      parseOutput,
    )
    .addHelpText(
      'after',
      `
Examples:
  weighbridge build -m qwen25-05b -o oci:out           then: skopeo inspect oci:out:v0.6.0-fat
  weighbridge build -m qwen25-05b --variant slim -o docker-archive:slim.tar
                                                       then: docker load -i slim.tar

An image that the policy leaves out (license, gate, fit) is reported and is not a failure, as in \`publish\`.
Exit status: 0 success, 1 an image or model failed, 2 wrong usage or configuration, 130 interrupted.`,
    )
    .action((options: BuildOptions) =>
      runSession(options, async session => {
        const config = await readConfig(options, session);
        const { kind, path: place } = options.output;
        await (kind === 'oci' ? prepareFolder(place) : prepareReplacement(place));
        const surroundings = surroundingsOf(session);
        const modelSigner = await fileSigner(surroundings, config);
        const admit = await upstreamCheck(surroundings, config);
        const queue = await queueFor(session, config, options, 'none');
        const outcomes = await buildAll(session, queue, { ...options, modelSigner, admit });
        session.progress.stop();
        if (session.isJson) session.print(JSON.stringify(publishToJson(outcomes), null, 2));
        else session.print(publishSummary(outcomes, { ...session.stdout, isBuild: true }));
        const planned = outcomes.filter(isPublishOutcome);
        const isNothing =
          planned.length > 0 && planned.every(({ images }) => images.every(i => i.status === 'skipped'));
        // As in publish, an image that the policy leaves out is not a failure; a script has to know that there is none.
        if (isNothing) session.note(`nothing was written to ${place}: every image was left out`);
        return statusOf(outcomes);
      }),
    );
}

async function buildAll(
  session: Session,
  queue: ModelQueue,
  { output, variant, admit, modelSigner }: BuildOptions & Pick<PublishAllOptions, 'admit' | 'modelSigner'>,
): Promise<ModelOutcome[]> {
  const { models } = queue;
  const variants = chosenVariants(
    variant,
    models.map(model => ({ model })),
  );
  const common = {
    variants,
    isForced: false,
    movesTags: true,
    admit,
    modelSigner,
    phase: 'build' as const,
  };
  if (output.kind === 'oci')
    return await publishAll(session, queue, {
      ...common,
      targetsOf: layoutTargets(output.path, models.length),
    });
  const [first] = models;
  if (first === undefined) return [];
  for (const model of models) checkLoadable(model, variants);
  const archive = await openDockerArchive(output.path, { repository: `hf-${first.short}` });
  const targetsOf = ({ model }: PlannedModel): PublishTarget[] => [
    { registry: 'docker-archive', store: archive.forRepository(`hf-${model.short}`) },
  ];
  try {
    const outcomes = await publishAll(session, queue, { ...common, targetsOf });
    const isWhole = outcomes
      .filter(isPublishOutcome)
      .some(({ images }) => images.some(image => image.status === 'published'));
    if (isWhole) await archive.finish();
    else await archive.abandon();
    return outcomes;
  } catch (error) {
    await archive.abandon();
    throw error;
  }
}

/** Throws ConfigError USAGE for what no engine could load, before anything is read. */
function checkLoadable({ short, arch, variants }: ModelConfig, chosen: readonly Variant[]): void {
  if (arch.length > 1) {
    throw new ConfigError(`${short}: a docker archive holds one platform, \`arch\` names ${arch.length}`, {
      code: 'USAGE',
      subject: short,
      remedy: 'Build into an OCI layout instead: --output oci:<dir>.',
    });
  }
  const artifact = chosen.find(name => variants.includes(name) && imageVariant(name).isForAnyPlatform);
  if (artifact === undefined) return;
  throw new ConfigError(
    `${short}: a docker archive holds images to load, and \`${artifact}\` is an artifact`,
    {
      code: 'USAGE',
      subject: short,
      remedy: 'Choose another variant with --variant, or build into an OCI layout: --output oci:<dir>.',
    },
  );
}

function parseOutput(value: string): Output {
  const match = /^(oci|docker-archive):(.+)$/.exec(value);
  if (match === null) throw new InvalidArgumentError('Expected oci:<dir> or docker-archive:<file>.');
  return { kind: match[1] as Output['kind'], path: match[2] as string };
}
