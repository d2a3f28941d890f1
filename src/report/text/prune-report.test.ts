import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PrunedRepositoryJson } from '../json/prune-json.ts';
import { pruneReport } from './prune-report.ts';

const image = { digest: `sha256:${'a'.repeat(64)}`, tags: ['v1-fat'], reason: 'older' };
const error = { code: 'REGISTRY_BAD_ANSWER', message: 'lab answered 400' };

function repository(short: string, rest: Partial<PrunedRepositoryJson> = {}): PrunedRepositoryJson {
  return { repository: `lab/hf-${short}`, short, kept: [], removed: [], freedBytes: 0, ...rest };
}

/** The lines after those of the repositories. */
function endOf(repositories: readonly PrunedRepositoryJson[], isDryRun = true): string[] {
  const text = pruneReport(
    { schemaVersion: 1, isDryRun, repositories, left: [] },
    { columns: 100, isColor: false },
  );
  return text.split('\n').filter(line => !/^(?: |lab\/)|^lab answered/.test(line));
}

test('of a repository that could not be read, it is not said that nothing is there to delete', () => {
  const [read, unread] = [repository('a'), repository('b', { error })];
  assert.deepEqual(endOf([read]), ['Nothing to delete.']);
  assert.deepEqual(endOf([unread]), ['Not looked through: lab/hf-b.']);
  assert.deepEqual(endOf([read, unread]), [
    'Nothing to delete in 1 repository.',
    'Not looked through: lab/hf-b.',
  ]);
  const many = ['c', 'd', 'e', 'f'].map(short => repository(short, { error }));
  assert.deepEqual(
    endOf([read, unread, ...many]).at(-1),
    'Not looked through: lab/hf-b, lab/hf-c, lab/hf-d and 2 more.',
  );
});

test('of one that could be read, but not pruned, the failure is told as that', () => {
  const stuck = repository('a', { kept: [{ ...image, reason: 'could not be deleted' }], error });
  assert.deepEqual(endOf([stuck], false), [
    'Nothing was deleted.',
    '1 of 1 repository could not be pruned completely.',
  ]);
  const done = repository('b', { removed: [{ ...image, freedBytes: 1024 }], freedBytes: 1024, deleted: 1 });
  assert.deepEqual(endOf([done, stuck, repository('c', { error })], false), [
    '1 image of 2 repositories deleted; the registry frees 1.0 KiB when it collects garbage.',
    '1 of 3 repositories could not be pruned completely.',
    'Not looked through: lab/hf-c.',
  ]);
});
