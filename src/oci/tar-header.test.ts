import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import tarStream from 'tar-stream';
import { GIB } from '../core/units.ts';
import { END_OF_ARCHIVE, paddingFor, readTarHeader, type TarEntry, tarEntryHeader } from './tar-header.ts';

test('a short path is one plain ustar block', () => {
  const header = tarEntryHeader({ path: 'models/x/config.json', mode: 0o644, sizeBytes: 5, type: 'file' });
  assert.equal(header.length, 512);
  assert.equal(header.toString('latin1', 257, 265), 'ustar\x0000');
  assert.equal(header.toString('latin1', 124, 136), '00000000005\0');
  assert.equal(header.toString('latin1', 136, 148), '00000000000\0');
});

test('PAX is used from 8 GiB on, and not before', () => {
  const blocks = (sizeBytes: number) =>
    tarEntryHeader({ path: 'w', mode: 0o644, sizeBytes, type: 'file' }).length / 512;
  assert.equal(blocks(8 * GIB - 1), 1);
  assert.equal(blocks(8 * GIB), 3);
  assert.match(
    tarEntryHeader({ path: 'w', mode: 0o644, sizeBytes: 8 * GIB, type: 'file' }).toString('latin1', 512),
    /^19 size=8589934592\n/,
  );
});

test('a path is split at a slash before PAX is used for it', () => {
  const header = tarEntryHeader({
    path: `${'d'.repeat(150)}/${'f'.repeat(100)}`,
    mode: 0o755,
    sizeBytes: 0,
    type: 'file',
  });
  assert.equal(header.length, 512);
  assert.equal(header.toString('latin1', 345, 495), 'd'.repeat(150));
});

test('a PAX record counts its own digits', () => {
  for (const length of [
    1, 85, 86, 87, 88, 89, 90, 91, 980, 981, 982, 983, 984, 985, 986, 987, 988, 989, 990,
  ]) {
    const path = `é${'x'.repeat(length)}`;
    const header = tarEntryHeader({ path, mode: 0o644, sizeBytes: 0, type: 'file' });
    const record = header.subarray(512, -512).toString().replace(/\0+$/, '');
    assert.equal(Number.parseInt(record, 10), Buffer.byteLength(record), record.slice(0, 20));
  }
});

test('what cannot stand in a tar is refused', () => {
  const file: TarEntry = { path: 'a', mode: 0o644, sizeBytes: 0, type: 'file' };
  for (const wrong of [
    { path: '' },
    { path: 'a\0b' },
    { path: '\ud800' },
    { sizeBytes: -1 },
    { sizeBytes: 0.5 },
    { sizeBytes: 2 ** 53 },
    { mode: 0o10000 },
    { type: 'directory' as const, sizeBytes: 1 },
  ]) {
    assert.throws(() => tarEntryHeader({ ...file, ...wrong }), RangeError, JSON.stringify(wrong));
  }
});

// Parts of every length around the limits of ustar's fields, with characters that a byte is not enough for.
const part = fc
  .oneof(
    fc.stringMatching(/^[\x21-\x2e\x30-\x5b\x5d-\x7e]{1,20}$/),
    fc.integer({ min: 1, max: 260 }).map(length => 'p'.repeat(length)),
    fc
      .string({ unit: 'grapheme-composite', minLength: 1, maxLength: 12 })
      .map(text => text.replace(/[/\0\n\\]/g, 'ü')),
  )
  .filter(text => text !== '.' && text !== '..');
const anyPath = fc.array(part, { minLength: 1, maxLength: 6 }).map(parts => parts.join('/'));
const anyEntry = fc.record({
  path: anyPath,
  mode: fc.constantFrom(0o644, 0o755),
  sizeBytes: fc.oneof(
    fc.nat(2000),
    fc.nat(Number.MAX_SAFE_INTEGER),
    fc.integer({ min: 8 * GIB - 2, max: 8 * GIB + 2 }),
  ),
  type: fc.constantFrom<'file' | 'directory'>('file', 'directory'),
});

test('tar-stream reads back every path and size', async () => {
  await fc.assert(
    fc.asyncProperty(anyEntry, async generated => {
      const entry = generated.type === 'directory' ? { ...generated, sizeBytes: 0 } : generated;
      const bytes = tarEntryHeader(entry);
      assert.equal(bytes.length % 512, 0);
      assert.deepEqual(bytes, tarEntryHeader(entry));
      const read = await firstHeader(bytes);
      assert.equal(read.name.replace(/\/$/, ''), entry.path.replace(/\/$/, ''));
      assert.equal(read.size, entry.sizeBytes);
      assert.equal(read.mode, entry.mode);
      assert.equal(read.type, entry.type);
      assert.equal(read.mtime?.getTime(), 0);
      assert.equal(read.uid, 0);
      assert.equal(read.uname, '');
      const block = Buffer.from(bytes.subarray(-512));
      const own = readTarHeader(block);
      if (bytes.length === 512) assert.equal(own?.path.replace(/\/$/, ''), entry.path.replace(/\/$/, ''));
      assert.equal(own?.sizeBytes, entry.sizeBytes < 8 * GIB ? entry.sizeBytes : 0);
      assert.equal(own?.typeFlag, entry.type === 'file' ? '0' : '5');
      block[124] = 0x80;
      assert.equal(readTarHeader(block), undefined);
    }),
    { numRuns: 500 },
  );
});

test('GNU tar reads back every path', () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyPath, { minLength: 1, maxLength: 30 }), paths => {
      const archive = paths.flatMap((path, index) => {
        const content = Buffer.from('c'.repeat(index * 100));
        const header = tarEntryHeader({ path, mode: 0o644, sizeBytes: content.length, type: 'file' });
        return [header, content, Buffer.alloc(paddingFor(content.length))];
      });
      const listed = gnuTar(['-tf', '-'], Buffer.concat([...archive, END_OF_ARCHIVE]));
      assert.deepEqual(listed, paths);
    }),
    { numRuns: 25 },
  );
});

test('GNU tar shows a size beyond 8 GiB', () => {
  const header = tarEntryHeader({ path: 'w', mode: 0o644, sizeBytes: 9 * GIB, type: 'file' });
  const listing = execFileSync('sh', ['-c', 'tar -tvf - 2>/dev/null || true'], {
    input: header,
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  assert.match(listing.toString(), /^-rw-r--r-- 0\/0\s+9663676416 1970-01-01 /);
});

function gnuTar(args: readonly string[], input: Buffer): string[] {
  const options = ['--quoting-style=literal', '--absolute-names', ...args];
  const output = execFileSync('tar', options, {
    input,
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
  });
  return output.toString().replace(/\n$/, '').split('\n');
}

function firstHeader(bytes: Buffer): Promise<tarStream.Header> {
  return new Promise((resolve, reject) => {
    const extract = tarStream.extract();
    extract.on('error', reject);
    extract.on('entry', header => {
      resolve(header);
      extract.destroy();
    });
    extract.end(bytes);
  });
}
