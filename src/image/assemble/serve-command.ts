import type { ModelConfig } from '../../config/types.ts';
import { flagValue } from '../../core/serve-flags.ts';

/** vLLM's own default, for `serve_args` that name no port. */
const DEFAULT_PORT = 8000;

/** `serve_args` with the name that clients ask for, unless the file sets one. */
export function serveArgsOf(model: ModelConfig): string[] {
  const hasName = flagValue(model.serveArgs, '--served-model-name') !== undefined;
  return [...(hasName ? [] : ['--served-model-name', model.id]), ...model.serveArgs];
}

export function servePort(model: Pick<ModelConfig, 'serveArgs'>): number {
  const text = flagValue(model.serveArgs, '--port') ?? flagValue(model.serveArgs, '-p');
  const port = Number(text ?? DEFAULT_PORT);
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : DEFAULT_PORT;
}
