import { stringify } from 'yaml';
import { shellQuote } from '../../core/text.ts';
import { splitIntoJobs } from '../../plan/jobs.ts';
import type { Plan } from '../../plan/types.ts';

interface GitlabPipelineOptions {
  /** models.yaml as the parent pipeline names it. */
  readonly config: string;
  readonly workerImage: string;
  /** What starts Weighbridge in that image. */
  readonly workerCommand: readonly string[];
  /** The plan's file, an artifact of the parent pipeline's job `plan`; without one each job plans anew. */
  readonly plan?: string | undefined;
}

/** What GitLab keeps of a pipeline's jobs within reason; more models share jobs. */
const MAX_JOBS = 256;

/**
 * Returns a child pipeline with a job for each model, as YAML for `trigger: include: artifact`. HF_TOKEN and the logins
 * are CI/CD variables of the project; images of the project's own registry need none.
 */
export function gitlabPipeline(plan: Plan, options: GitlabPipelineOptions): string {
  const planned = plan.models.filter(model => model.kind === 'planned');
  const jobs = splitIntoJobs(planned, MAX_JOBS).map((models, index, all) => {
    const shorts = models.map(({ model }) => model.short);
    const name = shorts.length === 1 ? `publish ${shorts[0]}` : `publish part ${index + 1} of ${all.length}`;
    return [name, { extends: '.publish', variables: { MODELS: shorts.join(',') } }] as const;
  });
  // GitLab refuses a pipeline without a job.
  const nothing = { stage: 'publish', script: ['echo "There is nothing to publish."'] };
  const pipeline = {
    workflow: { name: 'Publish models', rules: [{ when: 'always' }] },
    stages: ['publish'],
    // GitLab runs its own shell in the image, whatever that starts with.
    default: { image: { name: options.workerImage, entrypoint: [''] }, interruptible: false },
    '.publish': template(options),
    ...(jobs.length === 0 ? { nothing } : Object.fromEntries(jobs)),
  };
  return `# Made by "weighbridge plan --format gitlab". docs/ci.md tells how a pipeline starts it.\n${stringify(pipeline, YAML)}`;
}

/** GitLab reads YAML 1.1, in which the name `no` is false. */
const YAML = { lineWidth: 120, compat: 'yaml-1.1' } as const;

/** GitLab's own variable for logins if it is set, else that of the project's own registry, which every job is given. */
const LOGIN = [
  'mkdir -p "$DOCKER_CONFIG"',
  'AUTH=$(printf "%s:%s" "$CI_REGISTRY_USER" "$CI_REGISTRY_PASSWORD" | base64 | tr -d "\\n")',
  `OWN=$(printf '{"auths":{"%s":{"auth":"%s"}}}' "$CI_REGISTRY" "$AUTH")`,
  `printf '%s' "\${DOCKER_AUTH_CONFIG:-$OWN}" > "$DOCKER_CONFIG/config.json"`,
];

function template({ config, plan, workerCommand }: GitlabPipelineOptions): object {
  const weighbridge = shellQuote(workerCommand);
  return {
    stage: 'publish',
    variables: {
      CONFIG: config,
      ...(plan !== undefined && { PLAN: plan }),
      DOCKER_CONFIG: '$CI_PROJECT_DIR/.weighbridge-login',
    },
    before_script: LOGIN,
    ...(plan !== undefined && { needs: [{ pipeline: '$PARENT_PIPELINE_ID', job: 'plan' }] }),
    script: [
      [
        `${weighbridge} publish --config "$CONFIG"`,
        ...(plan === undefined ? [] : ['--plan "$PLAN"']),
        '--model "$MODELS" --result result.json',
      ].join(' '),
    ],
    after_script: [
      `test ! -f result.json || ${weighbridge} summary --result result.json > summary.md`,
      'rm -rf "$DOCKER_CONFIG"',
    ],
    artifacts: { when: 'always', paths: ['result.json', 'summary.md'], expire_in: '30 days' },
    retry: { max: 2, when: ['runner_system_failure', 'stuck_or_timeout_failure'] },
    // Two publishes of one model do no harm, but the second is cheaper after the first.
    resource_group: 'weighbridge-$CI_JOB_NAME_SLUG',
  };
}
