import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import tarStream from 'tar-stream';
import { layOut } from '../../layer/tar-layout.ts';
import { linkLayer } from './link-layer.ts';

test('the files of a model appear in the folder above and at the top, by relative links', async () => {
  const paths = ['models/x/config.json', 'models/x/sub/a.json', 'models/x/sub/b.json', 'models/x/x'];
  const recipe = linkLayer(paths, 'models/x');
  assert.ok(recipe);
  const bytes = layOut(recipe).segments.flatMap(segment => (segment.kind === 'bytes' ? [segment.bytes] : []));
  const extract = Readable.from(bytes).pipe(tarStream.extract());
  const links: string[] = [];
  for await (const entry of extract) {
    const { type, name, linkname } = entry.header;
    links.push(`${type} ${name} ${linkname ?? ''}`.trim());
    entry.resume();
  }
  assert.deepEqual(links, [
    'symlink config.json models/x/config.json',
    'directory models/',
    // `models/x` is the model's own folder: a file of that name stays where it is.
    'symlink models/config.json x/config.json',
    'symlink models/sub x/sub',
    'symlink sub models/x/sub',
    'symlink x models/x/x',
  ]);
});

test('what is at the top of an image is not replaced by a file of the model', () => {
  const recipe = linkLayer(['models/x/models', 'models/x/licenses'], 'models/x');
  const names = recipe?.entries.map(entry => entry.path);
  assert.deepEqual(names, ['models/licenses', 'models/models']);
});
