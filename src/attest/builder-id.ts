const LOCAL = 'https://github.com/13fragments/vllm-models/builders/local';

/**
 * Returns where this runs, as SLSA's `builder.id`: a workflow of GitHub Actions or a pipeline of GitLab with its branch,
 * and elsewhere a name that says only that it is not a CI job.
 */
export function builderId(env: NodeJS.ProcessEnv): string {
  const { GITHUB_SERVER_URL = 'https://github.com', GITHUB_WORKFLOW_REF } = env;
  if (env.GITHUB_ACTIONS === 'true' && GITHUB_WORKFLOW_REF)
    return `${GITHUB_SERVER_URL}/${GITHUB_WORKFLOW_REF}`;
  const { CI_PROJECT_URL, CI_CONFIG_PATH = '.gitlab-ci.yml', CI_COMMIT_REF_NAME } = env;
  if (env.GITLAB_CI === 'true' && CI_PROJECT_URL)
    return `${CI_PROJECT_URL}//${CI_CONFIG_PATH}@${CI_COMMIT_REF_NAME ?? 'HEAD'}`;
  return LOCAL;
}
