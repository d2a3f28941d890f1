import type { HubFile } from '../../hub/types.ts';
import { inlineEntry } from '../../layer/inline-entry.ts';
import type { LayerEntry, LayerRecipe } from '../../layer/recipe.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import type { PlannedAdapter, PlannedModel } from '../../plan/types.ts';
import { BOOTSTRAP_FOLDER, SLIM_LIST } from '../format/slim-list.ts';
import type { BootstrapFile } from '../types.ts';
import { rankFor } from './adapter-args.ts';

/** Returns the layer of the bootstrap and its list; the order of the files is that of the layer. */
export function bootstrapLayer(planned: PlannedModel, bootstrap: readonly BootstrapFile[]): LayerRecipe {
  return {
    kind: 'bootstrap',
    name: 'bootstrap',
    root: BOOTSTRAP_FOLDER,
    entries: [...entriesOf(bootstrap), inlineEntry(SLIM_LIST, 0o644, bootstrapList(planned))],
  };
}

/** The same files for all models of a run, hashed once. */
function entriesOf(bootstrap: readonly BootstrapFile[]): readonly LayerEntry[] {
  const known = ENTRIES.get(bootstrap);
  if (known !== undefined) return known;
  const entries = bootstrap.map(({ path, text, isExecutable }) =>
    inlineEntry(`${BOOTSTRAP_FOLDER}/${path}`, isExecutable ? 0o755 : 0o644, text),
  );
  ENTRIES.set(bootstrap, entries);
  return entries;
}

const ENTRIES = new WeakMap<readonly BootstrapFile[], readonly LayerEntry[]>();

/** What the bootstrap reads: the files to bring, and what to start then. */
function bootstrapList(planned: PlannedModel): string {
  const { model, snapshot, files, adapters = [] } = planned;
  const rank = rankFor(planned);
  const list = {
    schemaVersion: 1,
    id: model.id,
    short: model.short,
    revision: snapshot.revision,
    dir: modelDirOf(planned),
    command: ['vllm', 'serve'],
    serveArgs: model.serveArgs,
    files: files.map(listedFile),
    ...(adapters.length > 0 && { adapters: adapters.map(listedAdapter) }),
    ...(rank !== undefined && { maxLoraRank: rank }),
  };
  return `${JSON.stringify(list, null, 1)}\n`;
}

function listedAdapter({ adapter, snapshot, files }: PlannedAdapter): object {
  return {
    name: adapter.name,
    id: adapter.id,
    revision: snapshot.revision,
    files: files.map(listedFile),
  };
}

function listedFile({ path, sizeBytes, sha256, gitOid }: HubFile): object {
  return sha256 === undefined ? { path, size: sizeBytes, gitOid } : { path, size: sizeBytes, sha256 };
}
