import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ByteSource, bytesSource, readAll } from './byte-source.ts';

const BYTES = Buffer.from('what a model says of itself');

test('what comes in one chunk is not copied, and what comes in several is joined', async () => {
  const whole = await readAll(bytesSource('one', BYTES), 100);
  assert.equal(whole.buffer, BYTES.buffer);
  assert.deepEqual(whole, BYTES);
  const inParts: ByteSource = {
    name: 'several',
    sizeBytes: BYTES.length,
    async *open() {
      yield BYTES.subarray(0, 5);
      yield BYTES.subarray(5);
    },
  };
  assert.deepEqual(await readAll(inParts, 100), BYTES);
  assert.deepEqual(await readAll(bytesSource('none', Buffer.alloc(0)), 100), Buffer.alloc(0));
});

test('a source of another length than it says is refused', async () => {
  const claiming = (sizeBytes: number): ByteSource => ({ ...bytesSource('odd', BYTES), sizeBytes });
  await assert.rejects(readAll(claiming(BYTES.length + 1), 100), { code: 'INTEGRITY_SIZE' });
  await assert.rejects(readAll(claiming(BYTES.length - 1), 100), { code: 'INTEGRITY_SIZE' });
  await assert.rejects(readAll(claiming(101), 100), { code: 'INTEGRITY_SIZE' });
});
