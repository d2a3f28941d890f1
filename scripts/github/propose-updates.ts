// Opens, updates and closes the pull requests of what `look-for-updates.ts` found:
//   node propose-updates.ts proposals.json
// It writes branches through the API alone, so that the job needs no clone and keeps no login.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { GitHubError, githubOfJob, required, runStep, say } from './api.ts';
import { readProposals } from './proposals.ts';
import { BRANCH_PREFIX, type Proposal, type PullRequest, shortened } from './types.ts';

/** As with Dependabot: pull requests that are there are kept up to date, and no more than these are opened. */
const MAX_OPEN = 20;
/** Of the commits that GitHub makes for a workflow's token. */
const BOT_EMAIL = '41898282+github-actions[bot]@users.noreply.github.com';

const github = githubOfJob();
const commit = required(process.env, 'GITHUB_SHA');
const base = required(process.env, 'GITHUB_REF_NAME');
await runStep(() => proposeAll(process.argv[2] ?? 'proposals.json'));

async function proposeAll(file: string): Promise<void> {
  const { proposals, undecided } = readProposals(
    await readFile(file, 'utf8'),
    required(process.env, 'CONFIG'),
  );
  const all = await github.list<PullRequest>('/pulls', { state: 'open', base });
  const open = new Map(all.filter(isOurs).map(request => [request.head.ref, request]));
  const wanted = new Set([...proposals.map(({ branch }) => branch), ...undecided]);
  for (const [branch, request] of open) {
    if (!wanted.has(branch)) {
      await close(request);
      open.delete(branch);
    }
  }
  let room = MAX_OPEN - open.size;
  let waiting = 0;
  for (const proposal of proposals) {
    const request = open.get(proposal.branch);
    if (request !== undefined) await refresh(proposal, request);
    else if (room <= 0) waiting += 1;
    else if (await openNew(proposal)) room -= 1;
  }
  if (waiting > 0)
    say(
      `::notice::${waiting} more wait until some of the ${MAX_OPEN} open pull requests are merged or closed.`,
    );
}

/** Of this repository: the branches of a fork may have any name. */
function isOurs({ head }: PullRequest): boolean {
  return head.ref.startsWith(BRANCH_PREFIX) && head.repo?.full_name === github.repository;
}

async function close({ number, head }: PullRequest): Promise<void> {
  await github.request('POST', `/issues/${number}/comments`, {
    body: 'This update is no longer needed: it was merged in another way, superseded, or withdrawn.',
  });
  await github.request('PATCH', `/pulls/${number}`, { state: 'closed' });
  await github.request('DELETE', `/git/refs/heads/${head.ref}`);
  say(`#${number}: closed (${head.ref})`);
}

async function openNew(proposal: Proposal): Promise<boolean> {
  const { branch, title } = proposal;
  const head = `${github.repository.split('/')[0]}:${branch}`;
  const closed = await github.list<PullRequest>('/pulls', { state: 'closed', head });
  const mark = markOf(proposal);
  const declined = closed.find(one => one.merged_at === null && one.body?.includes(mark));
  if (declined !== undefined) {
    say(`${branch}: was closed as #${declined.number}, and nothing has changed since`);
    return false;
  }
  await writeBranch(proposal);
  const { number } = await github
    .request<PullRequest>('POST', '/pulls', { head: branch, base, title, body: bodyOf(proposal) })
    .catch((error: unknown) => {
      throw notPermitted(error);
    });
  say(`#${number}: opened (${branch})`);
  return true;
}

async function refresh(proposal: Proposal, { number, title, body, head }: PullRequest): Promise<void> {
  const tip = await github.request<{ author: { email: string } }>('GET', `/git/commits/${head.sha}`);
  if (tip.author.email !== BOT_EMAIL) {
    say(`#${number}: left as it is, because somebody else has committed to ${head.ref}`);
    return;
  }
  const isSame = await hasFiles(head.sha, proposal.files);
  if (!isSame) await writeBranch(proposal);
  const next = bodyOf(proposal);
  if (title !== proposal.title || body !== next)
    await github.request('PATCH', `/pulls/${number}`, { title: proposal.title, body: next });
  say(`#${number}: ${isSame ? 'up to date' : 'updated'} (${head.ref})`);
}

/** One commit on top of the one that was read. With no author named, GitHub signs it as its bot's. */
async function writeBranch({ branch, title, files }: Proposal): Promise<void> {
  const parent = await github.request<{ tree: { sha: string } }>('GET', `/git/commits/${commit}`);
  const tree = await github.request<{ sha: string }>('POST', '/git/trees', {
    base_tree: parent.tree.sha,
    tree: Object.entries(files).map(([file, content]) => ({
      path: file,
      mode: '100644',
      type: 'blob',
      content,
    })),
  });
  const { sha } = await github.request<{ sha: string }>('POST', '/git/commits', {
    message: title,
    tree: tree.sha,
    parents: [commit],
  });
  try {
    await github.request('PATCH', `/git/refs/heads/${branch}`, { sha, force: true });
  } catch (error) {
    // 422: there is no such branch yet.
    if (!(error instanceof GitHubError) || error.status !== 422) throw error;
    await github.request('POST', '/git/refs', { ref: `refs/heads/${branch}`, sha });
  }
}

async function hasFiles(sha: string, files: Proposal['files']): Promise<boolean> {
  for (const [file, text] of Object.entries(files)) {
    const query = new URLSearchParams({ ref: sha });
    const address = `/contents/${file.split('/').map(encodeURIComponent).join('/')}?${query}`;
    const found = await github.request<{ sha: string }>('GET', address).catch((error: unknown) => {
      if (error instanceof GitHubError && error.status === 404) return undefined;
      throw error;
    });
    if (found?.sha !== blobId(text)) return false;
  }
  return true;
}

/** As git names the content of a file. */
function blobId(text: string): string {
  const bytes = Buffer.from(text);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** By which a pull request that was closed is known again. */
function markOf({ files }: Proposal): string {
  return `<!-- weighbridge: update ${createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16)} -->`;
}

function bodyOf(proposal: Proposal): string {
  const foot = '\n\nClose this pull request to skip these versions; the next one opens a new one.';
  return `${markOf(proposal)}\n${shortened(proposal.body.trimEnd() + foot)}`;
}

function notPermitted(error: unknown): unknown {
  if (!(error instanceof GitHubError) || error.status !== 403) return error;
  return new Error(
    `${error.message.replace(/\.$/, '')}. Allow it under Settings → Actions → General: "Allow GitHub Actions to create and approve pull requests".`,
  );
}
