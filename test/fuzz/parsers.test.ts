import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nextLink } from '../../src/http/link-header.ts';
import { IS_LONG } from '../support/long.ts';
import { PARSERS } from './parsers.ts';
import regressions from './regressions.json' with { type: 'json' };

// Samples are cut, doubled, mixed and bent; `npm run fuzz -- --minutes 60` goes on with other seeds for as long.

const numRuns = IS_LONG ? 3000 : 50;

describe('every parser of what comes from outside reads it, or refuses it with a code', () => {
  for (const [name, property] of PARSERS)
    test(name, async () => {
      await fc.assert(property as fc.IAsyncProperty<unknown>, { numRuns });
    });
});

describe('what once failed', () => {
  for (const { parser, seed, path } of regressions as readonly Regression[])
    test(`${parser}, seed ${seed}`, async () => {
      const property = PARSERS.get(parser) ?? assert.fail(`there is no parser ${parser}`);
      await fc.assert(property as fc.IAsyncProperty<unknown>, {
        seed,
        path,
        numRuns: 500,
        endOnFailure: true,
      });
    });
});

interface Regression {
  readonly parser: string;
  readonly seed: number;
  readonly path: string;
}

test('Link: parameters in any order, and time that does not explode', () => {
  assert.equal(nextLink({ link: '<a>; rel="prev", <b>; title="x"; rel="next"' }), 'b');
  assert.equal(nextLink({ link: '<a>; rel="nextish"' }), undefined);
  // One that takes the square of the length would be at it for hours.
  for (const piece of ['<', '<>;', '<a>; ', ' ', '<a>;;;', '; rel='])
    nextLink({ link: `<a>${piece.repeat(1_000_000)}` });
});
