import path from 'node:path';
import type { Proposal, Proposals } from './types.ts';

// What the job that has looked for updates hands to the one that may write: data of a job that has read what strangers wrote.

/**
 * The branches that `look-for-updates.ts` names, and no others: GitHub's API takes its addresses apart, so that
 * `weighbridge/update-a/../../main` would be the branch `main`.
 */
const BRANCH = /^weighbridge\/update-(?:all|base-images|models\/[a-z0-9]+(?:-[a-z0-9]+)*)$/;
/** A pull request has one line for it. */
const TITLE = /^[^\p{C}\p{Zl}\p{Zp}]{1,250}$/u;
/** GitHub takes no larger blob by its API. */
const MAX_FILE_CHARACTERS = 40 * 1024 ** 2;

/**
 * Returns the proposals in a text. Only what an update is meant to change is written, `config` and the lock beside it, whatever
 * the text says. Throws an Error that says what is wrong.
 */
export function readProposals(json: string, config: string): Proposals {
  const found = parsed(json);
  if (!isRecord(found) || found.schemaVersion !== 1) throw new Error('the proposals are not of this version');
  const { proposals, undecided } = found;
  if (!Array.isArray(proposals) || !isBranches(undecided))
    throw new Error('the proposals are not a list of updates');
  const allowed = [config, path.posix.join(path.posix.dirname(config), 'weighbridge.lock')];
  return {
    schemaVersion: 1,
    proposals: proposals.map(one => checked(one, allowed)),
    undecided,
  };
}

function checked(found: unknown, allowed: readonly string[]): Proposal {
  const { branch, title, body, files } = isRecord(found) ? found : {};
  if (!isBranch(branch)) throw new Error(`${shown(branch)} is not a branch for updates`);
  if (typeof title !== 'string' || !TITLE.test(title)) throw new Error(`${branch} has no title of one line`);
  if (typeof body !== 'string') throw new Error(`${branch} has no text`);
  if (!isRecord(files)) throw new Error(`${branch} has no files`);
  const texts = Object.entries(files).map(([file, text]) => {
    if (!allowed.includes(file))
      throw new Error(`${branch} would change ${shown(file)}, which is not part of an update`);
    if (typeof text !== 'string' || text.length > MAX_FILE_CHARACTERS)
      throw new Error(`${branch} has no text for ${file}`);
    return [file, text] as const;
  });
  return { branch, title, body, files: Object.fromEntries(texts) };
}

function isBranch(value: unknown): value is string {
  return typeof value === 'string' && BRANCH.test(value);
}

function isBranches(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isBranch);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new Error('the proposals are not JSON');
  }
}

/** For a log: without what begins a line or a command there. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)).replaceAll('##[', '## [') : 'it';
}
