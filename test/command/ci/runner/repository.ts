import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../../../support/command.ts';
import { goTool } from '../../../support/go-tools.ts';
import { runOk } from '../../../support/tools.ts';
import type { World } from './types.ts';

/** A user's repository with one commit, and a machine for its workflows. */
export interface RepositoryOptions {
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** Logins as `docker login` keeps them, by registry. */
  readonly logins?: Readonly<Record<string, string>>;
}

export async function makeWorld(options: RepositoryOptions): Promise<World> {
  const { folder, files, env, logins = {} } = options;
  const [repository, bin, home] = ['repository', 'bin', 'home'].map(name => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const one of [repository, bin, path.join(home, '.docker')]) await mkdir(one, { recursive: true });
  // What `npm ci` would install is in the clone, and Trivy is built already.
  await writeFile(path.join(bin, 'npm'), '#!/bin/sh\necho "npm $*"\n');
  await chmod(path.join(bin, 'npm'), 0o755);
  await symlink(goTool('trivy'), path.join(bin, 'trivy'));
  const auths = Object.entries(logins).map(([host, login]) => [
    host,
    { auth: Buffer.from(login).toString('base64') },
  ]);
  await writeFile(
    path.join(home, '.docker/config.json'),
    JSON.stringify({ auths: Object.fromEntries(auths) }),
  );
  await runOk('git', ['init', '--quiet', '--initial-branch', 'main', repository]);
  await commit(repository, files);
  return {
    repository,
    name: 'octo/models',
    event: { name: 'push', payload: { ref: 'refs/heads/main' } },
    secrets: {},
    vars: {},
    project: ROOT,
    env: { ...env, HOME: home },
    path: [bin],
    folder,
  };
}

export async function commit(repository: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(repository, name)), { recursive: true });
    await writeFile(path.join(repository, name), text);
  }
  const git = (...args: string[]) =>
    runOk('git', ['-C', repository, '-c', 'user.name=x', '-c', 'user.email=x@x.invalid', ...args]);
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'models');
}
