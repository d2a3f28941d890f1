import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportedOf } from '../../scripts/docstrings.ts';

test('exported declarations are found with their docstrings, and whether they throw', () => {
  const found = exportedOf(`
export { other } from './other.ts';
const own = 1;
/** Returns a size, in bytes. Throws RangeError. */
export function size(): number {
  throw new RangeError();
}
// Not a docstring.
export const LIMIT = 1, MORE = 2;
/**
 * Two
 * lines.
 */
export interface Shape {}
export type Name = string;
export class Holder { method() { throw new Error(); } }
export const arrow = () => { if (own) throw new Error(); };
export function safe() { try { throw new Error(); } catch { return () => { throw new Error(); }; } }
`);
  assert.deepEqual(
    found.map(({ name, doc, throws }) => [name, doc?.replaceAll(/\s+/g, ' '), throws]),
    [
      ['size', 'Returns a size, in bytes. Throws RangeError.', true],
      ['LIMIT', undefined, false],
      ['MORE', undefined, false],
      ['Shape', 'Two lines.', false],
      ['Name', undefined, false],
      ['Holder', undefined, false],
      ['arrow', undefined, true],
      ['safe', undefined, false],
    ],
  );
  assert.equal(found[0]?.line, 5);
});
