import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { CatalogData } from '../../../src/catalog/catalog-data.ts';
import { startRegistry } from '../../../src/testkit/registry.ts';
import { fillRegistry, writeSampleConfig } from '../../support/catalog-world.ts';
import { WEIGHBRIDGE, weighbridge } from '../../support/command.ts';
import { filesIn } from '../../support/files-in.ts';
import { run, temporaryFolder } from '../../support/tools.ts';
import { MODEL_FILES, World } from '../../support/world.ts';

async function readCatalog(site: string): Promise<CatalogData> {
  return JSON.parse(await readFile(path.join(site, 'catalog.json'), 'utf8'));
}

test('every link of every page leads to a file and an anchor that are there, or says that it leaves the site', async t => {
  await using registry = await startRegistry();
  const folder = await temporaryFolder(t);
  const config = await writeSampleConfig(
    folder,
    { lab: `${registry.host}/acme` },
    fillRegistry(registry, 'acme', 50),
  );
  const site = path.join(folder, 'site');
  const { status, stderr } = await run(WEIGHBRIDGE, ['catalog', '-c', config, '-o', site, '--no-hub']);
  assert.equal(status, 0, stderr);
  const files = await filesIn(site);
  const pages = files.filter(name => name.endsWith('.html'));
  assert.ok(pages.length > 55, `${pages.length} pages`);
  const texts = new Map<string, string>();
  for (const page of pages) texts.set(page, await readFile(path.join(site, page), 'utf8'));
  const broken: string[] = [];
  for (const [page, text] of texts) {
    const tags = text
      .replace(/<template.*?<\/template>/gs, '')
      .matchAll(/<[a-z]+[^>]*?\s(?:href|src)="([^"]*)"[^>]*>/g);
    for (const [tag, address = ''] of tags) {
      const target = decodeURIComponent(address.replaceAll('&amp;', '&').replaceAll('&#38;', '&'));
      if (/^(https?|mailto):/.test(target)) {
        if (!/ rel="external[ "]/.test(tag))
          broken.push(`${page}: ${target} does not say that it is elsewhere`);
        continue;
      }
      const [file = '', anchor] = target.split('#');
      const name = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      if (target.startsWith('/') || !files.includes(name)) broken.push(`${page}: ${target}`);
      else if (anchor && !texts.get(name)?.includes(`id="${anchor}"`))
        broken.push(`${page}: ${target} has no anchor`);
    }
  }
  assert.deepEqual(broken, []);
});

test('what a publish has made is in the catalog: models, variants, places, files with hashes, history', async t => {
  await using world = await World.start({}, {});
  const first = await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const yaml = world.config('acme/x', '  - { id: acme/none, short: none }\n');
  await world.publish(yaml.replace(/ {2}- \{ id: acme\/none.*\n/, ''));
  await world.hub.updateFile('acme/x', 'config.json', '{"model_type":"qwen2"}');
  await world.publish(yaml.replace(/ {2}- \{ id: acme\/none.*\n/, ''));
  const folder = await temporaryFolder(t);
  const config = path.join(folder, 'models.yaml');
  await writeFile(config, yaml);
  const site = path.join(folder, 'site');
  const args = ['catalog', '-c', config, '-o', site, '--json'];
  const look = () => weighbridge(args, { env: { HF_ENDPOINT: world.hub.url } });
  const result = await look();
  assert.equal(result.status, 0, result.stderr);
  assert.deepEqual(JSON.parse(result.stdout).models, 1);
  const { models } = await readCatalog(site);
  const [model] = models;
  assert.equal(models.length, 1);
  assert.deepEqual(
    [model?.id, model?.license, model?.version, model?.variants],
    ['acme/x', 'Apache-2.0', 'v0.6.0', ['fat', 'slim']],
  );
  assert.notEqual(model?.revision, first);
  assert.equal(model?.images.length, 4);
  assert.deepEqual(
    model?.images.map(image => image.isCurrent),
    [true, true, false, false],
  );
  assert.deepEqual(
    model?.images[0]?.places.map(place => place.registry),
    ['r0', 'r1'],
  );
  const weights = model?.files.find(file => file.path === 'model-00001-of-00003.safetensors');
  assert.match(weights?.sha256 ?? '', /^[0-9a-f]{64}$/);
  assert.ok(!model?.files.some(file => file.path === 'pytorch_model.bin'));

  // Looked at again, nothing is new; a repository that cannot be read is said, and does not stop the others.
  world.registry(1).faults.add({ match: /hf-x\/tags/, kind: 'status', status: 500, times: 100 });
  const again = await look();
  assert.equal(again.status, 1);
  assert.match(again.stderr, /listing the tags of .*answered 500/);
  const after = await readCatalog(site);
  assert.deepEqual(
    after.models[0]?.images.map(image => image.firstSeen),
    model?.images.map(image => image.firstSeen),
  );
});

test('a folder with other things in it is left alone', async t => {
  const folder = await temporaryFolder(t);
  await writeFile(path.join(folder, 'thesis.txt'), 'years of work');
  await writeFile(
    path.join(folder, 'models.yaml'),
    'registries: { lab: "localhost:9/x" }\nmodels: [{ id: a/b, short: b }]\n',
  );
  const { status, stderr } = await run(WEIGHBRIDGE, [
    'catalog',
    '-c',
    path.join(folder, 'models.yaml'),
    '-o',
    folder,
  ]);
  assert.equal(status, 2);
  assert.match(stderr, /has other files and no catalog in it\n {2}Name a new or empty folder/);
  assert.deepEqual(await filesIn(folder), ['models.yaml', 'thesis.txt']);
});
