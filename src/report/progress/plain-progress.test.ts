import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { GIB } from '../../core/units.ts';
import { FakeStream } from './progress.fixtures.ts';
import { createProgress } from './progress.ts';
import type { Progress, Verbosity } from './types.ts';

interface Display extends Progress {
  /** Lines so far, without the time of day. */
  lines(): string[];
  readonly stream: FakeStream;
}

function display(t: TestContext, verbosity: Verbosity = 'normal'): Display {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'] });
  const stream = new FakeStream(80);
  const progress = createProgress({
    stream,
    verbosity,
    isTty: true,
    isCi: true,
    isGithub: false,
    isColor: false,
    columns: 80,
  });
  const lines = (): string[] => {
    const written = stream.text.split('\n').slice(0, -1);
    for (const line of written) assert.match(line, /^\d\d:\d\d:\d\d \S/);
    return written.map(line => line.slice('00:00:00 '.length));
  };
  return { onEvent: progress.onEvent, stop: () => progress.stop(), lines, stream };
}

test('a line for what happens; blobs that need not move are counted only', t => {
  const { onEvent, lines } = display(t);
  onEvent({ type: 'model-start', model: 'm', phase: 'resolve' });
  onEvent({ type: 'model-end', model: 'm', status: 'done' });
  onEvent({ type: 'model-start', model: 'm', phase: 'publish' });
  onEvent({ type: 'phase', model: 'm', text: 'reading what is published' });
  for (let i = 0; i < 30; i++) onEvent({ type: 'blob-end', model: 'm', blob: `base ${i}`, how: 'reused' });
  onEvent({ type: 'blob-end', model: 'm', blob: 'base 30', how: 'mounted' });
  onEvent({ type: 'blob-start', model: 'm', blob: 'w', sizeBytes: 2 * GIB, targets: ['a', 'b'] });
  t.mock.timers.tick(4000);
  onEvent({ type: 'blob-end', model: 'm', blob: 'w', how: 'uploaded' });
  onEvent({ type: 'blob-end', model: 'm', blob: 'w', how: 'uploaded' });
  onEvent({ type: 'retry', what: 'w to a', attempt: 2, delayMs: 3200, reason: 'status 503' });
  onEvent({ type: 'warning', text: 'mind this' });
  onEvent({
    type: 'image',
    model: 'm',
    reference: 'a/hf-m:v1-fat',
    status: 'published',
    digest: 'sha256:12',
  });
  onEvent({ type: 'model-end', model: 'm', status: 'done' });

  assert.deepEqual(lines(), [
    'm: asking the Hub',
    'm: publishing',
    'm: reading what is published',
    'm: w: uploaded 2.0 GiB in 4s, 512 MiB/s',
    'retry 2 in 3s: w to a: status 503',
    'note: mind this',
    'm: published a/hf-m:v1-fat sha256:12',
    'm: 1 published, 4.0 GiB uploaded, 31 blobs not moved, 4s',
  ]);
});

test('a host that is down is told of once an attempt, not once a request; a status, each time', t => {
  const down = { type: 'retry', delayMs: 0, reason: 'a:1 refused the connection' } as const;
  const busy = {
    type: 'retry',
    what: 'tag',
    attempt: 1,
    delayMs: 0,
    reason: 'status 503',
    status: 503,
  } as const;
  const feed = ({ onEvent }: Display): void => {
    for (const attempt of [1, 2]) for (const what of ['tag', 'blob']) onEvent({ ...down, what, attempt });
    for (const what of ['tag', 'blob']) onEvent({ ...busy, what });
  };
  const normal = display(t);
  feed(normal);
  const once = [
    'retry 1 at once: tag: a:1 refused the connection',
    'retry 2 at once: tag: a:1 refused the connection',
    'retry 1 at once: tag: status 503',
    'retry 1 at once: blob: status 503',
  ];
  assert.deepEqual(normal.lines(), once);
  t.mock.timers.tick(11_000);
  normal.onEvent({ ...down, what: 'blob', attempt: 1 });
  assert.deepEqual(normal.lines(), [...once, 'retry 1 at once: blob: a:1 refused the connection']);
  t.mock.timers.reset();
  const verbose = display(t, 'verbose');
  feed(verbose);
  assert.equal(verbose.lines().length, 6);
});

test('a blob that takes long says so every ten seconds, with its rate', t => {
  const { onEvent, lines } = display(t);
  onEvent({ type: 'blob-start', model: 'm', blob: 'w', sizeBytes: 4 * GIB, targets: ['a'] });
  for (let second = 1; second <= 25; second++) {
    t.mock.timers.tick(1000);
    onEvent({ type: 'blob-progress', model: 'm', blob: 'w', doneBytes: (second * 4 * GIB) / 40 });
  }
  assert.deepEqual(lines(), [
    'm: w: 25% of 4.0 GiB, 102 MiB/s, 30s left',
    'm: w: 50% of 4.0 GiB, 102 MiB/s, 20s left',
  ]);
});

test('a blob that one of two registries did not take says so', t => {
  const { onEvent, lines } = display(t);
  onEvent({ type: 'blob-start', model: 'm', blob: 'w', sizeBytes: GIB, targets: ['a', 'b'] });
  onEvent({ type: 'blob-end', model: 'm', blob: 'w', how: 'failed' });
  onEvent({ type: 'blob-end', model: 'm', blob: 'w', how: 'uploaded' });
  assert.deepEqual(lines(), ['m: w: failed at 1 of 2 registries']);
});

test('a model that could not be resolved says so', t => {
  const { onEvent, lines } = display(t);
  onEvent({ type: 'model-start', model: 'm', phase: 'resolve' });
  onEvent({ type: 'model-end', model: 'm', status: 'failed' });
  assert.deepEqual(lines(), ['m: asking the Hub', 'm: could not be resolved']);
});

test('control characters from outside do not get through', t => {
  const { onEvent, stream } = display(t);
  const evil = 'x\u001b[2J\r\n\u009b0m\u0007y';
  onEvent({ type: 'model-start', model: evil, phase: 'publish' });
  onEvent({ type: 'phase', model: evil, text: evil });
  onEvent({ type: 'blob-start', model: evil, blob: evil, sizeBytes: 1, targets: ['a'] });
  onEvent({ type: 'blob-end', model: evil, blob: evil, how: 'uploaded' });
  onEvent({ type: 'retry', what: evil, attempt: 1, delayMs: 0, reason: evil });
  onEvent({ type: 'warning', model: evil, text: evil });
  onEvent({ type: 'image', model: evil, reference: evil, status: evil, digest: evil });
  onEvent({ type: 'model-end', model: evil, status: 'failed', detail: evil });
  assert.doesNotMatch(stream.text.replaceAll('\n', ''), /\p{Cc}/u);
  assert.equal(stream.text.split('\n').length - 1, 7);
});

test('after its end only warnings are shown', t => {
  const { onEvent, stop, lines } = display(t);
  stop();
  stop();
  onEvent({ type: 'model-start', model: 'm', phase: 'publish' });
  onEvent({ type: 'warning', model: 'm', text: 'still said' });
  assert.deepEqual(lines(), ['note: m: still said']);
});

const REQUEST = {
  type: 'request',
  method: 'GET',
  url: 'https://hub.test/a?token=…',
  durationMs: 12,
} as const;

test('requests are lines if that is wanted, also when the work is done', t => {
  const { onEvent, stop, lines } = display(t, 'verbose');
  onEvent({ ...REQUEST, status: 200 });
  stop();
  onEvent({ ...REQUEST, reason: 'refused' });
  assert.deepEqual(lines(), [
    'GET https://hub.test/a?token=… 200 in 12 ms',
    'GET https://hub.test/a?token=… failed (refused) in 12 ms',
  ]);
});

test('a quiet display has warnings alone, the usual one no requests', t => {
  for (const verbosity of ['quiet', 'normal'] as const) {
    const { onEvent, lines } = display(t, verbosity);
    onEvent({ ...REQUEST, status: 200 });
    if (verbosity === 'quiet') onEvent({ type: 'model-start', model: 'm', phase: 'publish' });
    onEvent({ type: 'warning', text: 'mind this' });
    assert.deepEqual(lines(), ['note: mind this']);
    t.mock.timers.reset();
  }
});
