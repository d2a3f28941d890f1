import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WeighbridgeError } from '../../src/core/errors.ts';

/** Properties that every object inherits: no lookup table may find them. */
const inherited = fc.constantFrom('constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__');

/** What looks like a value and is a trap: what is printed as a text, copied as a list, read to its end. */
const traps = fc.constantFrom<unknown>(
  ...[[], {}, null, [null], '', 1e308, -1, 0.5, 2 ** 53],
  ...[{ toString: 1, valueOf: 1 }, '__deep__', 'a\u001b[31m\u202e\n::error::b<script>', 'x'.repeat(3000)],
);
/** In the place of `"__deep__"`: more lists in lists than a function that calls itself has stack for. */
const DEEP = '['.repeat(50_000) + ']'.repeat(50_000);

/** Texts that are one of the samples, or were. */
export function bent(...samples: readonly string[]): fc.Arbitrary<string> {
  const sample = fc.constantFrom(...samples);
  const edit = fc.record({
    at: fc.nat(400),
    drop: fc.nat(6),
    put: fc.oneof(fc.string({ maxLength: 4 }), sample, inherited),
  });
  const edited = fc
    .tuple(sample, fc.array(edit, { maxLength: 4 }))
    .map(([text, edits]) =>
      edits.reduce((now, { at, drop, put }) => now.slice(0, at) + put + now.slice(at + drop), text),
    );
  return fc.oneof({ weight: 8, arbitrary: edited }, { weight: 1, arbitrary: fc.string({ unit: 'binary' }) });
}

/** JSON that is one of the samples, or was: also with other values in the places of its own. */
export function bentJson(...samples: readonly unknown[]): fc.Arbitrary<Buffer> {
  const values = fc
    .tuple(
      fc.constantFrom(...samples),
      fc.nat(60),
      fc.oneof(fc.jsonValue(), fc.jsonValue(), inherited, traps),
    )
    .map(([sample, at, value]) => {
      let seen = 0;
      const swap = (_: string, old: unknown): unknown => (seen++ === at ? value : old);
      return (JSON.stringify(sample, swap) ?? 'null').replaceAll('"__deep__"', DEEP);
    });
  return fc
    .oneof(values, bent(...samples.map(sample => JSON.stringify(sample))))
    .map(text => Buffer.from(text));
}

/** The result, or undefined where it is refused with one of our errors; anything else fails the test. */
export function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    assertCoded(error);
    return undefined;
  }
}

function assertCoded(error: unknown): asserts error is WeighbridgeError {
  assert.ok(error instanceof WeighbridgeError, `a defect: ${error instanceof Error ? error.stack : error}`);
  assert.ok(error.message.length < 10_000, 'an error that is a document');
}

/** That a text can be shown: it moves no cursor, begins no line, and commands no CI runner. */
export function assertPlain(text: string): void {
  assert.doesNotMatch(text, UNSEEN, JSON.stringify(text));
  assert.ok(!text.startsWith('::') && !text.includes('##['), text);
}

const UNSEEN = /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\p{Cs}]/u;

/** As `assertPlain`, of a text of several lines. */
export function assertPlainLines(text: string): void {
  for (const line of text.split('\n')) assertPlain(line);
}

/** As `orRefused`, of work that waits. */
export async function orRefusedLater<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    assertCoded(error);
    return undefined;
  }
}
