/** A pull request, as far as it is read here. */
export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  readonly state: 'open' | 'closed';
  readonly merged_at: string | null;
  readonly head: { readonly ref: string; readonly sha: string; readonly repo: Repository | null };
  readonly base: { readonly ref: string; readonly repo: Repository };
}

interface Repository {
  readonly full_name: string;
}

export interface IssueComment {
  readonly id: number;
  readonly body: string;
  readonly user: { readonly login: string; readonly type: string } | null;
}

/** What `look-for-updates.ts` found, for `propose-updates.ts`. */
export interface Proposals {
  readonly schemaVersion: 1;
  readonly proposals: readonly Proposal[];
  /** Branches of models that could not be resolved this time: their pull requests stay as they are. */
  readonly undecided: readonly string[];
}

export interface Proposal {
  readonly branch: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  /** New texts, by path in the repository. */
  readonly files: Readonly<Record<string, string>>;
}

export const BRANCH_PREFIX = 'weighbridge/update-';
/** GitHub accepts 65,536 characters. */
export const MAX_BODY_LENGTH = 65_000;

/** Returns Markdown that GitHub accepts: whole lines of it, with a note if some are left out. */
export function shortened(markdown: string): string {
  if (markdown.length <= MAX_BODY_LENGTH) return markdown;
  const note = '\n\nThe rest is too long for GitHub: see the summary of the run.\n';
  const cut = markdown.slice(0, MAX_BODY_LENGTH - note.length);
  return `${cut.slice(0, Math.max(cut.lastIndexOf('\n'), 0))}${note}`;
}
