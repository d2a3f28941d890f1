import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../config/load-config.ts';
import type { ModelConfig } from '../../../config/types.ts';
import { firstFixedTag } from '../../../plan/tags.ts';
import type { Session } from '../../session.ts';
import { chooseImage, pickLoaded } from './run-image.ts';

const DOCKER = { kind: 'docker', words: ['docker'] } as const;
const PODMAN = { kind: 'podman', words: ['podman'] } as const;
/** No service may be asked in these tests: there is none. */
const SESSION = { env: {} } as Session;
const OPTIONS = { config: 'models.yaml' };

function known(
  model: object = {},
  file: object = { registries: { lab: 'localhost:5000/m', b: 'b.example/m' } },
) {
  const config = parseConfig(
    JSON.stringify({ ...file, models: [{ id: 'org/x', short: 'x', ...model }] }),
    'test',
  );
  return { config, model: config.models[0] as ModelConfig };
}

test('without more, it is the slim image in the first registry, and the Hub is not asked', async () => {
  const chosen = await chooseImage(SESSION, DOCKER, known(), OPTIONS);
  assert.deepEqual(chosen, {
    name: 'localhost:5000/m/hf-x:v0.6.0-slim',
    variant: 'slim',
    isPlainHttp: true,
  });
});

test('another variant, registry and first fixed template', async () => {
  const model = known({
    tags: ['r{revision}-{variant}', '{variant}-{version}'],
    base_image: 'vllm/vllm-openai:v2',
  });
  const options = { ...OPTIONS, variant: 'fat', registry: { b: '' } } as const;
  const chosen = await chooseImage(SESSION, DOCKER, model, options);
  assert.deepEqual(chosen, { name: 'b.example/m/hf-x:fat-v2', variant: 'fat', isPlainHttp: false });
});

test('there is no fixed tag where each names the revision', () => {
  assert.equal(firstFixedTag(known({ tags: ['r{revision}-{variant}'] }).model, 'slim'), undefined);
});

test('an unknown registry is an error that says what to write', async () => {
  await assert.rejects(chooseImage(SESSION, DOCKER, known({}, {}), OPTIONS), {
    code: 'CONFIG_INVALID',
    message: /x: no prefix is configured for/,
  });
});

test('--image is taken as it is, and tells the variant', async () => {
  const variantOf = async (image: string): Promise<string> =>
    (await chooseImage(SESSION, DOCKER, undefined, { ...OPTIONS, image })).variant;
  assert.equal(await variantOf('ghcr.io/acme/hf-x:v0.6.0-fat'), 'fat');
  assert.equal(await variantOf('ghcr.io/acme/hf-x:v0.6.0-slim'), 'slim');
  assert.equal(await variantOf('ghcr.io:443/fat/hf-fat'), 'slim');
  assert.equal(await variantOf('hf-x:fatter'), 'slim');
  const forced = { ...OPTIONS, image: 'x:1-fat', variant: 'slim' } as const;
  assert.deepEqual(await chooseImage(SESSION, DOCKER, undefined, forced), {
    name: 'x:1-fat',
    variant: 'slim',
    isPlainHttp: false,
  });
});

test('--print of an archive tells the name that loading would give', async () => {
  const options = { ...OPTIONS, archive: 'none.tar', print: true };
  const nameFor = async (engine: typeof DOCKER | typeof PODMAN): Promise<string> =>
    (await chooseImage(SESSION, engine, known(), options)).name;
  assert.equal(await nameFor(DOCKER), 'hf-x:v0.6.0-slim');
  assert.equal(await nameFor(PODMAN), 'localhost/hf-x:v0.6.0-slim');
});

const ARCHIVE = { archive: 'a.tar', variant: undefined, model: known().model };

test('of an archive, the image of the model and the variant is taken', () => {
  const names = ['localhost/hf-y:v0.6.0-slim', 'localhost/hf-x:rabc-fat', 'localhost/hf-x:v0.6.0-fat'];
  assert.deepEqual(pickLoaded(names, ARCHIVE), { name: names[2], variant: 'fat' });
  assert.deepEqual(pickLoaded([...names, 'localhost/hf-x:rabc-slim'], ARCHIVE), {
    name: 'localhost/hf-x:rabc-slim',
    variant: 'slim',
  });
  assert.deepEqual(pickLoaded(names, { ...ARCHIVE, model: undefined }), { name: names[0], variant: 'slim' });
});

test('an archive without the wanted image says what it has', () => {
  assert.throws(() => pickLoaded(['hf-x:v0.6.0-fat'], { ...ARCHIVE, variant: 'slim' }), {
    code: 'USAGE',
    message: 'a.tar has no slim image of x; it has hf-x:v0.6.0-fat',
  });
  assert.throws(() => pickLoaded([], { ...ARCHIVE, model: undefined }), {
    message: 'a.tar has no image; it has none with a name',
  });
});

test('a registry is over plain HTTP if the file says so, or if it is a port of this machine', async () => {
  const registries = {
    lab: { prefix: 'registry.lan:5000/m', plain_http: true },
    own: { prefix: 'registry.lan:5001/m', ca: 'ca.pem' },
  };
  const isPlain = async (registry: string): Promise<boolean | undefined> =>
    (
      await chooseImage(SESSION, PODMAN, known({}, { registries }), {
        ...OPTIONS,
        registry: { [registry]: '' },
      })
    ).isPlainHttp;
  assert.equal(await isPlain('lab'), true);
  assert.equal(await isPlain('own'), false);
  const ofImage = async (image: string): Promise<boolean | undefined> =>
    (await chooseImage(SESSION, PODMAN, undefined, { ...OPTIONS, image })).isPlainHttp;
  assert.equal(await ofImage('127.0.0.1:5000/x:1-slim'), true);
  // What podman has loaded is not pulled.
  assert.equal(await ofImage('localhost/hf-x:1-slim'), false);
});

test('a variant that the file does not have is an error before anything is printed', async () => {
  const options = { ...OPTIONS, variant: 'fat', print: true } as const;
  await assert.rejects(chooseImage(SESSION, DOCKER, known({ variants: ['slim'] }), options), {
    code: 'USAGE',
    message: 'x has no fat image: its `variants` are slim',
  });
});
