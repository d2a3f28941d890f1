import {
  type CallerWorkflow,
  projectRef,
  projectRepository,
  workflowText,
} from '../../../engine/package-info.ts';

/** What the user of `init` has chosen. */
export interface StarterChoice {
  /** Owner on GitHub; null if that is known in CI only. */
  readonly ghcr: string | null;
  /** Account of Docker Hub; null publishes nothing there. */
  readonly dockerhub: string | null;
  readonly baseImage: string;
  /** `owner/name@ref` of the project whose workflow is called. */
  readonly workflow: string | null;
}

/** A file that `init` writes unless it is there. */
export interface StarterFile {
  readonly path: string;
  readonly text: string;
  /** For the user, behind the path. */
  readonly purpose: string;
}

/** Returns what a fresh repository needs so that a push of models.yaml publishes. */
export function starterFiles(choice: StarterChoice): StarterFile[] {
  const { ref, comment } = projectRef();
  const workflow = choice.workflow ?? `${projectRepository()}@${ref}${comment}`;
  return [
    { path: 'models.yaml', text: modelsText(choice), purpose: 'the models; `weighbridge add <id>` adds one' },
    {
      path: '.github/workflows/publish-models.yml',
      text: callerText('build-publish.yml', workflow),
      purpose: 'publishes them on every push to main',
    },
    {
      path: '.github/workflows/comment-plan.yml',
      text: callerText('comment-plan.yml', workflow),
      purpose: 'shows in each pull request what it changes',
    },
    {
      path: '.github/workflows/update-models.yml',
      text: callerText('update-models.yml', workflow),
      purpose: 'proposes newer commits and base images, once there is a lock',
    },
    { path: '.github/dependabot.yml', text: DEPENDABOT, purpose: 'keeps the workflow up to date' },
    { path: 'README.md', text: readmeText(choice), purpose: 'what this repository is' },
  ];
}

function modelsText({ ghcr, dockerhub, baseImage }: StarterChoice): string {
  const schema = `https://raw.githubusercontent.com/${projectRepository()}/${projectRef().ref}/schema/models.schema.json`;
  const prefixes = [
    ...(ghcr === null ? [] : [`  ghcr: ghcr.io/${ghcr.toLowerCase()}`]),
    ...(dockerhub === null ? [] : [`  dockerhub: docker.io/${dockerhub.toLowerCase()}`]),
  ];
  // Without a prefix for GHCR the owner of the repository is used, and then `publish` has to name it.
  const registries = prefixes.length === 0 ? [] : ['', 'registries:', ...prefixes];
  const publish =
    ghcr === null
      ? [
          '  publish:',
          '    ghcr: true # ghcr.io/<owner of the repository>',
          `    dockerhub: ${dockerhub !== null}`,
        ]
      : [];
  return `${[
    `# yaml-language-server: $schema=${schema}`,
    '#',
    '# The models that are published as container images. `weighbridge add <id>` adds one, `weighbridge validate` checks the',
    '# file, `weighbridge plan` shows what would be published and why.',
    ...registries,
    '',
    'defaults:',
    '  # Its tag is the version in image tags. See https://hub.docker.com/r/vllm/vllm-openai/tags',
    `  base_image: ${JSON.stringify(baseImage)}`,
    ...publish,
    '',
    'models: []',
  ].join('\n')}\n`;
}

function callerText(name: CallerWorkflow, workflow: string): string {
  const [repository = '', ref = ''] = workflow.split('@');
  return workflowText(name)
    .replace('docs/ci.md tells', `https://github.com/${repository} tells`)
    .replace('comment.yml says how', `comment.yml of ${repository} says how`)
    .replace(
      /uses: \.\/(\.github\/workflows\/\w+\.yml)/g,
      (_, file: string) => `uses: ${repository}/${file}@${ref}`,
    );
}

const DEPENDABOT = `version: 2
updates:
  # The workflow that publishes. The base image is in models.yaml, which Dependabot does not read: Renovate does, with
  # a custom manager for \`base_image: "(?<depName>.*?):(?<currentValue>.*?)"\` and the datasource docker.
  - package-ecosystem: github-actions
    directory: /
    schedule:
      interval: weekly
    # Releases that turn out to be bad are mostly withdrawn within days.
    cooldown:
      default-days: 7
`;

function readmeText({ ghcr, dockerhub }: StarterChoice): string {
  const owner = (ghcr ?? '<owner>').toLowerCase();
  const secrets =
    dockerhub === null
      ? ['| secret | for |', '| --- | --- |']
      : [
          '| secret | for |',
          '| --- | --- |',
          '| `DOCKERHUB_TOKEN` | an access token of Docker Hub that may write |',
          '| variable `DOCKERHUB_USERNAME` | the account; as a variable, because a secret turns into stars in every log |',
        ];
  return `# Models as container images

Every model of [models.yaml](models.yaml) is published as vLLM container images: a slim one that downloads the weights when
it starts, and where the license allows it a fat one with the weights in it. A push to \`main\` publishes.

\`\`\`bash
docker run --gpus all -p 8000:8000 -v models:/models -e HF_TOKEN ghcr.io/${owner}/hf-<short>:<version>-slim
docker run --gpus all -p 8000:8000 ghcr.io/${owner}/hf-<short>:<version>-fat
\`\`\`

Add a model with \`weighbridge add <id>\`, look at \`weighbridge plan\`, and push. The run's page shows what was published.

${secrets.join('\n')}
| \`HF_TOKEN\` | only for gated and private models: a read token of the Hugging Face Hub |

Made with [Weighbridge](https://github.com/${projectRepository()}).
`;
}
