import type { Variant } from '../../config/types.ts';
import { byPath } from '../../core/bytes-order.ts';
import { digestOf } from '../../core/digest.ts';
import type { HubFile } from '../../hub/types.ts';
import { contentIdOf, type LayerEntry, type LayerRecipe, partContentId } from '../../layer/recipe.ts';
import { finishLicenses } from '../../licenses/license-entries.ts';
import type { LicensedBaseImage } from '../../licenses/types.ts';
import type { BaseImage } from '../../oci/image.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import type { DividedFile, FilePart, PlannedModel } from '../../plan/types.ts';
import { checkLayerCount, MAX_IMAGE_LAYERS, MAX_LAYER_BYTES, packFiles } from './pack-layers.ts';

/** Where the slim image's bootstrap lives. */
export const BOOTSTRAP_FOLDER = 'opt/weighbridge';
export const BOOTSTRAP_PATH = `/${BOOTSTRAP_FOLDER}/bootstrap`;

/** A file of the slim image's bootstrap. */
export interface BootstrapFile {
  /** Below its folder in the image, with `/`: `bootstrap`. */
  readonly path: string;
  readonly text: string;
  readonly isExecutable: boolean;
}

/** The layers that a variant adds to a base image, in the order of the image. */
export function layerRecipes(
  planned: PlannedModel,
  variant: Variant,
  base: BaseImage,
  bootstrap: readonly BootstrapFile[],
): LayerRecipe[] {
  const licenses: LayerRecipe = {
    kind: 'licenses',
    name: 'licences',
    root: 'licenses',
    entries: finishLicenses(planned.licenses[variant], licensedBase(base)),
  };
  const own =
    variant === 'slim' ? [bootstrapRecipe(planned, bootstrap)] : fileRecipes(planned, base.layers.length);
  checkLayerCount(planned.model.id, base.layers.length, own.length + 1);
  return [...own, licenses];
}

/** What the base image says of itself; one that is the same but for its digest makes the same tree. */
export function licensedBase({
  reference,
  config,
}: Pick<BaseImage, 'reference' | 'config'>): LicensedBaseImage {
  const labels = config.config?.Labels ?? {};
  const source = LICENSE_LABELS.find(label => labels[label]);
  const spdx = source && labels[source];
  return { reference, license: source && spdx ? { spdx, source: `label ${source}` } : undefined };
}

const LICENSE_LABELS = ['org.opencontainers.image.licenses', 'org.label-schema.license', 'license'];

function fileRecipes(planned: PlannedModel, baseLayers: number): LayerRecipe[] {
  const { division } = planned;
  const divided = division?.files ?? [];
  const parts = divided.flatMap(file => file.parts.map(part => ({ file, part })));
  const packed = packFiles(wholeFiles(planned), {
    // Small files and licences have a layer each, and so has each part of a divided file.
    maxLayers: MAX_IMAGE_LAYERS - baseLayers - 2 - parts.length,
    maxLayerBytes: maxSharedBytes(planned),
    subject: planned.model.id,
  });
  const dir = modelDirOf(planned).slice(1);
  const root = planned.model.downloadRoot.slice(1);
  const recipe = (kind: 'weights' | 'files', entries: readonly LayerEntry[]): LayerRecipe => ({
    kind,
    name: nameOf(entries, dir),
    root,
    entries,
  });
  const small = [
    ...packed.small.map(file => hubEntry(planned, file, dir)),
    ...(division?.indexes ?? []).map(({ path, text }) => inlineEntry(`${dir}/${path}`, 0o644, text)),
  ].sort(byPath);
  return [
    ...packed.weights.map(files =>
      recipe(
        'weights',
        files.map(file => hubEntry(planned, file, dir)),
      ),
    ),
    ...parts.map(({ file, part }) => recipe('weights', [partEntry(planned, file, part, dir)])),
    ...(small.length === 0 ? [] : [recipe('files', small)]),
  ];
}

/** The files that the image has as the repository has them. */
function wholeFiles({ files, division }: PlannedModel): readonly HubFile[] {
  if (division === undefined) return files;
  const replaced = new Set([
    ...division.files.map(({ source }) => source.path),
    ...division.indexes.map(index => index.path),
  ]);
  return files.filter(({ path }) => !replaced.has(path));
}

/** Files that share a layer stay well below a limit: each adds a little to the tar. */
function maxSharedBytes({ layerLimit }: PlannedModel): number {
  const limit = layerLimit?.maxLayerBytes ?? Number.POSITIVE_INFINITY;
  return Math.min(MAX_LAYER_BYTES, Math.floor(limit * 0.99));
}

function nameOf(entries: readonly LayerEntry[], dir: string): string {
  const first = entries[0]?.path.slice(dir.length + 1);
  return entries.length === 1 && first !== undefined ? first : `${first} and ${entries.length - 1} more`;
}

function hubEntry({ snapshot }: PlannedModel, file: HubFile, dir: string): LayerEntry {
  return {
    path: `${dir}/${file.path}`,
    mode: 0o644,
    sizeBytes: file.sizeBytes,
    contentId: contentIdOf(file),
    origin: { kind: 'hub', repository: snapshot.id, revision: snapshot.revision, path: file.path },
  };
}

function partEntry(
  { snapshot }: PlannedModel,
  { source }: DividedFile,
  { path, sizeBytes, header, start, end }: FilePart,
  dir: string,
): LayerEntry {
  const place = { repository: snapshot.id, revision: snapshot.revision, path };
  const part = { source, header, start, end };
  return {
    path: `${dir}/${path}`,
    mode: 0o644,
    sizeBytes,
    contentId: partContentId(part),
    origin: { kind: 'part', ...place, ...part },
  };
}

function bootstrapRecipe(planned: PlannedModel, bootstrap: readonly BootstrapFile[]): LayerRecipe {
  return {
    kind: 'bootstrap',
    name: 'bootstrap',
    root: BOOTSTRAP_FOLDER,
    entries: [
      ...bootstrap.map(({ path, text, isExecutable }) =>
        inlineEntry(`${BOOTSTRAP_FOLDER}/${path}`, isExecutable ? 0o755 : 0o644, text),
      ),
      inlineEntry(`${BOOTSTRAP_FOLDER}/model.json`, 0o644, bootstrapList(planned)),
    ],
  };
}

/** What the bootstrap reads: the files to bring, and what to start then. */
function bootstrapList(planned: PlannedModel): string {
  const { model, snapshot, files } = planned;
  const list = {
    schemaVersion: 1,
    id: model.id,
    short: model.short,
    revision: snapshot.revision,
    dir: modelDirOf(planned),
    command: ['vllm', 'serve'],
    serveArgs: model.serveArgs,
    files: files.map(({ path, sizeBytes, sha256, gitOid }) =>
      sha256 === undefined ? { path, size: sizeBytes, gitOid } : { path, size: sizeBytes, sha256 },
    ),
  };
  return `${JSON.stringify(list, null, 1)}\n`;
}

function inlineEntry(path: string, mode: 0o644 | 0o755, text: string): LayerEntry {
  const bytes = Buffer.from(text, 'utf8');
  return {
    path,
    mode,
    sizeBytes: bytes.length,
    contentId: digestOf(bytes),
    origin: { kind: 'inline', text },
  };
}
