import { shellQuote } from '../../core/text.ts';
import { toSpec } from '../../layer/layer-spec.ts';
import { parsePlatform } from '../../oci/reference.ts';
import { ADAPTERS_SUFFIX, modelDirOf } from '../../plan/model-dir.ts';
import { adapterLayers } from '../assemble/adapter-layers.ts';
import { labelsOf, NO_TIME } from '../assemble/container-image.ts';
import { licenseLayer } from '../assemble/license-layer.ts';
import { linkLayer } from '../assemble/link-layer.ts';
import { modelLayers } from '../assemble/model-layers.ts';
import { hasSignatureFile, signatureOfLayers } from '../assemble/model-signature.ts';
import { ownServeArgs } from '../assemble/serve-command.ts';
import { dataImageSealer } from '../seal/sealers.ts';
import type { ImageVariant } from './types.ts';

/** Licenses and links. */
const OTHER_LAYERS = 2;

/** The weights alone, to be mounted or unpacked: the layers of the fat image, without what runs them. */
export const weights: ImageVariant = {
  name: 'weights',
  needsBase: false,
  assemble(planned, context) {
    const platform = parsePlatform(context.platform);
    const adapters = adapterLayers(planned);
    const others = OTHER_LAYERS + adapters.length + (hasSignatureFile(planned) ? 1 : 0);
    const model = modelLayers(planned, others);
    const signature = signatureOfLayers(planned, model, context.modelSigner);
    const paths = model.flatMap(recipe => recipe.entries.map(entry => entry.path));
    const links = linkLayer(
      paths,
      modelDirOf(planned).slice(1),
      adapters.length > 0 ? [`${planned.model.folder}${ADAPTERS_SUFFIX}`] : [],
    );
    const licenses = licenseLayer(planned.licenses.weights, undefined);
    const layers = [...model, ...adapters, ...(links === undefined ? [] : [links]), licenses].map(toSpec);
    // Nothing here reads it: it says how the model is to be served, for those who mount it.
    const env = {
      MODEL_ID: planned.model.id,
      MODEL_DIR: modelDirOf(planned),
      SERVE_ARGS: shellQuote(ownServeArgs(planned)),
    };
    const labels = labelsOf(planned, {
      variant: 'weights',
      base: undefined,
      layers,
      signature,
      serve: { env, platform },
    });
    return {
      base: undefined,
      platform,
      layers,
      labels,
      ...(signature && { signature }),
      seal: dataImageSealer({ platform, created: NO_TIME, env, labels }),
    };
  },
};
