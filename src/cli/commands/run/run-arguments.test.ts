import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  loopbackVariables,
  passedVariables,
  type RunInputs,
  runArguments,
  serverAddress,
} from './run-arguments.ts';

const slim: RunInputs = {
  engine: 'docker',
  image: 'ghcr.io/acme/hf-x:v1-slim',
  args: [],
  isServerEntrypoint: false,
  containerPort: 8000,
  port: undefined,
  volume: { source: '/srv/models', isFolder: true, target: '/models' },
  variables: [],
  gpu: undefined,
  mode: 'plain',
  name: undefined,
  engineArgs: [],
};
const fat: RunInputs = {
  ...slim,
  image: 'ghcr.io/acme/hf-x:v1-fat',
  isServerEntrypoint: true,
  volume: undefined,
};
const image = slim.image;

const cases: Record<string, [RunInputs, string]> = {
  'a slim image': [slim, `run --rm -p 8000:8000 -v /srv/models:/models --ipc=host ${image}`],
  'a fat image has no volume': [fat, 'run --rm -p 8000:8000 --ipc=host ghcr.io/acme/hf-x:v1-fat'],
  'a command in a slim image, whose bootstrap runs it': [
    { ...slim, args: ['bash', '-c', 'ls'] },
    `run --rm -p 8000:8000 -v /srv/models:/models --ipc=host ${image} bash -c ls`,
  ],
  'a command in a fat image, which would be an argument of vLLM': [
    { ...fat, args: ['bash', '-c', 'ls'] },
    'run --rm -p 8000:8000 --ipc=host --entrypoint bash ghcr.io/acme/hf-x:v1-fat -c ls',
  ],
  'arguments of vLLM in a fat image': [
    { ...fat, args: ['--seed', '1'] },
    'run --rm -p 8000:8000 --ipc=host ghcr.io/acme/hf-x:v1-fat --seed 1',
  ],
  'podman, and a registry over plain HTTP': [
    { ...fat, engine: 'podman', isPlainHttp: true },
    'run --rm --tls-verify=false -p 8000:8000 --ipc=host ghcr.io/acme/hf-x:v1-fat',
  ],
  'docker, and a registry over plain HTTP': [
    { ...fat, isPlainHttp: true },
    'run --rm -p 8000:8000 --ipc=host ghcr.io/acme/hf-x:v1-fat',
  ],
  'at a terminal': [{ ...fat, image, mode: 'terminal' }, `run --rm -it -p 8000:8000 --ipc=host ${image}`],
  'in the background, with a name': [
    { ...fat, image, mode: 'detached', name: 'x' },
    `run --rm -d --name x -p 8000:8000 --ipc=host ${image}`,
  ],
  'another port here': [
    { ...fat, image, port: '9000', containerPort: 8080 },
    `run --rm -p 9000:8080 --ipc=host ${image}`,
  ],
  'an address': [
    { ...fat, image, port: '127.0.0.1:9000' },
    `run --rm -p 127.0.0.1:9000:8000 --ipc=host ${image}`,
  ],
  'a named volume with options': [
    { ...slim, volume: { source: 'weights', isFolder: false, target: '/data', options: 'Z' } },
    `run --rm -p 8000:8000 -v weights:/data:Z --ipc=host ${image}`,
  ],
  'variables by name': [
    { ...fat, image, variables: ['HF_TOKEN', 'HTTPS_PROXY'] },
    `run --rm -p 8000:8000 -e HF_TOKEN -e HTTPS_PROXY --ipc=host ${image}`,
  ],
  'NVIDIA and docker': [
    { ...fat, image, gpu: 'nvidia' },
    `run --rm -p 8000:8000 --gpus all --ipc=host ${image}`,
  ],
  'NVIDIA and podman': [
    { ...fat, image, gpu: 'nvidia', engine: 'podman' },
    `run --rm -p 8000:8000 --device nvidia.com/gpu=all --ipc=host ${image}`,
  ],
  AMD: [
    { ...fat, image, gpu: 'amd' },
    `run --rm -p 8000:8000 --device /dev/kfd --device /dev/dri --ipc=host ${image}`,
  ],
  'GPUs of the caller': [
    { ...fat, image, gpu: 'nvidia', engineArgs: ['--gpus=device=1'] },
    `run --rm -p 8000:8000 --ipc=host --gpus=device=1 ${image}`,
  ],
  'shared memory of the caller': [
    { ...fat, image, engineArgs: ['--shm-size', '8g'] },
    `run --rm -p 8000:8000 --shm-size 8g ${image}`,
  ],
  'ipc of the caller': [
    { ...fat, image, engineArgs: ['--ipc=private'] },
    `run --rm -p 8000:8000 --ipc=private ${image}`,
  ],
  "the host's network": [
    { ...fat, image, engineArgs: ['--network=host'] },
    `run --rm --ipc=host --network=host ${image}`,
  ],
  "the host's network in two words": [
    { ...fat, image, engineArgs: ['--net', 'host'] },
    `run --rm --ipc=host --net host ${image}`,
  ],
  "a port on the host's network is the server's own": [
    { ...fat, image, port: '9000', engineArgs: ['--network=host'], args: ['--seed', '1'] },
    `run --rm --ipc=host --network=host ${image} --seed 1 --port 9000`,
  ],
  "a port on the host's network that it has anyway": [
    { ...fat, image, port: '8000', engineArgs: ['--network=host'] },
    `run --rm --ipc=host --network=host ${image}`,
  ],
  "another container's network": [
    { ...fat, image, engineArgs: ['--network=container:y'] },
    `run --rm --ipc=host --network=container:y ${image}`,
  ],
  'a network of its own': [
    { ...fat, image, engineArgs: ['--network=lab'] },
    `run --rm -p 8000:8000 --ipc=host --network=lab ${image}`,
  ],
  'arguments for vLLM come last': [
    { ...slim, engineArgs: ['--read-only'], args: ['--max-model-len', '4096'] },
    `run --rm -p 8000:8000 -v /srv/models:/models --ipc=host --read-only ${image} --max-model-len 4096`,
  ],
};

for (const [name, [inputs, expected]] of Object.entries(cases)) {
  test(name, () => assert.equal(runArguments(inputs).join(' '), expected));
}

test('no value of the environment is ever in the arguments', () => {
  const secret = fc.stringMatching(/^[a-zA-Z0-9]{12,30}$/);
  fc.assert(
    fc.property(secret, secret, fc.constantFrom('slim', 'fat'), (token, password, variant) => {
      const env = {
        HF_TOKEN: `hf_${token}`,
        HUGGING_FACE_HUB_TOKEN: `hf_${token}`,
        HF_ENDPOINT: `https://x:${password}@hub.example`,
        https_proxy: `http://user:${password}@proxy.example:3128`,
      };
      const words = runArguments({ ...slim, variables: passedVariables(env, variant) });
      const text = words.join(' ');
      assert.ok(!text.includes(token) && !text.includes(password), text);
      assert.ok(words.includes('https_proxy'));
    }),
  );
});

test('a slim image is told tokens that are set; a fat one none', () => {
  const env = {
    HF_TOKEN: 'hf_x',
    HUGGING_FACE_HUB_TOKEN: '',
    HF_ENDPOINT: 'http://hub',
    NO_PROXY: '*',
    HOME: '/',
  };
  assert.deepEqual(passedVariables(env, 'slim'), ['HF_TOKEN', 'HF_ENDPOINT', 'NO_PROXY']);
  assert.deepEqual(passedVariables(env, 'fat'), ['NO_PROXY']);
});

test('variables that lead to localhost are found', () => {
  const env = {
    HF_ENDPOINT: 'http://127.0.0.1:8080',
    HTTPS_PROXY: 'http://user:secret@localhost:3128',
    HTTP_PROXY: 'http://proxy.example:3128',
    NO_PROXY: 'localhost,127.0.0.1',
  };
  assert.deepEqual(loopbackVariables(env, Object.keys(env)), ['HF_ENDPOINT', 'HTTPS_PROXY']);
});

test('the address to ask', () => {
  const at = (port: string | undefined): string => serverAddress({ port, containerPort: 8080 });
  assert.equal(at(undefined), 'http://localhost:8080');
  assert.equal(at('9000'), 'http://localhost:9000');
  assert.equal(at('0.0.0.0:9000'), 'http://localhost:9000');
  assert.equal(at('10.0.0.7:9000'), 'http://10.0.0.7:9000');
  assert.equal(at('[::1]:9000'), 'http://[::1]:9000');
});
