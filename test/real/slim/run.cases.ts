import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { WEIGHBRIDGE } from '../../support/command.ts';
import { freePort } from '../../support/free-port.ts';
import { CONFINED_FLAGS } from '../podman.ts';
import type { CaseGroup } from './table.ts';
import { GATED_ID, ID, NEWEST, type SlimWorld, TOKEN } from './world.ts';

/** `weighbridge run`, with a real podman. */
export const RUN: CaseGroup = {
  title: 'weighbridge run',
  cases: [
    {
      name: 'slim, gated: the token in no list of processes; serves; Ctrl-C',
      isShort: true,
      run: async world => serves(world, GATED_ID, ['gated', '--volume', await world.newVolume()]),
    },
    {
      name: 'fat: serves; Ctrl-C',
      run: async world => serves(world, ID, ['small', '--variant', 'fat']),
    },
  ],
};

async function serves(world: SlimWorld, id: string, words: readonly string[]): Promise<string> {
  const port = await freePort();
  const engineArgs = ['--network=host', ...CONFINED_FLAGS].map(flag => `--engine-arg=${flag}`);
  const child = spawn(
    WEIGHBRIDGE,
    [
      ...['run', ...words, '--config', world.configOf(NEWEST), '--engine', world.podman.command],
      ...['--port', String(port), ...engineArgs, '--', '--seed', '1'],
    ],
    {
      env: { ...process.env, HF_ENDPOINT: world.hub.url, HF_TOKEN: TOKEN },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const said = collect(child);
  try {
    const listed = await modelsAt(port, child);
    assert.deepEqual(listed, [id], said());
    await assertInNoCommandLine(TOKEN);
  } finally {
    child.kill('SIGINT');
  }
  const [status] = await once(child, 'close');
  const text = said();
  assert.ok(!text.includes(TOKEN), text);
  assert.match(text, new RegExp(`will answer at http://localhost:${port}/v1`));
  assert.equal(text.includes('-e HF_TOKEN '), id === GATED_ID);
  return `/v1/models lists ${id}; status ${status} after Ctrl-C`;
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

async function modelsAt(port: number, child: ChildProcess): Promise<string[]> {
  for (let attempt = 0; attempt < 600 && child.exitCode === null; attempt++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/models`).catch(() => undefined);
    if (answer !== undefined) {
      const { data } = (await answer.json()) as { data: { id: string }[] };
      return data.map(model => model.id);
    }
    await sleep(100);
  }
  return [];
}

async function assertInNoCommandLine(secret: string): Promise<void> {
  for (const name of await readdir('/proc')) {
    const line = /^\d+$/.test(name) ? await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '') : '';
    assert.ok(!line.includes(secret), `process ${name} shows the token: ${line.replaceAll('\0', ' ')}`);
  }
}
