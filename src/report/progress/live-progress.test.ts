import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import xterm from '@xterm/headless';
import type { ProgressEvent } from '../../core/events.ts';
import { GIB } from '../../core/units.ts';
import { widthOf } from '../layout/text-layout.ts';
import { liveFrame } from './live-frame.ts';
import { FakeStream } from './progress.fixtures.ts';
import { createProgress } from './progress.ts';
import { ProgressState } from './progress-state.ts';
import { styleFor } from './style.ts';
import type { Progress } from './types.ts';

const ROWS = 24;

interface Display extends Progress {
  readonly stream: FakeStream;
  readonly columns: number;
  readonly tick: (ms: number) => void;
}

function display(t: TestContext, columns: number, isColor = true): Display {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'] });
  const stream = new FakeStream(columns, ROWS);
  const progress = createProgress({ stream, isTty: true, isCi: false, isGithub: false, isColor, columns });
  t.after(() => progress.stop());
  const tick = (ms: number): void => t.mock.timers.tick(ms);
  return { onEvent: progress.onEvent, stop: () => progress.stop(), stream, columns, tick };
}

/** What a real terminal shows after all that was written, scrolled-off lines included. */
async function screen({ stream, columns }: Display): Promise<string[]> {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows: ROWS,
    scrollback: 1000,
    convertEol: true,
    allowProposedApi: true,
  });
  await new Promise<void>(done => terminal.write(stream.text, done));
  const { active } = terminal.buffer;
  const lines = Array.from(
    { length: active.length },
    (_, y) => active.getLine(y)?.translateToString(true) ?? '',
  );
  const isWrapped = Array.from({ length: active.length }, (_, y) => active.getLine(y)?.isWrapped === true);
  assert.ok(!isWrapped.includes(true), 'the terminal had to wrap a line');
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

function isCursorHidden({ stream }: Display): boolean {
  return stream.text.lastIndexOf('\u001b[?25l') > stream.text.lastIndexOf('\u001b[?25h');
}

function feed({ onEvent }: Progress, events: readonly ProgressEvent[]): void {
  for (const event of events) onEvent(event);
}

const start = (model: string): ProgressEvent => ({ type: 'model-start', model, phase: 'publish' });
const blobStart = (model: string, blob: string, sizeBytes = 4 * GIB): ProgressEvent => ({
  type: 'blob-start',
  model,
  blob,
  sizeBytes,
  targets: ['ghcr'],
});

for (const columns of [40, 80, 120]) {
  test(`${columns} columns: a line for the model and one for each blob, with percent, rate and time left`, async t => {
    const live = display(t, columns);
    feed(live, [start('qwen'), blobStart('qwen', 'model-00001-of-00002.safetensors')]);
    for (let second = 1; second <= 10; second++) {
      live.tick(1000);
      const doneBytes = second * 100 * 1024 ** 2;
      live.onEvent({
        type: 'blob-progress',
        model: 'qwen',
        blob: 'model-00001-of-00002.safetensors',
        doneBytes,
      });
    }
    live.tick(100);
    const lines = await screen(live);
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^\S qwen {2}publishing · 100 MiB\/s/);
    assert.match(lines[1] ?? '', /^ {4}(mo|1\/2 mo).* 24% .*100 MiB\/s +30s$/);
    assert.equal(lines[1]?.includes('━'), columns >= 60);
    assert.equal(lines[1]?.includes('1000 MiB of 4.0 GiB'), columns >= 90);
    assert.equal(isCursorHidden(live), true);
  });
}

for (const columns of [40, 80]) {
  test(`${columns} columns: ten models and 200 blobs stay within the window and leave a line each`, async t => {
    const live = display(t, columns);
    const models = Array.from({ length: 10 }, (_, i) => `model-with-quite-a-long-name-${i}`);
    const blobs = Array.from({ length: 20 }, (_, i) => `層-${i}-of-a-file-with-a-long-name.safetensors`);
    feed(live, models.map(start));
    for (const model of models)
      feed(
        live,
        blobs.map(blob => blobStart(model, blob)),
      );
    live.tick(1000);
    for (const model of models) {
      for (const blob of blobs) live.onEvent({ type: 'blob-progress', model, blob, doneBytes: GIB });
    }
    live.tick(500);
    const during = await screen(live);
    assert.ok(during.length > 2 && during.length <= ROWS - 2, `${during.length} lines`);
    assert.match(during.at(-1) ?? '', /and \d more$/);
    for (const line of during) assert.ok(widthOf(line) < columns, line);

    for (const model of models) {
      for (const blob of blobs) live.onEvent({ type: 'blob-end', model, blob, how: 'uploaded' });
      live.onEvent({ type: 'model-end', model, status: 'done' });
    }
    live.stop();
    const after = await screen(live);
    const first = after.filter(line => line.startsWith('✓'));
    assert.deepEqual(
      first.map(line => line.slice(2, line.indexOf(':'))),
      models,
    );
    assert.equal(after.filter(line => line.includes('moving')).length, 0);
    assert.equal(isCursorHidden(live), false);
  });
}

test('a model that is done leaves one line, one that failed another; nothing live is left', async t => {
  const live = display(t, 80);
  feed(live, [start('a'), start('b'), blobStart('a', 'w', GIB)]);
  live.tick(3000);
  feed(live, [
    { type: 'blob-end', model: 'a', blob: 'w', how: 'uploaded' },
    { type: 'image', model: 'a', reference: 'x', status: 'published' },
    { type: 'model-end', model: 'a', status: 'done' },
  ]);
  live.tick(1000);
  feed(live, [
    { type: 'image', model: 'b', reference: 'x', status: 'failed' },
    { type: 'model-end', model: 'b', status: 'failed' },
  ]);
  assert.equal(isCursorHidden(live), false);
  assert.deepEqual(await screen(live), ['✓ a: 1 published, 1.0 GiB uploaded, 3s', '✗ b: 1 failed, 4s']);
});

test('models that are asked about share a line; only a failure leaves one', async t => {
  const live = display(t, 80);
  feed(live, [
    { type: 'model-start', model: 'a', phase: 'resolve' },
    { type: 'model-start', model: 'b', phase: 'resolve' },
  ]);
  live.tick(200);
  assert.match((await screen(live)).join('\n'), /^\S asking the Hub {2}about a, b$/);
  feed(live, [
    { type: 'model-end', model: 'a', status: 'done' },
    { type: 'model-end', model: 'b', status: 'failed' },
  ]);
  assert.deepEqual(await screen(live), ['✗ b: could not be resolved']);
});

test('a window of few lines is never overrun', () => {
  const state = new ProgressState();
  state.apply({ type: 'model-start', model: 'asked', phase: 'resolve' }, 0);
  for (const model of ['a', 'b', 'c']) {
    state.apply(start(model), 0);
    state.apply(blobStart(model, 'w'), 0);
  }
  for (const maxLines of [2, 3, 4, 5, 6, 7, 8]) {
    const options = { nowMs: 0, columns: 80, maxLines, style: styleFor(false), turn: 0 };
    const lines = liveFrame(state.models.values(), options);
    assert.ok(lines.length <= maxLines, `${lines.length} lines in ${maxLines}`);
    assert.match(lines[1] ?? '', / a {2}publishing/);
  }
});

test('a terminal that nobody has sized is taken to have a usual size', async t => {
  t.mock.timers.enable({ apis: ['Date', 'setInterval'] });
  const stream = new FakeStream(0, 0);
  const progress = createProgress({
    stream,
    isTty: true,
    isCi: false,
    isGithub: false,
    isColor: false,
    columns: 80,
  });
  t.after(() => progress.stop());
  feed(progress, [start('a'), blobStart('a', 'w')]);
  t.mock.timers.tick(100);
  assert.match(stream.text, /a {2}publishing/);
  assert.match(stream.text, / {4}w .* 0%/);
});

test('a retry is said in passing, a warning for good', async t => {
  const live = display(t, 80);
  feed(live, [
    start('a'),
    { type: 'retry', what: 'asking for a manifest', attempt: 1, delayMs: 2000, reason: 'status 503' },
    { type: 'warning', text: `mind this: ${'word '.repeat(30)}` },
  ]);
  live.tick(1000);
  const during = await screen(live);
  assert.match(during[0] ?? '', /^! mind this.* word$/);
  assert.match(during[1] ?? '', /^word word .*word$/);
  assert.equal(during.at(-1), '  retry 1 in 2s: asking for a manifest: status 503');
  live.tick(10_000);
  const later = await screen(live);
  assert.match(later[0] ?? '', /^! mind this/);
  assert.doesNotMatch(later.join('\n'), /retry/);
});

test('stop in the middle (Ctrl-C) takes the live lines away and is final', async t => {
  const live = display(t, 80);
  feed(live, [start('a'), blobStart('a', 'w')]);
  live.tick(500);
  live.stop();
  live.stop();
  assert.deepEqual(await screen(live), []);
  feed(live, [start('b'), { type: 'blob-end', model: 'a', blob: 'w', how: 'failed' }]);
  live.tick(5000);
  live.onEvent({ type: 'warning', text: 'stopping' });
  assert.deepEqual(await screen(live), ['! stopping']);
  assert.equal(isCursorHidden(live), false);
});

test('a process that ends in the middle of it gives the cursor back', t => {
  const before = process.listenerCount('exit');
  const live = display(t, 80);
  live.onEvent(start('a'));
  assert.equal(isCursorHidden(live), true);
  assert.equal(process.listenerCount('exit'), before + 1);
  for (const listener of process.listeners('exit').slice(before)) listener(0);
  assert.equal(isCursorHidden(live), false);
  live.stop();
  assert.equal(process.listenerCount('exit'), before);
});

test('what comes from outside cannot move the cursor', async t => {
  const live = display(t, 40, false);
  const evil = 'x\u001b[2J\r\n\n\u009b9Ay';
  feed(live, [start(evil), blobStart(evil, evil), { type: 'phase', model: evil, text: evil }]);
  feed(live, [{ type: 'retry', what: evil, attempt: 1, delayMs: 0, reason: evil }]);
  live.tick(300);
  assert.equal((await screen(live)).length, 3);
  assert.doesNotMatch(stripVTControlCharacters(live.stream.text).replaceAll('\n', ''), /[\r\u0080-\u009f]/);
  assert.ok(!live.stream.text.includes('\u001b[2J'));
});

test('without color there is none', t => {
  const live = display(t, 80, false);
  feed(live, [start('a'), blobStart('a', 'w')]);
  live.tick(300);
  assert.ok(!/\[\d+m/.test(live.stream.text));
});

test('the last line is the whole run: percent, bytes, time left, models', async t => {
  const live = display(t, 80);
  const work = (model: string, sizeBytes: number): ProgressEvent => ({ type: 'work', model, sizeBytes });
  feed(live, [{ type: 'run', models: 3 }, start('a'), start('b')]);
  feed(live, [work('a', 4 * GIB), blobStart('a', 'w'), work('b', 4 * GIB)]);
  feed(live, [{ type: 'blob-end', model: 'b', blob: 'x', how: 'reused', sizeBytes: 2 * GIB }]);
  live.tick(100);
  assert.equal((await screen(live)).at(-1), '  total  25% of 8.0 GiB so far · 0 of 3 models');
  feed(live, [
    { type: 'blob-end', model: 'b', blob: 'y', how: 'mounted', sizeBytes: 2 * GIB },
    { type: 'model-end', model: 'b', status: 'done' },
    start('c'),
  ]);
  for (let second = 1; second <= 4; second++) {
    live.tick(1000);
    feed(live, [{ type: 'blob-progress', model: 'a', blob: 'w', doneBytes: (second * GIB) / 2 }]);
  }
  live.tick(100);
  assert.match(
    (await screen(live)).at(-1) ?? '',
    /^ {2}total {2}75% of 8\.0 GiB · [34]s left · 1 of 3 models$/,
  );
});
