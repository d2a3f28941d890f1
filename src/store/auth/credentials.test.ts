import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../core/errors.ts';
import { createCredentials } from './credentials.ts';
import type { Environment } from './types.ts';

let folder: string;
let serial = 0;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-logins-'));
});
after(() => rm(folder, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A DOCKER_CONFIG folder with the given config.json. */
async function dockerConfig(content: unknown): Promise<Environment> {
  const home = path.join(folder, `d${serial++}`);
  await mkdir(home);
  await writeFile(
    path.join(home, 'config.json'),
    typeof content === 'string' ? content : JSON.stringify(content),
  );
  return { DOCKER_CONFIG: home };
}

async function authFile(content: unknown): Promise<string> {
  const file = path.join(folder, `auth${serial++}.json`);
  await writeFile(file, JSON.stringify(content));
  return file;
}

/** A PATH with one helper, a shell script that finds the server it was asked for in $server. */
async function helperPath(name: string, script: string): Promise<string> {
  const bin = path.join(folder, `bin${serial++}`);
  await mkdir(bin);
  const text = `#!/bin/sh\nread -r server\necho "$1 $server" >> ${bin}/asked\n${script}\n`;
  await writeFile(path.join(bin, `docker-credential-${name}`), text, { mode: 0o755 });
  return bin;
}

test('every spelling of a key finds its registry', async () => {
  const keys: [string, string][] = [
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['index.docker.io/v1', 'docker.io'],
    ['https://host.example:5000', 'host.example:5000'],
    ['host.example:5000/', 'host.example:5000'],
    ['https://host.example:5000/v2/', 'host.example:5000'],
    ['GHCR.io', 'ghcr.io'],
    ['[::1]:5000', '[::1]:5000'],
  ];
  for (const [key, registry] of keys) {
    const find = createCredentials(
      await dockerConfig({ auths: { [key]: { auth: base64('ann:pass:word') } } }),
    );
    assert.deepEqual(
      await find(registry, 'acme/x'),
      { kind: 'basic', username: 'ann', password: 'pass:word' },
      key,
    );
    assert.equal(await find('other.example', 'acme/x'), undefined);
  }
});

test('an entry may hold a name and password, an identity token, or nothing', async () => {
  const find = createCredentials(
    await dockerConfig({
      auths: {
        'a.example': { username: 'ann', password: 'secret' },
        'b.example': { auth: base64('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh' },
        'c.example': {},
        'https://index.docker.io/v1/access-token': { auth: base64('ann:jwt') },
        'not a host': { auth: base64('x:y') },
      },
    }),
  );
  assert.deepEqual(await find('a.example', 'x'), { kind: 'basic', username: 'ann', password: 'secret' });
  assert.deepEqual(await find('b.example', 'x'), {
    kind: 'identity',
    token: 'refresh',
    username: '00000000-0000-0000-0000-000000000000',
  });
  assert.equal(await find('c.example', 'x'), undefined);
  assert.equal(await find('docker.io', 'x'), undefined);
});

test('an entry may hold an access token, and one without a password is none', async () => {
  const find = createCredentials(
    await dockerConfig({
      auths: {
        'a.example': { auth: base64('ann:p'), registrytoken: 'access' },
        'b.example': { auth: base64('ann:') },
        'c.example': { username: 'ann', password: '' },
        'e.example': { auth: base64('ann:p\n') },
        'd.example': { auth: Buffer.from('ann:p\xe4ss', 'latin1').toString('base64') },
      },
    }),
  );
  assert.deepEqual(await find('a.example', 'x'), { kind: 'bearer', token: 'access', username: 'ann' });
  assert.equal(await find('b.example', 'x'), undefined);
  assert.equal(await find('c.example', 'x'), undefined);
  assert.deepEqual(await find('e.example', 'x'), { kind: 'basic', username: 'ann', password: 'p' });
  const odd = await find('d.example', 'x');
  assert.equal(odd?.kind === 'basic' && odd.encoded, Buffer.from('ann:p\xe4ss', 'latin1').toString('base64'));
});

test('an address with a path is its host, if the host has no entry of its own', async () => {
  const entry = (name: string) => ({ auth: base64(`${name}:p`) });
  const find = createCredentials(
    await dockerConfig({
      auths: {
        'https://a.example/artifactory/docker': entry('address'),
        'https://b.example/some/path': entry('address'),
        'b.example': entry('host'),
        'https://index.docker.io/v1/refresh-token': entry('none'),
      },
    }),
  );
  assert.equal((await find('a.example', 'x'))?.username, 'address');
  assert.equal((await find('b.example', 'some/path/x'))?.username, 'host');
  assert.equal(await find('docker.io', 'x'), undefined);
});

test('a file that an editor or PowerShell has marked is read', async () => {
  const content = JSON.stringify({ auths: { 'a.example': { auth: base64('ann:p') } } });
  for (const bytes of [Buffer.from(`\ufeff${content}`), Buffer.from(`\ufeff${content}`, 'utf16le')]) {
    const env = await dockerConfig('');
    await writeFile(path.join(String(env.DOCKER_CONFIG), 'config.json'), bytes);
    assert.equal((await createCredentials(env)('a.example', 'x'))?.username, 'ann');
  }
});

test('DOCKER_AUTH_CONFIG comes first, and one that cannot be read is said if it matters', async () => {
  const entry = (name: string) => ({ auth: base64(`${name}:p`) });
  const env = await dockerConfig({ auths: { 'a.example': entry('file'), 'b.example': entry('file') } });
  const DOCKER_AUTH_CONFIG = JSON.stringify({ auths: { 'a.example': entry('variable') } });
  const find = createCredentials({ ...env, DOCKER_AUTH_CONFIG });
  assert.equal((await find('a.example', 'x'))?.username, 'variable');
  assert.equal((await find('b.example', 'x'))?.username, 'file');
  const broken = createCredentials({ ...env, DOCKER_AUTH_CONFIG: '{"auths": hunter2}' });
  assert.equal((await broken('a.example', 'x'))?.username, 'file');
  assert.equal(
    broken.trouble?.('a.example'),
    'DOCKER_AUTH_CONFIG:1:11: the registry logins are not valid JSON',
  );
});

test("Podman's file in the configuration folder is the last", async () => {
  const home = path.join(folder, `home${serial++}`);
  await mkdir(path.join(home, '.config', 'containers'), { recursive: true });
  const content = JSON.stringify({ auths: { 'a.example': { auth: base64('ann:p') } } });
  await writeFile(path.join(home, '.config', 'containers', 'auth.json'), content);
  assert.equal((await createCredentials({ HOME: home })('a.example', 'x'))?.username, 'ann');
  const XDG_CONFIG_HOME = path.join(home, '.config');
  assert.equal((await createCredentials({ XDG_CONFIG_HOME })('a.example', 'x'))?.username, 'ann');
});

test('a variable that names a file which is not there is told of', async () => {
  const home = await dockerConfig({});
  const DOCKER_CONFIG = path.join(String(home.DOCKER_CONFIG), 'config.json');
  const REGISTRY_AUTH_FILE = path.join(folder, 'nothing.json');
  const find = createCredentials({ DOCKER_CONFIG, REGISTRY_AUTH_FILE });
  assert.equal(await find('a.example', 'x'), undefined);
  assert.equal(
    find.trouble?.('a.example'),
    `DOCKER_CONFIG: there is no file ${DOCKER_CONFIG}/config.json; REGISTRY_AUTH_FILE: there is no file ${REGISTRY_AUTH_FILE}`,
  );
});

test('an empty helper means the file itself, whatever credsStore is', async () => {
  const PATH = await helperPath('store', `echo '{"Username":"store","Secret":"s"}'`);
  const config = { credsStore: 'store', credHelpers: { 'a.example': '' } };
  const find = createCredentials({ ...(await dockerConfig(config)), PATH: `${PATH}:/usr/bin:/bin` });
  assert.equal(await find('a.example', 'x'), undefined);
  assert.equal((await find('b.example', 'x'))?.username, 'store');
});

test('the longest key of an auth.json wins', async () => {
  const entry = (name: string) => ({ auth: base64(`${name}:p`) });
  const REGISTRY_AUTH_FILE = await authFile({
    auths: {
      'ghcr.io/acme/x': entry('image'),
      'ghcr.io': entry('host'),
      'ghcr.io/acme': entry('owner'),
    },
  });
  const find = createCredentials({ REGISTRY_AUTH_FILE });
  const nameFor = async (repository: string) => (await find('ghcr.io', repository))?.username;
  assert.equal(await nameFor('acme/x'), 'image');
  assert.equal(await nameFor('acme/xy'), 'owner');
  assert.equal(await nameFor('acmes/x'), 'host');
});

test('sources are asked in order: Docker, REGISTRY_AUTH_FILE, the runtime folder, the environment', async () => {
  const entry = (name: string) => ({ auth: base64(`${name}:p`) });
  const runtime = path.join(folder, 'run');
  await mkdir(path.join(runtime, 'containers'), { recursive: true });
  const hosts = ['docker.io', 'ghcr.io', 'a.example', 'b.example'];
  const auths = (name: string, count: number) => ({
    auths: Object.fromEntries(hosts.slice(-count).map(host => [host, entry(name)])),
  });
  await writeFile(path.join(runtime, 'containers', 'auth.json'), JSON.stringify(auths('runtime', 3)));
  const env: Environment = {
    ...(await dockerConfig(auths('docker', 1))),
    REGISTRY_AUTH_FILE: await authFile(auths('file', 2)),
    XDG_RUNTIME_DIR: runtime,
    GITHUB_ACTOR: 'actor',
    GITHUB_TOKEN: 'token',
    DOCKERHUB_USERNAME: 'hub',
    DOCKERHUB_TOKEN: 'token',
  };
  const find = createCredentials(env);
  const names = await Promise.all(hosts.map(async host => (await find(host, 'x'))?.username));
  assert.deepEqual(names, ['hub', 'runtime', 'file', 'docker']);
});

test('the environment logs in to two registries, and only with both halves', async () => {
  const both = createCredentials({ GITHUB_ACTOR: 'ann', GITHUB_TOKEN: 'ghs' });
  assert.deepEqual(await both('ghcr.io', 'x'), { kind: 'basic', username: 'ann', password: 'ghs' });
  const copied = createCredentials({ DOCKERHUB_USERNAME: ' ann', DOCKERHUB_TOKEN: '"pat"\n' });
  assert.deepEqual(await copied('docker.io', 'x'), { kind: 'basic', username: 'ann', password: 'pat' });
  assert.equal(await both('docker.io', 'library/x'), undefined);
  assert.equal(await both('quay.io', 'x'), undefined);
  assert.equal(await createCredentials({ GITHUB_TOKEN: 'ghs' })('ghcr.io', 'x'), undefined);
  assert.equal(await createCredentials({})('ghcr.io', 'x'), undefined);
});

test('~/.docker is used where DOCKER_CONFIG is not set, and a missing file is no login', async () => {
  const home = path.join(folder, 'home');
  await mkdir(path.join(home, '.docker'), { recursive: true });
  const content = JSON.stringify({ auths: { 'a.example': { auth: base64('ann:p') } } });
  await writeFile(path.join(home, '.docker', 'config.json'), content);
  assert.equal((await createCredentials({ HOME: home })('a.example', 'x'))?.username, 'ann');
  const missing = { HOME: home, DOCKER_CONFIG: path.join(folder, 'nothing') };
  assert.equal(await createCredentials(missing)('a.example', 'x'), undefined);
});

test('a helper is asked once per registry, with the server on its standard input', async () => {
  const PATH = await helperPath(
    'fake',
    `echo '{"ServerURL":"'$server'","Username":"ann","Secret":"'$server'"}'`,
  );
  const env = {
    ...(await dockerConfig({ credHelpers: { 'a.example': 'fake' }, auths: { 'a.example': {} } })),
    PATH: `${PATH}:/usr/bin:/bin`,
  };
  const find = createCredentials(env);
  const expected = { kind: 'basic', username: 'ann', password: 'a.example' };
  assert.deepEqual(await Promise.all([find('a.example', 'x'), find('a.example', 'y')]), [expected, expected]);
  assert.equal(await readFile(path.join(PATH, 'asked'), 'utf8'), 'get a.example\n');
});

test('a helper, and a file, are asked again for a login that is refused: once for all who were', async () => {
  const PATH = await helperPath('fake', `echo '{"Username":"ann","Secret":"'$$'"}'`);
  const env = {
    ...(await dockerConfig({ credHelpers: { 'a.example': 'fake' } })),
    REGISTRY_AUTH_FILE: await authFile({ auths: { 'b.example': { auth: base64('ann:old') } } }),
    PATH: `${PATH}:/usr/bin:/bin`,
  };
  const find = createCredentials(env);
  const first = await find('a.example', 'x');
  const again = await Promise.all([find('a.example', 'x', first), find('a.example', 'y', first)]);
  assert.notDeepEqual(again[0], first);
  assert.deepEqual(again[1], again[0]);
  assert.deepEqual(await find('a.example', 'x'), again[0]);
  assert.equal((await readFile(path.join(PATH, 'asked'), 'utf8')).split('\n').length - 1, 2);

  const old = await find('b.example', 'x');
  const renewed = JSON.stringify({ auths: { 'b.example': { auth: base64('ann:new') } } });
  await writeFile(env.REGISTRY_AUTH_FILE, renewed);
  assert.deepEqual(await find('b.example', 'x'), old);
  assert.deepEqual(await find('b.example', 'x', old), { kind: 'basic', username: 'ann', password: 'new' });
});

test('credsStore is asked last, and for Docker Hub under both of its names', async () => {
  const script = `[ "$server" = docker.io ] || { echo 'credentials not found in native keychain'; exit 1; }
echo '{"ServerURL":"docker.io","Username":"<token>","Secret":"refresh"}'`;
  const PATH = await helperPath('store', script);
  const env = {
    ...(await dockerConfig({ credsStore: 'store', auths: { 'a.example': { auth: base64('ann:p') } } })),
    PATH: `${PATH}:/usr/bin:/bin`,
  };
  const find = createCredentials(env);
  assert.deepEqual(await find('docker.io', 'acme/x'), { kind: 'identity', token: 'refresh' });
  assert.equal((await find('a.example', 'x'))?.username, 'ann');
  assert.equal(await find('b.example', 'x'), undefined);
});

test('a helper that does not work is named, and nothing it could have leaked is', async () => {
  const cases: [string, string, RegExp][] = [
    ['absent', '', /docker-credential-absent: it is not installed/],
    ['broken', 'echo "the keyring is locked"; exit 1', /it says: the keyring is locked/],
    ['silent', 'exit 3', /it says: status 3/],
    ['leaky', `echo '{"Username":"ann","Secret":"hunter2"}'; exit 1`, /it says: status 1/],
    ['garbled', 'echo hunter2', /its answer is not JSON/],
    ['empty', `echo '{"hunter2":1}'`, /no Username and Secret/],
    ['../../bin/sh', '', /not one of a helper/],
    ['a b', '', /not one of a helper/],
  ];
  for (const [name, script, message] of cases) {
    const PATH = script === '' ? '' : await helperPath(name, script);
    const env = {
      ...(await dockerConfig({ credHelpers: { 'a.example': name } })),
      PATH: `${PATH}:/usr/bin:/bin`,
    };
    const find = createCredentials(env);
    assert.equal(await find('a.example', 'x'), undefined);
    assert.match(find.trouble?.('a.example') ?? '', message);
    assert.doesNotMatch(find.trouble?.('a.example') ?? '', /hunter2/);
    assert.equal(find.trouble?.('b.example'), undefined);
  }
});

test('behind a helper that does not work the next place is asked', async () => {
  const config = { credsStore: 'absent', credHelpers: { 'ghcr.io': 'gone' } };
  const find = createCredentials({
    ...(await dockerConfig(config)),
    PATH: '/usr/bin:/bin',
    GITHUB_ACTOR: 'ann',
    GITHUB_TOKEN: 'ghs',
    REGISTRY_AUTH_FILE: await authFile({ auths: { 'b.example': { auth: base64('bob:p') } } }),
  });
  assert.equal((await find('ghcr.io', 'x'))?.username, 'ann');
  assert.equal((await find('b.example', 'x'))?.username, 'bob');
  assert.equal(await find('c.example', 'x'), undefined);
  assert.match(find.trouble?.('c.example') ?? '', /docker-credential-absent: it is not installed/);
});

test('an entry that is wrong is about its own registry alone', async () => {
  const good = { auth: base64('ann:p') };
  for (const wrong of ['x', [], 5, { auth: 7 }, { auth: base64('no colon') }, { identitytoken: {} }]) {
    const find = createCredentials(
      await dockerConfig({ auths: { 'other.example': wrong, 'a.example': good } }),
    );
    assert.equal((await find('a.example', 'x'))?.username, 'ann');
    assert.equal(find.trouble?.('a.example'), undefined);
    assert.equal(await find('other.example', 'x'), undefined);
    assert.match(find.trouble?.('other.example') ?? '', /the login for "other\.example"/);
  }
  const find = createCredentials(
    await dockerConfig({
      auths: { 'other.example': null, 'a.example': good },
      credHelpers: { 'b.example': 5 },
    }),
  );
  assert.equal((await find('a.example', 'x'))?.username, 'ann');
  assert.equal(await find('other.example', 'x'), undefined);
  assert.equal(find.trouble?.('other.example'), undefined);
  assert.equal(await find('b.example', 'x'), undefined);
  assert.match(find.trouble?.('b.example') ?? '', /"credHelpers" for "b\.example" is not text/);
});

test('a broken file is named with the position, not with what stands there', async () => {
  const cases: [string, string][] = [
    ['{\n  "auths": hunter2\n}', ':2:12'],
    ['{"auths": {"a": {"auth": "hunter2"} "b"}}', ':1:37'],
    ['hunter2', ':1:1'],
    ['{"auths": ', ':1:11'],
    ['{\n"a": "x"}\nhunter2', ':3:1'],
  ];
  for (const [content, position] of cases) {
    const env = await dockerConfig(content);
    await assert.rejects(createCredentials(env)('a.example', 'x'), error => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.equal(error.subject, `${env.DOCKER_CONFIG}/config.json${position}`);
      assert.doesNotMatch(`${error.message}${error.stack}${String(error.cause)}`, /hunter2/);
      return true;
    });
  }
});

test('a file that is wrong as a whole is a ConfigError', async () => {
  const wrong = [[], { auths: [] }, { credHelpers: 'x' }, { credsStore: 1 }];
  for (const content of wrong) {
    await assert.rejects(createCredentials(await dockerConfig(content))('a.example', 'x'), {
      code: 'CONFIG_INVALID',
    });
  }
});

test('any JSON in the file gives a login, none, or a ConfigError', async () => {
  const shape = fc.record(
    {
      auths: fc.dictionary(fc.string(), fc.jsonValue()),
      credHelpers: fc.jsonValue(),
      credsStore: fc.constant(''),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(shape, fc.jsonValue()), async content => {
      const find = createCredentials(await dockerConfig({ auths: content }));
      await find('a.example', 'x').catch(error => assert.ok(error instanceof ConfigError, String(error)));
    }),
    { numRuns: 100 },
  );
});
