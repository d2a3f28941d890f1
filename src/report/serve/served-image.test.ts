import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gpusOf, serveArgsIn, setsGpus } from './served-image.ts';

const REST = ['--max-model-len', '8192'];

for (const name of [
  ['--served-model-name', 'acme/x'],
  ['--served-model-name', 'acme/x', 'x'],
  ['--served-model-name=acme/x'],
  ['--served_model_name', 'acme/x'],
  ['--served-model-name', 'a', '--served-model-name=b'],
]) {
  test(`flags are without the name: ${name.join(' ')}`, () => {
    const after = ['vllm', 'serve', '/models/x', ...REST, ...name];
    const before = ['vllm', 'serve', '/models/x', ...name, ...REST];
    for (const Entrypoint of [before, after])
      assert.deepEqual(serveArgsIn({ container: { Entrypoint } }), REST);
    const Env = [`SERVE_ARGS=${[...name, ...REST].join(' ')}`];
    assert.deepEqual(serveArgsIn({ container: { Env } }), REST);
  });
}

for (const [args, gpus] of [
  [[], 1],
  [['--tensor-parallel-size', '2', '-pp=2'], 4],
  [['--tensor_parallel_size', '2'], 2],
  [['-tp', '8', '--tensor-parallel-size=4'], 4],
  [['-tp', 'many'], 1],
] as const) {
  test(`${gpus} GPUs by the flags: ${args.join(' ') || 'none'}`, () => {
    assert.equal(gpusOf(args), gpus);
    assert.equal(setsGpus(args), args.length > 0);
  });
}
