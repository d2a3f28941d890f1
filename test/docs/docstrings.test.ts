import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  documentedMembersOf,
  exportedOf,
  faultsOf,
  methodFaultsOf,
  publicMethodsOf,
  strayDocsOf,
} from '../../scripts/docstrings.ts';

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

test('a docstring is missing, or lacks what its function returns, that it throws, or with which code', () => {
  const found = exportedOf(`
/** Of a file. */
export function size(): number { return 1; }
/** Whether a file is large. */
export const isLarge = (file: string) => file !== '';
/** Reads a file. Returns its bytes. */
export async function read(): Promise<Buffer> {
  if (own) throw new ConfigError('gone', { code: 'CONFIG_UNREADABLE' });
  throw new ConfigError('odd', { code: 'CONFIG_INVALID' });
}
/** Writes a file. Throws ConfigError CONFIG_UNREADABLE. */
export async function write(): Promise<void> {
  throw new ConfigError('full', { code: 'CONFIG_UNREADABLE' });
}
/** The names of files. */
export type Names = readonly string[];
/** A file that is there. */
// biome-ignore lint/x: a line for a tool
export const FILE = /./;
export function bare(): void {}
`);
  assert.deepEqual(
    found.map(one => [one.name, faultsOf(one)]),
    [
      ['size', ['does not say what it returns']],
      ['isLarge', []],
      [
        'read',
        [
          'throws and does not say so',
          'throws CONFIG_UNREADABLE and does not say so',
          'throws CONFIG_INVALID and does not say so',
        ],
      ],
      ['write', []],
      ['Names', []],
      ['FILE', []],
      ['bare', ['has no docstring']],
    ],
  );
});

test('a public method needs a docstring if it returns or throws what no interface tells', () => {
  const text = `
export interface Store {
  /** The bytes, undefined if there are none. */
  get(): Buffer | undefined;
  size(): number;
}
export class Memory extends Base implements Store {
  constructor() { throw new RangeError(); }
  get(): Buffer | undefined { return undefined; }
  size(): number { return 0; }
  get isEmpty(): boolean { return true; }
  clear(): void {}
  async check(): Promise<void> { throw new ConfigError('odd', { code: 'CONFIG_INVALID' }); }
  /** False if it is full. */
  add(): boolean { return true; }
  /** Throws ConfigError. */
  read(): void { throw new ConfigError('odd', { code: 'CONFIG_INVALID' }); }
  override toString(): string { return ''; }
  private own(): number { return 1; }
  #hidden(): number { return 1; }
}
class Inner { method(): number { return 1; } }
`;
  const documented = documentedMembersOf(text);
  assert.deepEqual(
    publicMethodsOf(text).map(one => [one.name, one.line, methodFaultsOf(one, documented)]),
    [
      ['Memory.get', 9, []],
      ['Memory.size', 10, ['has no docstring']],
      ['Memory.clear', 12, []],
      ['Memory.check', 13, ['has no docstring']],
      ['Memory.add', 15, []],
      ['Memory.read', 17, ['throws CONFIG_INVALID and does not say so']],
    ],
  );
});

test('a docstring with another one behind it is a stray, unless it is about the file', () => {
  const text = `/** About the file. */

/** Of nothing. */
/** Of the size. */
export const SIZE = 1;
export interface Shape {
  /** Of nothing
   * either. */
  /** Of the width. */
  readonly width: number;
}
`;
  assert.deepEqual(strayDocsOf(text), [3, 7]);
});
