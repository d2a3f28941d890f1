import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { shellWords } from './shell-words.ts';
import { shellQuote } from './text.ts';

test('what is quoted comes back word by word', () => {
  const word = fc.string({ minLength: 1 }).filter(text => !text.includes('\0'));
  fc.assert(fc.property(fc.array(word), words => assert.deepEqual(shellWords(shellQuote(words)), words)));
});
