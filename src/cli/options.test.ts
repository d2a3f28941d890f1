import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { Command, Option } from 'commander';
import { connectAsConfigured, refuseEmptyValues, withModelList } from './options.ts';
import type { Session } from './session.ts';

async function inFolder(t: TestContext, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'weighbridge-options-'));
  const before = process.cwd();
  process.chdir(folder);
  t.after(async () => {
    process.chdir(before);
    await rm(folder, { recursive: true });
  });
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
}

function recorded() {
  const connected: unknown[] = [];
  const notes: string[] = [];
  const session = {
    services: { connect: (list: readonly unknown[]) => connected.push(...list) },
    note: (text: string) => notes.push(text),
  };
  return { session: session as unknown as Session, connected, notes };
}

const LAB = `registries: { lab: { prefix: "lab.example:5000/m", plain_http: true, ca: ca.pem } }
models: [{ id: a/b, short: b }]
`;

test('a command about a named image reaches registries as models.yaml says, the default or one that is named', async t => {
  await inFolder(t, { 'models.yaml': LAB, 'other.yaml': LAB.replace('lab.example', 'other.example') });
  for (const [file, registry] of [
    [undefined, 'lab.example:5000'],
    ['other.yaml', 'other.example:5000'],
  ] as const) {
    const { session, connected } = recorded();
    await connectAsConfigured(session, file);
    const [connection] = connected as { registry: string; isPlainHttp: boolean; caFile: string }[];
    assert.equal(connection?.registry, registry);
    assert.equal(connection?.isPlainHttp, true);
    assert.equal(path.basename(connection?.caFile ?? ''), 'ca.pem');
  }
});

test('no models.yaml is fine, one that is wrong is noted, and one that was named has to be right', async t => {
  await inFolder(t, {});
  const { session, connected, notes } = recorded();
  await connectAsConfigured(session, undefined);
  await writeFile('models.yaml', 'models: 3');
  await connectAsConfigured(session, undefined);
  assert.deepEqual(connected, []);
  assert.match(notes.join(), /^models\.yaml is not valid, .*: weighbridge validate$/);
  await assert.rejects(connectAsConfigured(session, 'models.yaml'));
  await assert.rejects(connectAsConfigured(session, 'absent.yaml'), { code: 'CONFIG_UNREADABLE' });
});

test('an option with an empty value is refused, whatever reads it otherwise', () => {
  const command = (): Command => {
    const made = withModelList(new Command('x')).option('--title <text>', '', 'default').option('--json');
    made.addOption(new Option('--format <what>').choices(['a', 'b']));
    return refuseEmptyValues(made)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
  };
  for (const words of [['-c', ''], ['--title='], ['--model', ' '], ['--registry', ''], ['--format', '']])
    assert.throws(
      () => command().parse(words, { from: 'user' }),
      { code: 'commander.invalidArgument', message: /argument ' ?' is invalid\. It is empty\.$/ },
      words.join(' '),
    );
  const { config, ...given } = command()
    .parse(['-m', 'a,b', '-m', 'c', '-r', 'k=h:5/m', '--format', 'a', '--json'], { from: 'user' })
    .opts();
  assert.equal(config, 'models.yaml');
  assert.deepEqual(given, {
    ...{ model: ['a', 'b', 'c'], registry: { k: 'h:5/m' }, format: 'a', json: true, title: 'default' },
  });
});
