import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileContent } from '../server/content.ts';
import { type FileSpec, Repository } from './repository.ts';

/** A folder whose files are repositories. */
export interface FolderOptions {
  readonly gated: Readonly<Record<string, 'auto' | 'manual'>>;
  readonly lfsThresholdBytes: number | undefined;
}

/** Returns the repositories of `<folder>/<org>/<name>`, with `<name>@<revision>` as further branches. */
export async function readHubFolder(folder: string, options: FolderOptions): Promise<Repository[]> {
  const repositories = new Map<string, Repository>();
  for (const org of await foldersIn(folder)) {
    // `name` sorts before `name@revision`, so that main is the first commit.
    for (const entry of await foldersIn(path.join(folder, org))) {
      const [name = '', branch = 'main'] = entry.split('@');
      const id = `${org}/${name}`;
      const { gated, lfsThresholdBytes } = options;
      const repository =
        repositories.get(id) ??
        new Repository({
          id,
          gated: gated[id] ?? false,
          ...(lfsThresholdBytes === undefined ? {} : { lfsThresholdBytes }),
        });
      repositories.set(id, repository);
      await repository.commit(await filesIn(path.join(folder, org, entry)), branch);
    }
  }
  return [...repositories.values()];
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
    .sort();
}

async function filesIn(folder: string): Promise<Map<string, FileSpec>> {
  const files = new Map<string, FileSpec>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const full = path.join(entry.parentPath, entry.name);
    files.set(path.relative(folder, full).split(path.sep).join('/'), await fileContent(full));
  }
  return files;
}
