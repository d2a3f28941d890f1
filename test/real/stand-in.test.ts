import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort } from '../support/free-port.ts';
import { requireTool, runOk } from '../support/tools.ts';
import { NEW, PYTHON, PYTHON_ENV, requireVllm, SERVE_ARGS } from './vllm/engine.ts';

// What the tests rely on in their stand-in for vLLM holds for vLLM itself: one table for both, the real one in the long form.

const STAND_IN = path.join(import.meta.dirname, 'vllm_stand_in.py');
const TINY_MODEL = path.join(import.meta.dirname, 'vllm', 'tiny_model.py');

interface Contract {
  readonly name: string;
  /** `python3 -m vllm.entrypoints.openai.api_server` in place of `vllm`. */
  readonly isModule?: boolean;
  /** `MODEL` is the folder of one. */
  readonly args: readonly string[];
  /** It serves a model under this name, and ends with `status` after `signal`; else it ends with it at once. */
  readonly serves?: string;
  /** Default SIGTERM, what a container runtime sends; SIGINT is a terminal's Ctrl-C. */
  readonly signal?: 'SIGINT';
  readonly status: number;
  readonly says?: RegExp;
}

const CONTRACT: readonly Contract[] = [
  {
    name: 'serves the folder under its name, and ends by its own decision after SIGTERM',
    args: ['serve', 'MODEL', '--served-model-name', 'org/tiny', ...SERVE_ARGS],
    serves: 'org/tiny',
    status: 0,
  },
  {
    name: 'ends the same after SIGINT',
    args: ['serve', 'MODEL', '--served-model-name', 'org/tiny', ...SERVE_ARGS],
    serves: 'org/tiny',
    signal: 'SIGINT',
    status: 0,
  },
  {
    name: 'refuses a word that is no flag',
    args: ['serve', 'MODEL', 'serve'],
    status: 2,
    says: /unrecognized arguments: serve/,
  },
  {
    name: 'refuses the command of `vllm` as a module',
    isModule: true,
    args: ['vllm', 'serve', 'MODEL'],
    status: 2,
    says: /unrecognized arguments: serve/,
  },
  { name: 'refuses a call without a command', args: ['MODEL'], status: 2, says: /invalid choice/ },
];

interface Server {
  readonly name: string;
  readonly skip: false | string;
  readonly env: NodeJS.ProcessEnv;
  words(isModule: boolean): readonly string[];
  /** Makes what it can serve. */
  makeModel(folder: string): Promise<unknown>;
}

const SERVERS: readonly Server[] = [
  {
    name: 'the stand-in',
    skip: requireTool('python3'),
    env: { PYTHONPATH: import.meta.dirname },
    words: isModule =>
      isModule
        ? ['-c', 'import sys, vllm_stand_in; vllm_stand_in.main(sys.argv[1:], is_module=True)']
        : [STAND_IN],
    makeModel: folder => writeFile(path.join(folder, 'config.json'), '{}'),
  },
  {
    name: `vLLM ${NEW}`,
    skip: requireVllm(NEW),
    env: { ...PYTHON_ENV, VLLM_CPU_KVCACHE_SPACE: '1', VLLM_NO_USAGE_STATS: '1', VLLM_TARGET_DEVICE: 'cpu' },
    words: isModule => [
      '-P',
      '-m',
      isModule ? 'vllm.entrypoints.openai.api_server' : 'vllm.entrypoints.cli.main',
    ],
    makeModel: folder => runOk(PYTHON, [TINY_MODEL, folder], { env: PYTHON_ENV }),
  },
];

for (const server of SERVERS) {
  describe(server.name, { skip: server.skip, concurrency: false }, () => {
    let model: string;

    before(async () => {
      model = await mkdtemp(path.join(tmpdir(), 'weighbridge-stand-in-'));
      await server.makeModel(model);
    });
    after(() => rm(model, { recursive: true, force: true }));

    for (const { name, isModule = false, args, serves, signal = 'SIGTERM', status, says } of CONTRACT) {
      test(name, async () => {
        const port = await freePort();
        const given = args.map(word => (word === 'MODEL' ? model : word));
        const place = serves === undefined ? [] : ['--host', '127.0.0.1', '--port', String(port)];
        const child = spawn(PYTHON, [...server.words(isModule), ...given, ...place], {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { ...process.env, ...server.env },
        });
        const ended = outcomeOf(child);
        if (serves !== undefined) {
          assert.equal(
            await servedModel(port, child),
            serves,
            (await Promise.race([ended, undefined]))?.said,
          );
          child.kill(signal);
        }
        const outcome = await ended;
        assert.equal(outcome.status, status, outcome.said);
        if (says !== undefined) assert.match(outcome.said, says);
      });
    }
  });
}

async function outcomeOf(
  child: ChildProcess,
): Promise<{ readonly status: number | null; readonly said: string }> {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return await new Promise(resolve => child.once('close', status => resolve({ status, said })));
}

/** The name of the model that is served, once it is; undefined if the server ends. */
async function servedModel(port: number, child: ChildProcess): Promise<string | undefined> {
  while (child.exitCode === null) {
    const response = await fetch(`http://127.0.0.1:${port}/v1/models`).catch(() => undefined);
    if (response?.ok) return ((await response.json()) as { data: { id: string }[] }).data[0]?.id;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return undefined;
}
