import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgressEvent } from '../../core/events.ts';
import { FakeStream } from './progress.fixtures.ts';
import { createProgress } from './progress.ts';

function display() {
  const stream = new FakeStream(120);
  const progress = createProgress({
    stream,
    isTty: false,
    isCi: true,
    isGithub: true,
    isColor: false,
    columns: 120,
  });
  const lines = (): string[] =>
    stream.text
      .split('\n')
      .slice(0, -1)
      .map(line => line.replace(/^[\d:]{8} /, ''));
  return { onEvent: progress.onEvent, stop: () => progress.stop(), lines };
}

const start = (model: string, phase: 'resolve' | 'publish' = 'publish'): ProgressEvent => ({
  type: 'model-start',
  model,
  phase,
});
const phase = (model: string, text: string): ProgressEvent => ({ type: 'phase', model, text });
const end = (model: string, status: 'done' | 'failed' = 'done'): ProgressEvent => ({
  type: 'model-end',
  model,
  status,
});

test('one model at a time is written as it comes, the others wait; each is a group with its outcome under it', () => {
  const { onEvent, lines } = display();
  for (const event of [
    start('a'),
    start('b'),
    start('c'),
    phase('b', 'b reads'),
    phase('a', 'a reads'),
    { type: 'retry', what: 'blob', attempt: 2, delayMs: 0, reason: 'status 503' } as const,
    end('c', 'failed'),
    phase('a', 'a writes'),
    end('a'),
    phase('b', 'b writes'),
    end('b'),
  ])
    onEvent(event);
  assert.deepEqual(lines(), [
    '::group::a: publishing',
    'a: publishing',
    'a: a reads',
    'retry 2 at once: blob: status 503',
    'a: a writes',
    '::endgroup::',
    'a: done, 0s',
    '::group::c: publishing',
    'c: publishing',
    '::endgroup::',
    'c: failed, 0s',
    '::group::b: publishing',
    'b: publishing',
    'b: b reads',
    'b: b writes',
    '::endgroup::',
    'b: done, 0s',
  ]);
});

test('what is under way at the end is written, and no group stays open', () => {
  const { onEvent, stop, lines } = display();
  for (const event of [start('r', 'resolve'), end('r'), start('a'), start('b'), phase('b', 'b reads')])
    onEvent(event);
  stop();
  stop();
  onEvent({ type: 'warning', text: 'later' });
  assert.deepEqual(lines(), [
    'r: asking the Hub',
    '::group::a: publishing',
    'a: publishing',
    '::endgroup::',
    '::group::b: publishing',
    'b: publishing',
    'b: b reads',
    '::endgroup::',
    'note: later',
  ]);
});
