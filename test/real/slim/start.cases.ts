import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { RunningContainer } from '../podman.ts';
import { type CaseGroup, withEachLibrary } from './table.ts';
import {
  argvOf,
  FILE_LIST,
  FILES,
  filesOf,
  ID,
  listOf,
  MIB,
  NOWHERE,
  SERVE_ARGS,
  type SlimWorld,
  untilBytesIn,
} from './world.ts';

/** What Kubernetes' restricted profile leaves a container, with a user that the image does not know. */
export const RESTRICTED = {
  user: '12345:23456',
  flags: [
    ...['--read-only', '--read-only-tmpfs=false', '--cap-drop', 'all'],
    ...['--security-opt', 'no-new-privileges'],
  ],
};
const NAME = ['--served-model-name', ID];

/** How it is started, and how it ends. */
export const START: CaseGroup = {
  title: 'start',
  cases: [
    ...withEachLibrary({
      name: 'restricted: any uid, read-only root, no /tmp, no capabilities, HOME unset',
      isShort: true,
      run: restricted,
    }),
    {
      name: 'docker run IMAGE --max-model-len 4096',
      run: world =>
        argvWith(world, { args: ['--max-model-len', '4096'] }, [
          ...NAME,
          ...SERVE_ARGS,
          '--max-model-len',
          '4096',
        ]),
    },
    {
      name: 'SERVE_ARGS with JSON, quotes and spaces',
      run: world => {
        const text = `--override-generation-config '{"temperature": 0.1}' --chat-template "a b" --served_model_name=mine`;
        const flags = ['--override-generation-config', '{"temperature": 0.1}', '--chat-template', 'a b'];
        return argvWith(world, { env: { SERVE_ARGS: text } }, [...flags, '--served_model_name=mine']);
      },
    },
    {
      name: 'SERVE_ARGS with a quote left open',
      run: async world =>
        world.fails(2, /SERVE_ARGS cannot be split into words/, await world.newVolume(), {
          env: { SERVE_ARGS: "--x 'y" },
        }),
    },
    ...withEachLibrary({
      name: 'MODEL_ID: another model, not pinned, without the files vLLM cannot use',
      run: otherModel,
    }),
    {
      name: 'MODEL_DIR: another folder',
      run: async world => {
        const volume = await world.newVolume();
        const result = await world.run(volume, { env: { MODEL_DIR: '/models/elsewhere' } });
        assert.deepEqual(argvOf(result).slice(0, 2), ['serve', '/models/elsewhere']);
        return `${(await readdir(volume)).join()}; vllm serve /models/elsewhere`;
      },
    },
    {
      name: 'docker run IMAGE bash -c …',
      run: async world => {
        const from = world.hub.log.length;
        const args = ['bash', '-c', 'echo $1; exit 7', '-', 'hello'];
        const result = await world.run(await world.newVolume(), { args });
        assert.deepEqual([result.stdout, result.stderr, result.status], ['hello\n', '', 7]);
        assert.equal(world.hub.log.length, from);
        return 'hello, status 7; the Hub was not asked';
      },
    },
    {
      name: 'docker run IMAGE no-such-command',
      run: async world =>
        world.fails(127, /cannot run no-such-command: No such/, undefined, { args: ['no-such-command'] }),
    },
    {
      name: '--entrypoint python3',
      run: async world => {
        const args = ['-c', 'import huggingface_hub; print(huggingface_hub.__version__)'];
        const result = await world.run(undefined, { args, flags: ['--entrypoint', 'python3'] });
        assert.equal(result.status, 0, result.stderr);
        return result.stdout.trim();
      },
    },
    {
      name: 'docker run IMAGE download: brings the model and ends, for an init container',
      run: async world => {
        const volume = await world.newVolume();
        const result = await world.run(volume, { args: ['download'] });
        assert.equal(result.status, 0, result.stderr);
        assert.doesNotMatch(result.stdout, /STAND-IN/);
        const served = await world.run(undefined, {
          env: { HF_ENDPOINT: NOWHERE },
          volumes: [`${volume}:/models:ro`],
        });
        assert.deepEqual(filesOf(served), FILE_LIST, served.stderr);
        return 'status 0; the server then starts from it, read-only and without the Hub';
      },
    },
    { name: 'PYTHONSAFEPATH, PYTHONPATH, through a link: leaves no bytecode', run: toldOddThings },
    { name: 'SIGTERM reaches the server at once', isShort: true, run: serverGetsSignal },
    ...withEachLibrary({
      name: 'SIGTERM while a download hangs: ends, goes on later',
      async run(world, base) {
        const volume = await world.newVolume();
        const stall = { match: /GET cdn/, kind: 'stall', afterBytes: 12 * MIB, times: 2 } as const;
        const ms = await world.under([stall], async () => {
          const container = await world.start(volume, { base });
          await untilBytesIn(volume, 10 * MIB);
          return await endsBy(container);
        });
        const { stderr } = await world.brings(volume, { base });
        return `ended after ${ms} ms; then ${/of which [\d.]+ MB came earlier/.exec(stderr)?.[0]}`;
      },
    }),
    {
      name: 'SIGTERM before a second try',
      run: async world => {
        const container = await world.start(await world.newVolume(), { env: { HF_ENDPOINT: NOWHERE } });
        await container.waitFor(/trying again in 3 s/);
        return `ended after ${await endsBy(container)} ms`;
      },
    },
    {
      name: 'SIGTERM while another container fetches',
      run: async world => {
        const volume = await world.newVolume();
        const slow = { match: /GET cdn/, kind: 'slow', bytesPerSecond: MIB, times: 9 } as const;
        return await world.under([slow], async () => {
          const first = await world.start(volume);
          await untilBytesIn(volume, 1);
          const second = await world.start(volume);
          await second.waitFor(/another container is fetching/);
          const ms = await endsBy(second);
          await first.kill('SIGKILL');
          await first.ended;
          return `ended after ${ms} ms`;
        });
      },
    },
  ],
};

async function restricted(world: SlimWorld, base: string): Promise<string> {
  const volume = await world.newVolume();
  const entrypoint = ['--entrypoint', JSON.stringify(['env', '-u', 'HOME', '/opt/weighbridge/bootstrap'])];
  const flags = [...RESTRICTED.flags, ...entrypoint];
  await world.brings(volume, { ...RESTRICTED, base, flags });
  const { uid } = await stat(path.join(volume, 'small', 'config.json'));
  assert.equal(uid, 12345);
  await world.brings(volume, { ...RESTRICTED, base, flags, env: { HF_ENDPOINT: NOWHERE } });
  return `files belong to uid ${uid}; starts again without the Hub`;
}

async function toldOddThings(world: SlimWorld): Promise<string> {
  const script =
    'ln -s /opt/weighbridge/bootstrap /tmp/start && /tmp/start download && find /opt/weighbridge -type f';
  const { status, stdout, stderr } = await world.run(await world.newVolume(), {
    flags: ['--entrypoint', JSON.stringify(['sh', '-c', script])],
    env: { PYTHONSAFEPATH: '1', PYTHONPATH: '/models:/no/such/folder:' },
  });
  assert.equal(status, 0, stderr);
  const files = stdout.trim().split('\n');
  assert.ok(files.includes('/opt/weighbridge/weighbridge_bootstrap/console.py'), stdout);
  assert.deepEqual(
    files.filter(file => !/\/(bootstrap|model\.json|model_files\.json|\w+\.py)$/.test(file)),
    [],
  );
  return `${files.length} files in /opt/weighbridge, none of them bytecode`;
}

async function argvWith(
  world: SlimWorld,
  run: Parameters<SlimWorld['run']>[1],
  flags: readonly string[],
): Promise<string> {
  const volume = await world.newFullVolume();
  const argv = argvOf(await world.run(volume, run));
  assert.deepEqual(argv, ['serve', '/models/small', ...flags]);
  return `vllm ${JSON.stringify(argv)}`;
}

async function otherModel(world: SlimWorld, base: string): Promise<string> {
  const id = `other/model-${base.replaceAll('.', '-')}`;
  const files = { ...FILES, 'pytorch_model.bin': Buffer.alloc(9), '.gitattributes': Buffer.from('x') };
  await world.hub.addModel({ id, files });
  const volume = await world.newVolume();
  const result = await world.run(volume, { base, env: { MODEL_ID: id } });
  assert.equal(result.status, 0, result.stderr);
  assert.deepEqual(filesOf(result), listOf(FILES));
  assert.deepEqual(argvOf(result).slice(1, 4), [`/models/${id.slice(6)}`, '--served-model-name', id]);
  const again = await world.run(volume, { base, env: { MODEL_ID: id, HF_ENDPOINT: NOWHERE } });
  assert.equal(again.status, 0, again.stderr);
  return /weighbridge: (other.*not pinned)/.exec(result.stderr)?.[1] ?? '';
}

async function serverGetsSignal(world: SlimWorld): Promise<string> {
  const volume = await world.newFullVolume();
  const container = await world.start(volume, {
    args: ['--port', '0'],
    env: { VLLM_STAND_IN_EXIT: '0' },
  });
  await container.waitFor(/stand-in listening/);
  const port = /listening on 127\.0\.0\.1:(\d+)/.exec(container.output.stdout)?.[1];
  const models = (await (await fetch(`http://127.0.0.1:${port}/v1/models`)).json()) as {
    data: { id: string }[];
  };
  assert.deepEqual(
    models.data.map(model => model.id),
    [ID],
  );
  const began = performance.now();
  await container.kill('SIGTERM');
  const { status } = await container.ended;
  assert.equal(status, 0);
  return `/v1/models lists ${ID}; the server's own status 0 after ${Math.round(performance.now() - began)} ms`;
}

/** SIGTERM, and how many milliseconds the container takes to be gone. */
async function endsBy(container: RunningContainer): Promise<number> {
  const began = performance.now();
  await container.kill('SIGTERM');
  const ended = await container.ended;
  const ms = Math.round(performance.now() - began);
  assert.equal(ended.status, 143, ended.stderr);
  assert.match(ended.stderr, /weighbridge: SIGTERM: stopping; what has come is kept\n$/);
  assert.doesNotMatch(ended.stderr, /Traceback/);
  return ms;
}
