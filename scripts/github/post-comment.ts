// Posts a file as the comment of the pull request whose run has ended, or replaces the one that is there:
//   node post-comment.ts comment.md
// Which pull request it is, GitHub says: nothing that the run has left behind chooses where this comment goes.
import { readFile } from 'node:fs/promises';
import { type GitHub, githubOfJob, required, runStep, say } from './api.ts';
import { type IssueComment, type PullRequest, shortened } from './types.ts';

const MARKER = '<!-- weighbridge: what this pull request changes -->';
const BOT = 'github-actions[bot]';

interface WorkflowRun {
  readonly head_sha: string;
  readonly head_branch: string | null;
  readonly head_repository: { readonly full_name: string; readonly owner: { readonly login: string } } | null;
}

await runStep(() => postComment(process.argv[2] ?? 'comment.md'));

async function postComment(file: string): Promise<void> {
  const github = githubOfJob();
  const event = JSON.parse(await readFile(required(process.env, 'GITHUB_EVENT_PATH'), 'utf8')) as {
    workflow_run: WorkflowRun;
  };
  const body = shortened(`${MARKER}\n${await readFile(file, 'utf8')}`);
  const requests = await pullRequestsOf(github, event.workflow_run);
  if (requests.length === 0)
    say('No open pull request has this commit as its newest: there is nothing to comment on.');
  for (const { number } of requests) {
    const comments = await github.list<IssueComment>(`/issues/${number}/comments`);
    const old = comments.find(comment => comment.user?.login === BOT && comment.body.startsWith(MARKER));
    if (old === undefined) await github.request('POST', `/issues/${number}/comments`, { body });
    else if (old.body !== body) await github.request('PATCH', `/issues/comments/${old.id}`, { body });
    say(`#${number}: ${old === undefined ? 'posted' : old.body === body ? 'unchanged' : 'replaced'}`);
  }
}

/** By the head of the run, because a run of a fork names no pull request. A newer commit has its own run. */
async function pullRequestsOf(github: GitHub, run: WorkflowRun): Promise<readonly PullRequest[]> {
  const { head_sha: sha, head_branch: branch, head_repository: source } = run;
  if (branch === null || source === null) return [];
  const head = `${source.owner.login}:${branch}`;
  const open = await github.list<PullRequest>('/pulls', { state: 'open', head });
  return open.filter(
    request => request.head.sha === sha && request.head.repo?.full_name === source.full_name,
  );
}
