import type { Variant } from '../../config/types.ts';
import { digestOf } from '../../core/digest.ts';
import { shellQuote } from '../../core/text.ts';
import type { LayerRecipe } from '../../layer/recipe.ts';
import { layerKey } from '../../layer/tar-layout.ts';
import { hubPage } from '../../licenses/hub-page.ts';
import { type BaseImage, createdOf, type ImageSpec } from '../../oci/image.ts';
import { modelDirOf } from '../../plan/model-dir.ts';
import { versionOf } from '../../plan/tags.ts';
import type { PlannedModel } from '../../plan/types.ts';
import type { AncestorLicense } from '../../policy/types.ts';
import { BOOTSTRAP_PATH } from './layers.ts';
import { portOf, serveArgsOf } from './serve-command.ts';

/** Everything of an image but its layers' digests: what it starts, its environment and its labels. */
export function imageSpec(
  planned: PlannedModel,
  variant: Variant,
  base: BaseImage,
  recipes: readonly LayerRecipe[],
): Omit<ImageSpec, 'layers'> {
  const { model } = planned;
  const dir = modelDirOf(planned);
  const serve = {
    base,
    env: environment(planned, variant),
    entrypoint: variant === 'fat' ? ['vllm', 'serve', dir, ...serveArgsOf(model)] : [BOOTSTRAP_PATH],
    exposedPorts: [`${portOf(model)}/tcp`],
  };
  return { ...serve, labels: labels(planned, variant, base, recipes, serve) };
}

function environment(planned: PlannedModel, variant: Variant): Record<string, string> {
  const { model } = planned;
  return {
    HF_HOME: model.hfCacheDir,
    HF_HUB_CACHE: `${model.hfCacheDir}/hub`,
    MODEL_ID: model.id,
    MODEL_DIR: modelDirOf(planned),
    // The weights are there: vLLM must not ask the Hub about them.
    ...(variant === 'fat' ? { HF_HUB_OFFLINE: '1' } : { SERVE_ARGS: shellQuote(model.serveArgs) }),
  };
}

function labels(
  planned: PlannedModel,
  variant: Variant,
  base: BaseImage,
  recipes: readonly LayerRecipe[],
  serve: object,
): Record<string, string> {
  const { model, snapshot, outcome } = planned;
  const version = versionOf(model);
  const made = {
    ...serve,
    base: base.digest,
    revision: snapshot.revision,
    variant,
    layers: recipes.map(layerKey),
    oci: model.oci,
  };
  return {
    'org.opencontainers.image.title': model.oci.title,
    'org.opencontainers.image.description': model.oci.description,
    'org.opencontainers.image.url': model.oci.url,
    'org.opencontainers.image.source': `${hubPage(snapshot.id)}/tree/${snapshot.revision}`,
    ...(version === undefined ? {} : { 'org.opencontainers.image.version': version }),
    'org.opencontainers.image.revision': snapshot.revision,
    ...(outcome.license.spdx === null ? {} : { 'org.opencontainers.image.licenses': outcome.license.spdx }),
    'org.opencontainers.image.base.name': base.reference,
    'org.opencontainers.image.base.digest': base.digest,
    'org.opencontainers.image.created': createdOf(base),
    'io.weighbridge.model.id': model.id,
    'io.weighbridge.model.revision': snapshot.revision,
    ...lineageLabel(outcome.lineage),
    'io.weighbridge.variant': variant,
    'io.weighbridge.plan.digest': digestOf(JSON.stringify(made)),
  };
}

/** `[["org/base","llama3.1"],…]`: the models that it was made from, nearest first, with what each says of its licence. */
function lineageLabel(lineage: readonly AncestorLicense[]): Record<string, string> {
  if (lineage.length === 0) return {};
  const rows = lineage.map(({ id, spdx, declared }) => [id, spdx ?? declared]);
  return { 'io.weighbridge.model.lineage': JSON.stringify(rows) };
}
