import { modelDirOf } from '../../plan/model-dir.ts';
import { adapterLayers } from '../assemble/adapter-layers.ts';
import { containerImage } from '../assemble/container-image.ts';
import { layerOrder, wantsWeightsFirst } from '../assemble/layer-order.ts';
import { licenseLayer } from '../assemble/license-layer.ts';
import { modelLayers } from '../assemble/model-layers.ts';
import { hasSignatureFile, signatureOfLayers } from '../assemble/model-signature.ts';
import { serveArgsOf } from '../assemble/serve-command.ts';
import { onBase } from './on-base.ts';
import type { ImageVariant } from './types.ts';

/** The server and the weights in one image. */
export const fat: ImageVariant = {
  name: 'fat',
  needsBase: true,
  needsPathOver: wantsWeightsFirst,
  assemble(planned, context) {
    const base = onBase(context);
    const adapters = adapterLayers(planned);
    const others = base.layers.length + 1 + adapters.length + (hasSignatureFile(planned) ? 1 : 0);
    const model = modelLayers(planned, others);
    const order = layerOrder(planned, base, context.pathOver);
    return containerImage(planned, {
      variant: 'fat',
      base,
      recipes: [...model, ...adapters, licenseLayer(planned.licenses.fat, base)],
      signature: signatureOfLayers(planned, model, context.modelSigner),
      ...(order === 'weights-first' && { countBelow: model.length }),
      entrypoint: ['vllm', 'serve', modelDirOf(planned), ...serveArgsOf(planned)],
      // The weights are there: vLLM must not ask the Hub about them.
      env: { HF_HUB_OFFLINE: '1' },
    });
  },
};
