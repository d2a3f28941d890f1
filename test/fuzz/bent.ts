import assert from 'node:assert/strict';
import fc from 'fast-check';
import { WeighbridgeError } from '../../src/core/errors.ts';

/** Properties that every object inherits: no lookup table may find them. */
const inherited = fc.constantFrom('constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__');

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
    .tuple(fc.constantFrom(...samples), fc.nat(40), fc.oneof(fc.jsonValue(), fc.jsonValue(), inherited))
    .map(([sample, at, value]) => {
      let seen = 0;
      const swap = (_: string, old: unknown): unknown => (seen++ === at ? value : old);
      return JSON.stringify(sample, swap) ?? 'null';
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
    assert.ok(error instanceof WeighbridgeError, `a defect: ${error instanceof Error ? error.stack : error}`);
    return undefined;
  }
}

/** As `orRefused`, of work that waits. */
export async function orRefusedLater<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    assert.ok(error instanceof WeighbridgeError, `a defect: ${error instanceof Error ? error.stack : error}`);
    return undefined;
  }
}
