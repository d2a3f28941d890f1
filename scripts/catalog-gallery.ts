// A catalog of forty models of many kinds, for people who work on its pages: `node scripts/catalog-gallery.ts [folder]`.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { startGallery } from '../test/support/catalog-gallery.ts';
import { writeSampleConfig } from '../test/support/catalog-world.ts';
import { WEIGHBRIDGE } from '../test/support/command.ts';
import { run } from '../test/support/tools.ts';

const folder = path.resolve(process.argv[2] ?? 'build/gallery');

await using gallery = await startGallery();
await mkdir(folder, { recursive: true });
const config = await writeSampleConfig(folder, { lab: `${gallery.registry.host}/acme` }, gallery.models);
const args = ['catalog', '-c', config, '-o', path.join(folder, 'site'), '--title', 'Acme models'];
const { status, stdout, stderr } = await run(WEIGHBRIDGE, args, {
  env: { ...process.env, HF_ENDPOINT: gallery.hub.url },
});
process.stderr.write(stderr);
process.stdout.write(stdout);
process.exitCode = status ?? 1;
