import { shellQuote } from '../../core/text.ts';
import { bootstrapLayer } from '../assemble/bootstrap-layer.ts';
import { containerImage } from '../assemble/container-image.ts';
import { licenseLayer } from '../assemble/license-layer.ts';
import { signatureOfList } from '../assemble/model-signature.ts';
import { BOOTSTRAP_PATH } from '../format/slim-list.ts';
import { onBase } from './on-base.ts';
import type { ImageVariant } from './types.ts';

/** The server behind a bootstrap that fetches the weights when the image starts. */
export const slim: ImageVariant = {
  name: 'slim',
  needsBase: true,
  assemble(planned, context) {
    const base = onBase(context);
    return containerImage(planned, {
      variant: 'slim',
      base,
      recipes: [bootstrapLayer(planned, context.bootstrap), licenseLayer(planned.licenses.slim, base)],
      signature: signatureOfList(planned, context.modelSigner, context.hashes ?? new Map()),
      entrypoint: [BOOTSTRAP_PATH],
      env: { SERVE_ARGS: shellQuote(planned.model.serveArgs) },
    });
  },
};
