import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import { weighbridge } from '../support/command.ts';
import { IS_LONG } from '../support/long.ts';
import { PRUNED, publishVersions, VERSIONS } from '../support/many-versions.ts';
import { pull, tagsOf } from '../support/pull.ts';
import { requireTool, runOk, temporaryFolder } from '../support/tools.ts';
import { World } from '../support/world.ts';
import { collectGarbage, EDITIONS, startRegistry } from './registry.ts';

// Pruned on the registry that most run themselves, garbage collected as its administrator does, and what was to stay
// pulled whole by others' tools.

const isShort = IS_LONG ? requireTool('skopeo') : 'the long form has it (WEIGHBRIDGE_LONG=1)';

for (const { edition, skip } of EDITIONS) {
  describe(`${edition}, with deleting allowed`, { skip: isShort || skip() }, () => {
    test('what a prune keeps pulls whole after the garbage collection, and the rest is gone', async t => {
      await using world = await World.start();
      const root = await temporaryFolder(t);
      const first = await startRegistry({ edition, rootFolder: root });
      let host = first.host;
      await publishVersions(world, first.host);
      const folder = await temporaryFolder(t);
      const file = path.join(folder, 'models.yaml');
      const more = '    variants: [slim]\n    arch: [linux/amd64, linux/arm64]\n';
      const yaml = world.config('acme/x', more, [first.host]).replace('v0.6.0', VERSIONS.at(-1) as string);
      await writeFile(file, yaml);
      const run = (...args: string[]) =>
        weighbridge([...args, '-c', file], { env: { HF_ENDPOINT: world.hub.url } });
      const before = await bytesOf(root);
      const pruned = await run('prune', '--yes', '--keep', '2');
      assert.equal(pruned.status, 0, pruned.stdout + pruned.stderr);
      const tags = await tagsOf(host, PRUNED);
      await first.stop();

      await collectGarbage(root, edition);
      assert.ok((await bytesOf(root)) < before);
      const second = await startRegistry({ edition, rootFolder: root });
      t.after(() => second.stop());
      host = second.host;
      assert.deepEqual(await tagsOf(host, PRUNED), tags);
      const images = tags.filter(tag => !tag.startsWith('sha256-'));
      // The tag by commit names the newest alone.
      assert.equal(images.length, 2 * 2 + 1);
      for (const tag of images) {
        // Every platform, each blob against its digest.
        const to = path.join(folder, tag);
        await runOk('skopeo', [
          ...['copy', '--all', '--src-tls-verify=false', '--quiet'],
          ...[`docker://${host}/${PRUNED}:${tag}`, `oci:${to}:${tag}`],
        ]);
      }
      // The signatures too: each list of referrers leads to what it names.
      for (const list of tags.filter(tag => tag.startsWith('sha256-'))) {
        const response = await fetch(`http://${host}/v2/${PRUNED}/manifests/${list}`, {
          headers: { accept: 'application/vnd.oci.image.index.v1+json' },
        });
        const { manifests } = (await response.json()) as { manifests: { digest: string }[] };
        assert.ok(manifests.length > 0);
        for (const { digest } of manifests) await pull(host, PRUNED, digest);
      }
    });
  });
}

async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(path.join(folder, 'docker', 'registry', 'v2', 'blobs'), {
    recursive: true,
    withFileTypes: true,
  });
  const files = entries.filter(entry => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(path.join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
