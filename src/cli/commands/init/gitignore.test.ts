import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitignoreAddition } from './gitignore.ts';

test('a new file ignores what each command leaves, and then nothing is missing', () => {
  const text = gitignoreAddition('');
  assert.deepEqual(
    text.split('\n').filter(line => line !== '' && !line.startsWith('#')),
    ['/models/', '/site/', '/licenses/', '/out/', '/*.tar'],
  );
  assert.equal(gitignoreAddition(text), '');
});

test('what is there stays, whatever its line ends; only what is missing is added', () => {
  const addition = gitignoreAddition('node_modules\r\nmodels\r\n/site\r\nlicenses/\r\n*.tar');
  assert.equal(addition, '\n\n# weighbridge build --output oci:out\n/out/\n');
});
