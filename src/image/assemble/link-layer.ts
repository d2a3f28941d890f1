import { byPath } from '../../core/bytes-order.ts';
import type { LayerEntry, LayerRecipe } from '../../layer/recipe.ts';

/**
 * Returns a layer of relative links that shows the model's files where others look for them: KServe in the folder above
 * the model's own, KubeAI at the top. `paths`: of the files in the image, below `dir`, without leading slashes. Undefined
 * if the names would be taken. `others`: what is beside the model's own folder.
 */
export function linkLayer(
  paths: readonly string[],
  dir: string,
  others: readonly string[] = [],
): LayerRecipe | undefined {
  const own = dir.split('/');
  const names = [...new Set(paths.map(path => path.slice(dir.length + 1).split('/')[0] as string))];
  const places = own.length === 1 ? [[]] : [own.slice(0, -1), []];
  const entries = places.flatMap(at => {
    const below = own.slice(at.length).join('/');
    const beside = at.length === own.length - 1 ? others : [];
    const taken = new Set([own[at.length], ...beside, ...(at.length === 0 ? ['licenses'] : [])]);
    return names
      .filter(name => !taken.has(name))
      .map(name => link([...at, name].join('/'), `${below}/${name}`));
  });
  if (entries.length === 0) return undefined;
  return { kind: 'links', name: 'links', root: own[0] as string, entries: entries.toSorted(byPath) };
}

function link(path: string, target: string): LayerEntry {
  return {
    path,
    mode: 0o644,
    sizeBytes: 0,
    contentId: `link:${target}`,
    content: { kind: 'inline', text: '' },
    linkTarget: target,
  };
}
