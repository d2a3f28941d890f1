import path from 'node:path/posix';
import type { ModelPackForm } from '../../config/types.ts';
import { toSpec } from '../../layer/layer-spec.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { buildArtifact, type NewLayer } from '../../oci/image.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import type { PlannedModel } from '../../plan/types.ts';
import { labelsOf, modelLabels } from '../assemble/container-image.ts';
import { imageLicense } from '../assemble/image-license.ts';
import { modelLayers } from '../assemble/model-layers.ts';
import { Label } from '../format/labels.ts';
import {
  ModelPack,
  ModelPackAnnotation,
  type ModelPackConfig,
  modelFormat,
  modelPackLayerType,
  paramSize,
  precisionName,
} from '../format/modelpack.ts';
import { newLayer } from '../seal/sealers.ts';
import type { SealedLayer } from '../types.ts';
import type { ImageVariant } from './types.ts';

/** The weights as an artifact for the tools of the ModelPack specification. */
export const modelpack: ImageVariant = {
  name: 'modelpack',
  needsBase: false,
  isForAnyPlatform: true,
  assemble(planned) {
    const form = planned.model.modelpack;
    const dir = modelDirOf(planned);
    const recipes = modelLayers(form === 'raw' ? withWholeFiles(planned) : planned, 0);
    const layers = (form === 'raw' ? recipes.flatMap(rawRecipes) : recipes).map(toSpec);
    const description = describeModel(planned);
    const serve = { form, config: description.config };
    const labels = {
      ...labelsOf(planned, { variant: 'modelpack', base: undefined, layers, serve }),
      [Label.modelDir]: dir,
    };
    return {
      base: undefined,
      platform: { os: 'unknown', architecture: 'unknown' },
      layers,
      labels,
      seal: sealed => {
        const made = sealed.map(layer => modelPackLayer(layer, dir, form));
        const modelfs = { type: 'layers', diffIds: made.map(layer => layer.diffId) } as const;
        const value: ModelPackConfig = { ...description, modelfs };
        const config = { mediaType: ModelPack.config, value };
        return buildArtifact(ModelPack.manifest, config, made, labels);
      },
    };
  },
};

/**
 * `layer_target` is about layers that nodes unpack. A raw blob stays the Hub's file, with the Hub's digest, unless a
 * registry would not take it.
 */
function withWholeFiles(planned: PlannedModel): PlannedModel {
  const { resharding, ...rest } = planned;
  if (resharding === undefined || planned.layerLimit?.source !== 'layer_target') return planned;
  const maxBytes = planned.registryLimit?.maxLayerBytes ?? Number.POSITIVE_INFINITY;
  return resharding.files.some(({ source }) => source.sizeBytes > maxBytes) ? planned : rest;
}

/** Each file as a blob of its own. */
function rawRecipes({ kind, root, entries }: LayerRecipe): LayerRecipe[] {
  return entries.map(entry => ({
    kind,
    name: path.basename(entry.path),
    root,
    entries: [entry],
    form: 'raw' as const,
  }));
}

function modelPackLayer(sealed: SealedLayer, dir: string, form: ModelPackForm): NewLayer {
  const { entries } = sealed.spec.recipe;
  const paths = entries.map(entry => entry.path.slice(dir.length));
  const layer = newLayer(sealed);
  const annotations = { ...layer.descriptor.annotations, ...fileAnnotations(sealed, paths, form) };
  const mediaType = modelPackLayerType(paths, form);
  return { ...layer, descriptor: { ...layer.descriptor, mediaType, annotations } };
}

/** Where a file goes, and with which mode: a tar says so itself. */
function fileAnnotations(
  { spec }: SealedLayer,
  paths: readonly string[],
  form: ModelPackForm,
): Record<string, string> {
  const [entry] = spec.recipe.entries;
  const [name] = paths;
  if (entry === undefined || name === undefined) return {};
  if (form === 'tar') return { [ModelPackAnnotation.path]: paths.length === 1 ? name : path.dirname(name) };
  const { mode, sizeBytes: size } = entry;
  const metadata = {
    name,
    mode,
    uid: 0,
    gid: 0,
    size,
    mtime: '1970-01-01T00:00:00Z',
    typeflag: REGULAR_FILE,
  };
  return { [ModelPackAnnotation.path]: name, [ModelPackAnnotation.metadata]: JSON.stringify(metadata) };
}

/** As a tar has it: the letter 0. */
const REGULAR_FILE = 48;

/** What the model's own files say of it. */
function describeModel(planned: PlannedModel): Omit<ModelPackConfig, 'modelfs'> {
  const { model, snapshot, files } = planned;
  const spdx = imageLicense(planned, 'modelpack', undefined);
  const format = modelFormat(files.map(file => file.path));
  const { parameters, precision, quantization } = modelLabels(planned);
  return {
    descriptor: {
      name: snapshot.id,
      version: snapshot.revision,
      revision: snapshot.revision,
      sourceURL: model.oci.url,
      docURL: model.oci.url,
      title: model.oci.title,
      description: model.oci.description,
      ...(spdx === null ? {} : { licenses: [spdx] }),
    },
    config: {
      ...(format !== undefined && { format }),
      ...(parameters !== undefined && { paramSize: paramSize(parameters) }),
      ...(precision !== undefined && { precision: precisionName(precision) }),
      ...(quantization !== undefined && { quantization }),
    },
  };
}
