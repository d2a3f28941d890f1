import { flagValue } from '../core/serve-flags.ts';
import { type Place, problemAt, read, within, written } from './place.ts';
import type { ConfigProblem } from './problems.ts';
import type { YamlSource } from './yaml/yaml-source.ts';

/** Returns what no single field of an adapter can tell. `models`: of all files; defaults are in `main`. */
export function adapterChecks(models: readonly Place[], main: YamlSource): ConfigProblem[] {
  return [...models.flatMap(wrongNames), ...wrongFolders(models, main)];
}

/** Names are what clients choose by: each stands for one thing. */
function wrongNames(model: Place): ConfigProblem[] {
  const served = servedNames(model);
  const names = new Map<string, number>();
  return adaptersOf(model).flatMap((adapter, index) => {
    const name = within(adapter, 'name');
    const text = read(name);
    if (typeof text !== 'string') return [];
    const first = names.get(text);
    names.set(text, first ?? index);
    if (first !== undefined)
      return [
        problemAt(
          name,
          `"name" ${JSON.stringify(text)} is also that of adapter ${first + 1}: each needs its own`,
        ),
      ];
    if (!served.includes(text)) return [];
    return [
      problemAt(
        name,
        `"name" ${JSON.stringify(text)} is what the model itself is served as: use another one`,
      ),
    ];
  });
}

/** What the model itself answers to. */
function servedNames(model: Place): readonly unknown[] {
  const args = read(within(model, 'serve_args'));
  const words = Array.isArray(args) ? args.filter(word => typeof word === 'string') : [];
  const name = flagValue(words, '--served-model-name');
  return [name ?? read(within(model, 'id'))];
}

function adaptersOf(model: Place): Place[] {
  const list = within(model, 'adapters');
  const adapters = read(list);
  return Array.isArray(adapters)
    ? adapters.map((_, index) => ({ source: list.source, path: [...list.path, index] }))
    : [];
}

/** `<folder>-adapters` has a model's adapters, which slim images bring into a volume that models share. */
function wrongFolders(models: readonly Place[], main: YamlSource): ConfigProblem[] {
  const taken = new Map(
    models
      .filter(model => adaptersOf(model).length > 0)
      .map(model => [`${folderOf(model, main)}-adapters`, model]),
  );
  return models.flatMap(model => {
    const owner = taken.get(folderOf(model, main));
    if (owner === undefined) return [];
    const place =
      read(within(model, 'folder')) === undefined ? within(model, 'short') : within(model, 'folder');
    const message = `the folder of this model is that of the adapters of the model on line ${owner.source.position(owner.path).line}: set "folder"`;
    return [problemAt(place, message)];
  });
}

function folderOf(model: Place, main: YamlSource): string {
  const root = written('download_root', model, main);
  const name = read(within(model, 'folder')) ?? read(within(model, 'short'));
  return `${String(root === undefined ? '' : read(root)).replace(/\/+$/, '')}/${String(name)}`;
}
