import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProposals } from '../../../scripts/github/proposals.ts';

const files = { 'models.yaml': 'models: []\n' };
const proposal = { branch: 'weighbridge/update-models/x', title: 'Update x', body: 'x', files };
const read = (changes: object, undecided: unknown = []) =>
  readProposals(
    JSON.stringify({ schemaVersion: 1, proposals: [{ ...proposal, ...changes }], undecided }),
    'models.yaml',
  );

test('proposals name branches for updates, and nothing that an address of the API leads elsewhere', () => {
  for (const branch of ['weighbridge/update-all', 'weighbridge/update-base-images', proposal.branch])
    assert.equal(read({ branch }).proposals[0]?.branch, branch);
  // `PATCH …/git/refs/heads/weighbridge/update-a/../../main` moves `main`.
  for (const branch of [
    'weighbridge/update-a/../../main',
    'weighbridge/update-models/../../main',
    'weighbridge/update-models/x%2f..',
    'weighbridge/update-models/x?force=true',
    'weighbridge/update-',
    'main',
    null,
    ['weighbridge/update-all'],
  ])
    assert.throws(() => read({ branch }), /is not a branch for updates/, String(branch));
});

test('proposals change models.yaml and the lock beside it, with texts, and nothing else', () => {
  assert.throws(() => read({ files: { '.github/workflows/x.yml': 'on: push' } }), /is not part of an update/);
  assert.throws(() => read({ files: { 'models.yaml': { toString: 1 } } }), /has no text for models.yaml/);
  assert.throws(() => read({ files: ['models.yaml'] }), /has no files/);
  assert.throws(() => read({ title: 'a\n::error::b' }), /has no title of one line/);
  assert.throws(() => read({}, ['main']), /not a list of updates/);
  assert.throws(() => readProposals('[', 'models.yaml'), /not JSON/);
  assert.throws(() => readProposals('null', 'models.yaml'), /not of this version/);
});
