import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ROOT } from '../support/command.ts';
import { requireToolAsRoot, temporaryFolder } from '../support/tools.ts';
import { MODEL_FILES, World } from '../support/world.ts';

/** No user of any system has it: as in a container that runs as a number. */
const NOBODY = 54_321;
const skip =
  requireToolAsRoot('setpriv') ||
  ((await mayAnybodyRead(path.join(ROOT, 'bin', 'weighbridge')))
    ? false
    : 'this clone is in a private folder');

test('publish works for a number that has no home and no entry in passwd', { skip }, async t => {
  await using world = await World.start();
  await world.hub.addModel({ id: 'acme/x', files: MODEL_FILES });
  const folder = await temporaryFolder(t);
  await chmod(folder, 0o755);
  const file = path.join(folder, 'models.yaml');
  await writeFile(file, world.config('acme/x'));
  const child = spawn(
    'setpriv',
    [...asNobody(), path.join(ROOT, 'bin', 'weighbridge'), 'publish', '--json', '-c', file],
    { cwd: '/', env: { PATH: process.env.PATH, HF_ENDPOINT: world.hub.url } },
  );
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]);
  assert.equal(status, 0, stderr);
  const statuses = JSON.parse(stdout).models[0].images.map((image: { status: string }) => image.status);
  assert.deepEqual(statuses, ['published', 'published']);
});

function asNobody(): string[] {
  return [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'];
}

async function exitOf(child: ReturnType<typeof spawn>): Promise<number | null> {
  const [status] = await once(child, 'close');
  return status;
}

async function mayAnybodyRead(file: string): Promise<boolean> {
  return (await exitOf(spawn('setpriv', [...asNobody(), 'test', '-x', file]))) === 0;
}
