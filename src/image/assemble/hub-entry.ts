import type { HubFile, ModelSnapshot } from '../../hub/types.ts';
import { contentIdOf, type LayerEntry } from '../../layer/recipe.ts';

/** Returns a file of a repository, below `dir`, which has no leading slash. */
export function hubEntry({ id, revision }: ModelSnapshot, file: HubFile, dir: string): LayerEntry {
  return {
    path: `${dir}/${file.path}`,
    mode: 0o644,
    sizeBytes: file.sizeBytes,
    contentId: contentIdOf(file),
    content: { kind: 'hub', repository: id, revision, path: file.path },
  };
}
