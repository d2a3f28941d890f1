import assert from 'node:assert/strict';
import { test } from 'node:test';
import { terminalOf } from './terminal.ts';

const TTY = { isTTY: true, columns: 100 };

test('a terminal has colors, a cursor to move and its own width', () => {
  assert.deepEqual(terminalOf(TTY, {}), {
    isTty: true,
    isCi: false,
    isGithub: false,
    isColor: true,
    columns: 100,
  });
});

test('a pipe has none of it', () => {
  assert.deepEqual(terminalOf({}, {}), {
    isTty: false,
    isCi: false,
    isGithub: false,
    isColor: false,
    columns: 120,
  });
});

test('a dumb terminal has neither cursor nor colors', () => {
  const { isTty, isColor } = terminalOf(TTY, { TERM: 'dumb' });
  assert.deepEqual([isTty, isColor], [false, false]);
});

for (const [env, isColor] of [
  [{ NO_COLOR: '1' }, false],
  [{ NO_COLOR: '' }, true],
  [{ FORCE_COLOR: '0' }, false],
  [{ FORCE_COLOR: '1', NO_COLOR: '1' }, true],
] as const) {
  test(`on a terminal ${JSON.stringify(env)} means ${isColor ? 'colors' : 'none'}`, () => {
    assert.equal(terminalOf(TTY, env).isColor, isColor);
  });
}

test('FORCE_COLOR colors a pipe too, and a CI runner', () => {
  assert.equal(terminalOf({}, { FORCE_COLOR: '1', CI: 'true' }).isColor, true);
});

for (const [env, isCi] of [
  [{ CI: 'true' }, true],
  [{ CI: '1' }, true],
  [{ GITHUB_ACTIONS: 'true' }, true],
  [{ CI: 'false' }, false],
  [{ CI: '' }, false],
] as const) {
  test(`${JSON.stringify(env)} ${isCi ? 'is' : 'is no'} CI`, () => {
    assert.equal(terminalOf(TTY, env).isCi, isCi);
  });
}

test('a width that is none is not believed', () => {
  assert.equal(terminalOf({ isTTY: true, columns: 0 }, {}).columns, 80);
  assert.equal(terminalOf({ isTTY: true, columns: 0 }, { COLUMNS: '64' }).columns, 64);
  assert.equal(terminalOf({}, { COLUMNS: 'wide' }).columns, 120);
});
