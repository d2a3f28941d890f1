import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { errorAnnotation } from './github-annotation.ts';

const problem = { line: 7, column: 5, offendingText: '', sourceLine: '' };

test('a mistake is an annotation of its line, its file as the repository has it', () => {
  const file = path.resolve('sub/models.yaml');
  assert.equal(
    errorAnnotation({ ...problem, file, message: 'unknown key "revison"', suggestion: 'revision' }, {}),
    '::error file=sub/models.yaml,line=7,col=5::unknown key "revison" (did you mean revision?)',
  );
  assert.match(
    errorAnnotation({ ...problem, file: '/w/repo/a.yaml', message: 'x' }, { GITHUB_WORKSPACE: '/w/repo' }),
    /^::error file=a\.yaml,/,
  );
});

test('nothing in a file can begin a command of its own', () => {
  const text = errorAnnotation(
    { ...problem, file: 'a,line=1:\n.yaml', message: '100%\r\n::add-mask::x' },
    { GITHUB_WORKSPACE: process.cwd() },
  );
  assert.equal(text, '::error file=a%2Cline=1%3A%0A.yaml,line=7,col=5::100%25%0D%0A::add-mask::x');
});
